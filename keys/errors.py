"""Every way custody can refuse, 10 to 19, of the same shape as linkage/errors.py.

An error says what happened; its hint says what to do next. Names of parties and files may be quoted;
secrets, passphrases and anything decrypted never are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar


class CustodyError(Exception):
    """Base of every expected failure of custody.

    hint: what the user can do next, one sentence. details: one line each.
    """

    exit_code = 10

    def __init__(self, what: str, hint: str = "", details: Sequence[str] = ()) -> None:
        super().__init__(what)
        self.hint = hint
        self.details = tuple(details)


class KeyFileError(CustodyError):
    """A key file is unreadable, exists already, is readable by others, or is not what was asked for."""

    exit_code = 11


class PassphraseError(CustodyError):
    """The passphrase is wrong or too weak."""

    exit_code = 12


class ShareError(CustodyError):
    """A share of the linkage secret is missing, from a stranger, there twice, or for another agreement."""

    exit_code = 13


class OpenError(CustodyError):
    """Sealed bytes do not open: altered, cut short, for somebody else, or bound to something else."""

    exit_code = 14


class SignatureError(CustodyError):
    """A signature is not the named party's over these bytes."""

    exit_code = 15


class SecretMismatchError(CustodyError):
    """Two parties hold different linkage secrets, or one secret is used under another agreement (R7)."""

    exit_code = 16


class TestKeyError(CustodyError):
    """Test keys meet live files, or live keys test files (R50)."""

    __test__: ClassVar[bool] = False  # the name starts with "Test"; it is not a test case
    exit_code = 17
