"""Cleaning of plain numbers, compiled: identifiers and telephone numbers as most are written; see plain.py.

Each loop is given one text, data[begin:end], and writes its value at a place of out; it returns the verdict, or UNSURE,
and the length of the value. identifiers.py has the word on whatever a loop is unsure of.
"""

from __future__ import annotations

from linkage.intake.cell import Verdict
from linkage.intake.kernels import Bytes, kernel

UNSURE, INVALID, VALID = -1, int(Verdict.INVALID), int(Verdict.VALID)
_SPACE, _PLUS, _HYPHEN, _ZERO, _NINE = 32, 43, 45, 48, 57
_PUNCTUATION = (32, 40, 41, 45, 46)  # space, brackets, hyphen, dot
_STAND_INS = (7123456789, 1234567890, 123456789, 9876543210, 12345678, 1234567)  # identifiers._STAND_INS as numbers


@kernel
def upper(character: int) -> int:
    """The capital of a small letter, anything else as it is."""
    return character - 32 if 97 <= character <= 122 else character


@kernel
def is_digit(character: int) -> bool:
    """Whether a byte is a digit."""
    return _ZERO <= character <= _NINE


@kernel
def is_letter(capital: int) -> bool:
    """Whether a byte is a capital."""
    return 65 <= capital <= 90


@kernel
def number(data: Bytes, begin: int, end: int) -> int:
    """The number that digits say; -1 for what is none."""
    value = 0
    for place in range(begin, end):
        if not is_digit(data[place]):
            return -1
        value = value * 10 + data[place] - _ZERO
    return value


@kernel
def is_stand_in(value: int) -> bool:
    """Whether a number, leading zeros apart, is one that people make up."""
    return value in _STAND_INS


@kernel
def nhs(data: Bytes, begin: int, end: int, out: Bytes, at: int) -> tuple[int, int]:
    """Ten digits, spaces or hyphens between them; the check sum is that of stdnum.gb.nhs."""
    length, total, value, alike = 0, 0, 0, True
    for place in range(begin, end):
        character = data[place]
        if character in (_SPACE, _HYPHEN):
            continue
        if not is_digit(character) or length == 10:
            return UNSURE, 0
        out[at + length] = character
        alike &= character == out[at]
        total += (10 - length) * (character - _ZERO)
        value = value * 10 + character - _ZERO
        length += 1
    if length != 10 or alike or is_stand_in(value):
        return UNSURE, 0
    return (VALID, 10) if total % 11 == 0 else (INVALID, 0)


@kernel
def shaped(data: Bytes, begin: int, end: int, out: Bytes, at: int, shape: Bytes) -> tuple[int, int]:
    """A number of one shape, already as it is kept. shape: "A" a letter, "9" a digit, all else itself."""
    if end - begin != len(shape):
        return UNSURE, 0
    for nth in range(len(shape)):
        character = data[begin + nth]
        if not (
            is_letter(character) if shape[nth] == 65
            else is_digit(character) if shape[nth] == _NINE
            else character == shape[nth]
        ):  # fmt: skip
            return UNSURE, 0
        out[at + nth] = character
    return VALID, end - begin


@kernel
def other(data: Bytes, begin: int, end: int, out: Bytes, at: int) -> tuple[int, int]:
    """Capitals and digits, with a digit, and in no form that a spreadsheet or a stand-in has."""
    digits, alike, value = 0, True, 0
    for place in range(begin, end):
        capital = upper(data[place])
        digit = is_digit(capital)
        # "1E5" may be a spreadsheet's number.
        if not (digit or is_letter(capital)) or (capital == 69 and place > begin):
            return UNSURE, 0
        if digit:
            digits += 1
            value = value * 10 + capital - _ZERO
        out[at + place - begin] = capital
        alike &= capital == out[at]
    first = out[at]
    if digits == 0 or digits > 18 or alike or is_stand_in(value) or first in (68, 77):
        return UNSURE, 0  # D and M: DUPLICATE, MIGERROR
    return VALID, end - begin


@kernel
def phone(data: Bytes, begin: int, end: int, out: Bytes, at: int) -> tuple[int, int]:
    """A British mobile or landline as most are written: identifiers._MOBILE and _LANDLINE."""
    count, value, run, plus = 0, 0, 0, False
    for place in range(begin, end):
        character = data[place]
        if character in _PUNCTUATION:
            continue
        if character == _PLUS and place == begin:
            plus = True
            continue
        if not is_digit(character) or count == 13:
            return UNSURE, 0
        out[at + count] = character
        run = run + 1 if count > 0 and character == out[at + count - 1] else 1
        if run == 7:
            return UNSURE, 0
        value = value * 10 + character - _ZERO
        count += 1
    rest = count - 10  # digits before the ten that count
    if rest < 0 or is_stand_in(value):
        return UNSURE, 0
    first, second = out[at + rest], out[at + rest + 1]
    mobile = first == 55 and second not in (48, 54)
    if not mobile and first not in (49, 50):
        return UNSURE, 0
    before = number(out, at, at + rest)
    international = plus and ((rest == 2 and before == 44) or (rest == 3 and before == 440))
    national = not plus and rest == 1 and before == 0
    bare = not plus and rest == 0  # a spreadsheet took the zero
    if not (international or national or bare):
        return UNSURE, 0
    for nth in range(9, -1, -1):
        out[at + 3 + nth] = out[at + rest + nth]
    out[at], out[at + 1], out[at + 2] = _PLUS, _ZERO + 4, _ZERO + 4
    return VALID, 13
