"""Passphrases, from a file or from a prompt that `cli` shows; never from argv or the environment.

Text comes in; a Passphrase that does not show itself goes out.
Rule: at least 12 characters, at least 6 of them different; longer is better than stranger. A dozen characters
chosen by a person are the weakest thing in this room, so use a password manager or six random words.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from keys.errors import PassphraseError
from keys.files import read_private
from keys.guard import Guarded

MINIMUM_CHARACTERS = 12
MINIMUM_DIFFERENT = 6
_LIMIT_BYTES = 4096


@dataclass(frozen=True, eq=False, repr=False)
class Passphrase(Guarded):
    """A passphrase that met the minimum; value: UTF-8, NFC, so that two keyboards give one key."""

    value: bytes

    shown: ClassVar[tuple[str, ...]] = ()

    def to_payload(self) -> bytes:
        """The passphrase itself, for comparison only."""
        return self.value


def from_text(text: str) -> Passphrase:
    """Passphrase as typed at a prompt; spaces count. Raises PassphraseError when it is too weak."""
    normal = unicodedata.normalize("NFC", text)
    if len(normal) < MINIMUM_CHARACTERS:
        raise PassphraseError(
            f"a passphrase has at least {MINIMUM_CHARACTERS} characters", "six random words make a good one"
        )
    if len(set(normal)) < MINIMUM_DIFFERENT:
        raise PassphraseError(
            f"a passphrase has at least {MINIMUM_DIFFERENT} different characters", "six random words make a good one"
        )
    if any(unicodedata.category(character) == "Cc" for character in normal):
        raise PassphraseError("a passphrase is one line without control characters", "remove line breaks and tabs")
    return Passphrase(normal.encode())


def from_file(path: Path) -> Passphrase:
    """Passphrase in a file's only line; a byte order mark and one line end are not part of it.

    Raises KeyFileError when the file is missing or, on POSIX, open to group or others; PassphraseError when
    it is not UTF-8 or too weak.
    """
    data = read_private(path, _LIMIT_BYTES)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        # Without `from`: the decoder's message would quote a byte of the passphrase.
        raise PassphraseError(f"the passphrase in {path} is not UTF-8 text", "save the file as UTF-8") from None
    return from_text(text.removesuffix("\n").removesuffix("\r"))
