"""The words risk may be told in: categories, never findings, and only these (R5, R19 to R21).

A TOML file comes in, a Vocabulary goes out; its digest stands in the agreement.
Rule: a code outside it is refused, and a code about the person causing harm never is an official code about a victim.
"""

from __future__ import annotations

import hashlib
import re
from functools import cached_property
from pathlib import Path
from typing import Literal

import msgspec

from linkage import toml
from linkage.errors import FlagsError
from linkage.model import Flag
from linkage.resources import CONFIGS
from linkage.words import nearest

DEFAULT = CONFIGS / "flags.toml"

Role = Literal["PERPETRATOR", "VICTIM", "SUBJECT"]

_OFFICIAL = re.compile(r"\d{1,2}[A-Z]")
"""Factor codes of the children in need census ("3A"): they describe the child's family, and 3A to 3C a victim (R20)."""


class Code(toml.Table, frozen=True, kw_only=True):
    """One category. role: whose harm it speaks of. on: whether this agreement passes it at all.

    prompts: what a person may consider, words only. protective: it speaks for him.
    """

    code: str
    words: str
    role: Role
    on: bool = True
    prompts: tuple[str, ...] = ()
    protective: bool = False


class Term(toml.Table, frozen=True, kw_only=True):
    """One word of a fixed list, and what it means to a reader."""

    name: str
    words: str


class Band(toml.Table, frozen=True, kw_only=True):
    """One recency band: up to so many years ago; None is not known."""

    name: str
    words: str
    years: int | None = None


class Vocabulary(toml.Table, frozen=True, kw_only=True, dict=True):
    """All categories, bases, recency bands and statuses of one version; the order of the file means nothing (R18)."""

    version: str
    codes: tuple[Code, ...]
    bases: tuple[Term, ...]
    recency: tuple[Band, ...]
    statuses: tuple[Term, ...]

    @cached_property
    def by_code(self) -> dict[str, Code]:
        """Categories by code."""
        return {code.code: code for code in self.codes}

    def code(self, name: str) -> Code:
        """The category of a code. Raises FlagsError, naming the nearest known code but not the one asked for (R21)."""
        if name not in self.by_code:
            raise FlagsError(
                f"a code is not in the vocabulary; {self.suggestion(name)}", "use the vocabulary's codes only"
            )
        return self.by_code[name]

    def suggestion(self, name: str) -> str:
        """Words that lead from an unknown code to a known one, without repeating it."""
        if _OFFICIAL.fullmatch(name.strip().upper()):
            return "official factor codes describe a child's family and are never values here"
        return nearest(name.strip().upper(), self.by_code)

    def names(self, part: Literal["bases", "recency", "statuses"]) -> tuple[str, ...]:
        """Names of a fixed list."""
        return tuple(term.name for term in getattr(self, part))

    def check(self, flag: Flag) -> None:
        """Make sure that a flag says only what the vocabulary can say. Raises FlagsError with all faults."""
        code = self.code(flag.code)
        faults = [f"'{flag.code}' is switched off in this vocabulary"] if not code.on else []
        faults += [f"'{flag.code}' has the role {code.role}"] if flag.role != code.role else []
        faults += ["the basis is not in the vocabulary"] if flag.basis not in self.names("bases") else []
        faults += ["the recency is not in the vocabulary"] if flag.recency not in self.names("recency") else []
        faults += ["the status is not in the vocabulary"] if flag.status not in self.names("statuses") else []
        if faults:
            raise FlagsError(faults[0], "compare the flag with the vocabulary", faults)

    def digest(self) -> str:
        """SHA-256 (hex) over the canonical form: sorted lists, keys in order, no spaces."""
        plain = msgspec.to_builtins(self)
        for part in ("bases", "statuses", "recency"):
            plain[part] = sorted(plain[part], key=lambda term: str(term["name"]))
        plain["codes"] = sorted(plain["codes"], key=lambda code: str(code["code"]))
        return hashlib.sha256(msgspec.json.encode(plain, order="sorted")).hexdigest()


def load(path: Path = DEFAULT) -> Vocabulary:
    """The vocabulary a TOML file holds.

    Raises FlagsError: unreadable, unknown entry, a code twice, an official code as value, a prompt that is no prompt.
    """
    vocabulary = toml.read(path, Vocabulary, FlagsError)
    faults = []
    seen: set[str] = set()
    for code in vocabulary.codes:
        if code.code in seen:
            faults.append(f"code '{code.code}' stands twice")
        seen.add(code.code)
        if not re.fullmatch(r"[A-Z][A-Z0-9-]{1,9}", code.code) or _OFFICIAL.fullmatch(code.code):
            faults.append(f"code '{code.code}' is not two to ten capitals, digits and hyphens, beginning with a letter")
        faults += [
            f"code '{code.code}': a prompt begins with 'consider', for it is a question to a person and no value"
            for prompt in code.prompts
            if not prompt.startswith("consider ")
        ]
    if faults:
        raise FlagsError(faults[0], "correct the vocabulary", faults)
    return vocabulary
