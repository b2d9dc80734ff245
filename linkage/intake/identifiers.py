"""Numbers that name a person, telephone numbers, and sex (R9, R13).

Rule: a number that fails its own check is missing, for a wrong one names somebody else. No lost digit is ever restored.
"""

from __future__ import annotations

import re
from functools import cache

from linkage.intake.cell import (
    INVALID,
    MISSING,
    PLACEHOLDER,
    Cleaned,
    Cleaner,
    Verdict,
    bare,
    is_placeholder,
    to_ascii,
)
from linkage.intake.usual import scheme
from linkage.schema import Field

_SCIENTIFIC = re.compile(r"\d([.,]\d+)?E\+?\d+")
_STAND_INS = frozenset({"7123456789", "1234567890", "0123456789", "9876543210", "12345678", "123456789", "1234567"})
_PNC = re.compile(r"(\d{4}|\d{2})/(\d{1,7})([A-Z])|(\d{4})(\d{7})([A-Z])|(\d{2})(\d{1,7})([A-Z])")
_PNC_FORM = re.compile(r"[0-9]{4}/[0-9]{7}[A-Z]")
_CRO_FORM = re.compile(r"[0-9]{6}/[0-9]{2}[A-Z]")
_CRO = re.compile(r"(\d{1,6})/(\d{2})([A-Z])")
_CRO_SF = re.compile(r"SF(\d{2})/?(\d{1,6})([A-Z])")
_NOMS = re.compile(r"[A-Z]\d{4}[A-Z]{2}")
_NINO = re.compile(r"[A-Z]{2}\d{6}[A-D]?")
_NOT_SLASHED = re.compile(r"[^A-Z0-9/]+")
_REPEATED = re.compile(r"(\d)\1{6}")
_PUNCTUATION = str.maketrans("", "", " ()-.")
_MOBILE = re.compile(r"(?:\+44|0044|44)?0?(7[1-57-9]\d{8})")
_LANDLINE = re.compile(r"(?:\+440?|0)?([12]\d{9})")
_THIS_CENTURY = 40  # two-digit PNC years up to 2040; the oldest records are of the 1940s, long closed

_MALE = frozenset({"M", "MALE", "MAN", "BOY", "1"})
_FEMALE = frozenset({"F", "FEMALE", "WOMAN", "GIRL", "2"})
_NEITHER = frozenset(
    {"0", "9", "3", "I", "N", "U", "O", "NB", "NONBINARY", "OTHER", "INDETERMINATE", "TRANSGENDER", "INTERSEX"}
)


def of(field: Field) -> Cleaner:
    """The cleaner of an identifier field, by the scheme its name says."""
    return {"nhs": nhs, "pnc": pnc, "cro": cro, "noms": noms, "nino": nino}.get(scheme(field), other)


def nhs(text: str) -> Cleaned:
    """An NHS number as ten digits, its check digit right."""
    from stdnum.gb import nhs as standard

    raw, missing = _start(text)
    if missing:
        return missing
    digits = bare(raw).removeprefix("NHS")
    if len(digits) == 10 and digits.isdigit() and standard.checksum(digits) == 0:
        return (digits,), Verdict.VALID
    return INVALID


def pnc(text: str) -> Cleaned:
    """A Police National Computer id as "1999/0123456A": year of four digits, serial of seven, check letter.

    Source of the form: the canonical form of the Ministry of Justice's hmpps-person-record, PNCIdentifier.
    """
    if _PNC_FORM.fullmatch(text):  # as most are written: all below would leave it as it is
        return (text,), Verdict.VALID
    raw, missing = _start(text)
    if missing:
        return missing
    match = _PNC.fullmatch(_NOT_SLASHED.sub("", raw.replace("-", "/").replace("\\", "/")))
    if not match:
        return _whatever(raw)
    year, serial, letter = (part for part in match.groups() if part)
    if len(year) == 2:
        year = f"20{year}" if int(year) <= _THIS_CENTURY else f"19{year}"
    return (f"{year}/{serial:0>7}{letter}",), Verdict.VALID


def cro(text: str) -> Cleaned:
    """A Criminal Records Office number as "012345/99A", or "SF99/12345A" for a record without fingerprints."""
    if _CRO_FORM.fullmatch(text):
        return (text,), Verdict.VALID
    raw, missing = _start(text)
    if missing:
        return missing
    code = _NOT_SLASHED.sub("", raw)
    if match := _CRO_SF.fullmatch(code):
        return (f"SF{match[1]}/{match[2]}{match[3]}",), Verdict.VALID
    if match := _CRO.fullmatch(code):
        return (f"{match[1]:0>6}/{match[2]}{match[3]}",), Verdict.VALID
    return _whatever(raw)


def noms(text: str) -> Cleaned:
    """A prison number as "A1234BC"."""
    return _shaped(text, _NOMS)


def nino(text: str) -> Cleaned:
    """A National Insurance number as "AB123456", its suffix (a date of payment) left out."""
    values, verdict = _shaped(text, _NINO)
    return tuple(value[:8] for value in values), verdict


def other(text: str) -> Cleaned:
    """Any other identifier as capitals and digits."""
    raw, missing = _start(text)
    return missing or _whatever(raw)


def phone(text: str) -> Cleaned:
    """A telephone number as E.164 ("+447911123456"), read as British where it names no country."""
    raw, missing = _start(text)
    if missing:
        return missing
    digits = "".join(filter(str.isdigit, raw))
    if _REPEATED.search(digits) or digits.lstrip("0") in _STAND_INS:
        return PLACEHOLDER
    # The plain form of what phonenumbers says of mobiles and landlines, for speed; a test holds the two together.
    plain = raw.translate(_PUNCTUATION)
    match = _MOBILE.fullmatch(plain) or _LANDLINE.fullmatch(plain)
    return ((f"+44{match[1]}",), Verdict.VALID) if match else _parsed_phone(raw)


@cache
def _phonenumbers() -> object:
    import phonenumbers

    return phonenumbers


def _parsed_phone(raw: str) -> Cleaned:
    library = _phonenumbers()
    try:
        number = library.parse(raw, "GB")  # type: ignore[attr-defined]
    except library.NumberParseException:  # type: ignore[attr-defined]
        return INVALID
    if not library.is_possible_number(number):  # type: ignore[attr-defined]
        return INVALID
    return (library.format_number(number, library.PhoneNumberFormat.E164),), Verdict.VALID  # type: ignore[attr-defined]


def sex(text: str) -> Cleaned:
    """The letter M or F, from words or the NHS codes 1 and 2; recorded otherwise, it is not compared."""
    raw = to_ascii(text)
    code = bare(raw)
    if not code:
        return MISSING
    if code in _MALE:
        return ("M",), Verdict.VALID
    if code in _FEMALE:
        return ("F",), Verdict.VALID
    return PLACEHOLDER if code in _NEITHER or is_placeholder(raw) or code.startswith("NOT") else INVALID


def _start(text: str) -> tuple[str, Cleaned | None]:
    raw = to_ascii(text)
    code = bare(raw)
    if not raw:
        return raw, MISSING
    plain = code.isdigit()
    if (not plain and is_placeholder(raw)) or code in _STAND_INS or code == code[0] * len(code):
        return raw, PLACEHOLDER
    if plain:
        return raw, None
    if code.startswith(("DUPLICATE", "MIGERROR")):
        return raw, PLACEHOLDER
    # Excel wrote a long number as 7.7E+09: its last digits are gone.
    return raw, INVALID if _SCIENTIFIC.fullmatch(raw) else None


def _shaped(text: str, shape: re.Pattern[str]) -> Cleaned:
    raw, missing = _start(text)
    if missing:
        return missing
    code = bare(raw)
    return ((code,), Verdict.VALID) if shape.fullmatch(code) else _whatever(raw)


def _whatever(raw: str) -> Cleaned:
    code = bare(raw)
    return ((code,), Verdict.VALID) if any(character.isdigit() for character in code) else INVALID
