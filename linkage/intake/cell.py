"""What a cell can be: values with a verdict; and what stands for "not known" in any column.

Rule: a placeholder or an impossible value is missing, and is counted as what it was (R8, R9).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import IntEnum

import anyascii as _anyascii


class Verdict(IntEnum):
    """What became of a cell, the better the higher."""

    EMPTY = 0
    PLACEHOLDER = 1  # stands for "not known": UNKNOWN, 1900-01-01, ZZ99
    INVALID = 2  # cannot be what the column says
    PARTIAL = 3  # year only, or the outward half of a postcode
    VALID = 4


Cleaned = tuple[tuple[str, ...], Verdict]
"""The values of a cell, best first, none where missing; and the verdict."""

Cleaner = Callable[[str], Cleaned]

MISSING: Cleaned = ((), Verdict.EMPTY)
PLACEHOLDER: Cleaned = ((), Verdict.PLACEHOLDER)
INVALID: Cleaned = ((), Verdict.INVALID)

PLACEHOLDERS = frozenset([
    "",
    *"""
    UNKNOWN UNKN UNK NOTKNOWN NOTENTERED NOTSTATED NOTRECORDED NOTGIVEN NOTDISCLOSED NOTPROVIDED NOTAVAILABLE
    NOTAPPLICABLE NOTSPECIFIED NONE NULL NIL NA NK NS NFA NFN NLN NMN FNU LNU TBC TBA TBD DECLINED REFUSED WITHHELD
    ANON ANONYMOUS ANONYMISED REDACTED DELETED TEST TESTPATIENT DUMMY MISSING NONAME NOSURNAME NOFORENAME
    NAMEUNKNOWN SURNAMEUNKNOWN FORENAMEUNKNOWN UNNAMED UNBORN INFANT BABY BABYBOY BABYGIRL MALE FEMALE NOVALUE NAN
    NOFIXEDABODE NOFIXEDADDRESS ADDRESSUNKNOWN NOFIXEDADDR HOMELESS NOTKNOWNATTIMEOFREFERRAL NOTYETKNOWN
    """.split(),  # noqa: SIM905
])  # fmt: skip
"""Words that stand for "not known" in any kind of field, as bare capitals and digits."""


def to_ascii(text: str) -> str:
    """Text in the Latin alphabet, upper case, outer spaces cut."""
    return (text if text.isascii() else _anyascii.anyascii(text)).strip().upper()


def bare(text: str) -> str:
    """Capitals and digits alone."""
    return text if text.isalnum() else _NOT_BARE.sub("", text)


_NOT_BARE = re.compile(r"[^A-Z0-9]+")
_SPREADSHEET = frozenset({"#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!"})


def is_placeholder(raw: str) -> bool:
    """Whether a cell in capitals says "not known": a listed word, X's or Z's alone, a spreadsheet's error."""
    code = bare(raw)
    return (
        code in PLACEHOLDERS
        or code.strip("X") == ""
        or (len(code) > 1 and code.strip("Z") == "")
        or raw in _SPREADSHEET
    )
