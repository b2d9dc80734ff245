"""Postcodes and addresses (R9, R12).

Rule: a letter for a digit is only put right where the position decides, and what is no British postcode stays whole.
"""

from __future__ import annotations

import re

from linkage.intake.cell import INVALID, MISSING, PLACEHOLDER, Cleaned, Verdict, bare, is_placeholder, to_ascii

AREAS = frozenset(
    # Royal Mail's postcode areas.
    """AB AL B BA BB BD BH BL BN BR BS BT CA CB CF CH CM CO CR CT CV CW DA DD DE DG DH DL DN DT DY E EC EH EN EX FK FY G
    GL GU GY HA HD HG HP HR HS HU HX IG IM IP IV JE KA KT KW KY L LA LD LE LL LN LS LU M ME MK ML N NE NG NN NP NR NW OL
    OX PA PE PH PL PO PR RG RH RM S SA SE SG SK SL SM SN SO SP SR SS ST SW SY TA TD TF TN TQ TR TS TW UB W WA WC WD WF
    WN WR WS WV YO ZE""".split()  # noqa: SIM905
)
_SHAPES = ("A9", "A99", "AA9", "AA99", "A9A", "AA9A")
_UNIT = re.compile(r"([A-Z]{1,2}\d[A-HJ-NP-Z\d]?)(\d[A-Z]{2})")
_INSIDE = re.compile(r"\b([A-Z]{1,2}\d[A-Z\d]?) ?(\d[A-Z]{2})\b")
_SECTOR = re.compile(r"([A-Z]{1,2}\d[A-Z\d]?)\s+\d")
_NOWHERE = re.compile(r"ZZ99.*|NF11(NF|FA)|XX\d.*|AA11AA|A11AA|ZZ\d.*|0+|9+|NF1")
_TO_DIGIT = str.maketrans("OIL", "011")
_TO_LETTER = str.maketrans("01", "OI")


def postcode(text: str) -> Cleaned:
    """A British postcode as "AB1 2CD", its outward half as "AB1" (partial), another country's code as capitals.

    O and 0, I and 1 are put right where only one reading is a postcode of a real area. Letters alone are invalid.
    """
    raw = to_ascii(text)
    code = bare(raw)
    if not raw:
        return MISSING
    match = _UNIT.fullmatch(code)
    if (not match and is_placeholder(raw)) or _NOWHERE.fullmatch(code):
        return PLACEHOLDER
    match = match or (_INSIDE.search(raw) if len(code) > 7 else None)
    unit = f"{match[1]} {match[2]}" if match else _mend(code)
    if unit:
        return (unit,), Verdict.VALID
    if match := _SECTOR.fullmatch(raw):
        code = match[1]
    if (outward := _outward(code)) and not code.isdigit():
        return (outward,), Verdict.PARTIAL
    foreign = any(character.isdigit() for character in code) and len(code) <= 10
    return ((code,), Verdict.VALID) if foreign else INVALID


def address(text: str) -> Cleaned:
    """An address as capitals and numbers, common words shortened, a postcode at its end cut off."""
    raw = to_ascii(text)
    if not raw:
        return MISSING
    if not raw[0].isdigit() and is_placeholder(raw):
        return PLACEHOLDER
    words = _SPLIT.sub(" ", _INSIDE.sub(" ", raw).replace("'", "")).split()
    value = " ".join(map(SHORT.get, words, words))
    if not value:
        return ((raw,), Verdict.VALID) if _INSIDE.search(raw) else INVALID
    return (value,), Verdict.VALID


def _mend(code: str) -> str:
    if not 5 <= len(code) <= 7:
        return ""
    inward = code[-3:-2].translate(_TO_DIGIT) + code[-2:].translate(_TO_LETTER)
    outward = _outward(code[:-3])
    return f"{outward} {inward}" if outward and inward[0].isdigit() and inward[1:].isalpha() else ""


def _outward(code: str) -> str:
    """The outward half of a real area that a code reads as with the fewest confusions mended, or ""."""
    found = []
    for shape in _SHAPES:
        if len(shape) != len(code):
            continue
        read = "".join(
            character.translate(_TO_LETTER if wanted == "A" else _TO_DIGIT)
            for wanted, character in zip(shape, code, strict=True)
        )
        fits = all(character.isalpha() == (wanted == "A") for wanted, character in zip(shape, read, strict=True))
        # A letter after the digit is never O or I: there they are zeros and ones.
        if fits and not (shape.endswith("9A") and read[-1] in "OI") and read[: 1 + shape.startswith("AA")] in AREAS:
            found.append((sum(a != b for a, b in zip(code, read, strict=True)), read))
    return min(found)[1] if found else ""


_SPLIT = re.compile(r"[^A-Z0-9]+|(?<=[A-Z]{4})(?=\d)")  # "FLAT2" is "FLAT 2", "12A" is one word
SHORT = {
    long: short
    for short, longs in {
        "ST": "STREET STR SAINT",
        "RD": "ROAD",
        "AVE": "AVENUE AV AVEN",
        "LN": "LANE LA",
        "CL": "CLOSE CLO",
        "DR": "DRIVE DRV",
        "CT": "COURT CRT",
        "CRES": "CRESCENT CRESENT CRS CR",
        "GDNS": "GARDENS GARDEN GDN GNS",
        "GR": "GROVE GRV GRO",
        "PL": "PLACE",
        "SQ": "SQUARE",
        "TER": "TERRACE TERR TCE",
        "WY": "WAY",
        "PK": "PARK",
        "HSE": "HOUSE HO",
        "BLDG": "BUILDING BUILDINGS BLDGS BLD",
        "FLAT": "FLT APARTMENT APT APPARTMENT UNIT FL",
        "RM": "ROOM",
        "MT": "MOUNT",
        "HTS": "HEIGHTS",
        "N": "NORTH NTH",
        "S": "SOUTH STH",
        "E": "EAST",
        "W": "WEST",
        "GT": "GREAT",
        "LT": "LITTLE LTL",
        "UPR": "UPPER UPP",
        "LWR": "LOWER",
    }.items()
    for long in longs.split()
}
"""Words of an address and their short forms, none longer than four letters."""
