"""Cleaning of plain values, compiled: what most cells of a field look like, and nothing that asks for thought.

Texts come in, cleaned values go out, with UNSURE for whatever is not beyond doubt; the cleaners of names.py, dates.py,
places.py and identifiers.py have the word on those. Rule: where a loop is sure, its cleaner says the same; a property
test holds each to its cleaner.
"""

# ruff: noqa: C901, PLR0911, PLR0912 (a kernel is one nest of loops)

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from linkage.intake.cleaning import LETTERS, What
from linkage.intake.kernels import Bytes, Ints, kernel
from linkage.intake.plain_numbers import UNSURE, VALID, is_digit, is_letter, nhs, number, other, phone, shaped, upper

_RADIX = np.uint64(37)  # of cleaning.keys_of
NO_DATE, YEAR_FIRST, YEAR_LAST = 0, 1, 2
_SPACE, _QUOTE, _HYPHEN, _DOT, _SLASH, _ZERO, _UNDERSCORE = 32, 39, 45, 46, 47, 48, 95


@kernel
def _found(key: int, keys: NDArray[np.uint64]) -> int:
    """Place of a key among sorted ones, -1 where it is none of them."""
    place = int(np.searchsorted(keys, np.uint64(key)))
    return place if place < len(keys) and keys[place] == np.uint64(key) else -1


@kernel
def name(
    data: Bytes, begin: int, end: int, out: Bytes, at: int, words: NDArray[np.uint64], most: int, starts: Ints,
    lengths: Ints,
) -> tuple[int, int]:  # fmt: skip
    """Words of letters with single spaces, hyphens or O' between them; the verdict, and the number of values.

    words: sorted keys of those that are no names, or not by themselves. most: how many words are values of a forename;
    0 for a surname, which is one value. starts, lengths: of the values in out.
    """
    whole, word, tail, letters, first, alike = np.uint64(0), np.uint64(0), np.uint64(0), 0, upper(data[begin]), True
    start, length, values, spaces, syllables, joined = at, 0, 0, 0, True, False
    for place in range(begin, end + 1):
        capital = upper(data[place]) if place < end else _SPACE
        if is_letter(capital):
            figure = np.uint64(capital - 54)
            whole, word, tail = (whole * _RADIX + figure, word * _RADIX + figure, tail * _RADIX + figure)
            alike &= capital == first
            out[start + length] = capital
            length, letters = length + 1, letters + 1
        elif capital == _QUOTE:
            # Only behind a word's first letter, as in O'BRIEN; what follows is a word to the patterns of names.py.
            if letters != 1 or joined or place + 1 == end or not is_letter(upper(data[place + 1])):
                return UNSURE, 0
            tail, joined = np.uint64(0), True
        elif capital in (_SPACE, _HYPHEN) and letters > 0:
            if _found(word, words) >= 0 or _found(tail, words) >= 0:
                return UNSURE, 0
            syllables &= letters <= 6 and out[start + length - 1] in (65, 69, 71, 73, 78, 79, 85)
            if place < end and (capital == _HYPHEN or most == 0):
                out[start + length] = _SPACE
                length += 1
            elif values < max(most, 1):
                for nth in range(values):
                    if lengths[nth] == length and _same(out, starts[nth], start, length):
                        return UNSURE, 0
                starts[values], lengths[values] = start, length
                start, length, values = start + length, 0, values + 1
            else:
                length = 0
            spaces += place < end and capital == _SPACE
            word, tail, letters, joined = np.uint64(0), np.uint64(0), 0, False
        else:
            return UNSURE, 0
    # Two words that may be syllables may be one Chinese name.
    if (alike and first in (88, 90)) or _found(whole, words) >= 0 or (most > 0 and spaces == 1 and syllables):
        return UNSURE, 0
    return VALID, values


@kernel
def _same(out: Bytes, one: int, two: int, length: int) -> bool:
    for nth in range(length):  # noqa: SIM110 - compiled
        if out[one + nth] != out[two + nth]:
            return False
    return True


@kernel
def date(data: Bytes, begin: int, end: int, out: Bytes, at: int, settings: Ints) -> tuple[int, int]:
    """A date as yyyy-mm-dd, or as dd/mm/yyyy where that order is settled.

    settings: (3,) 1 where day comes before month, 2 where month does, 0 where neither may; the earliest year; today as
    the number yyyymmdd.
    """
    form, year, month, day = date_parts(data, begin, end)
    if form == NO_DATE or (form == YEAR_LAST and settings[0] == 0):
        return UNSURE, 0
    if form == YEAR_LAST and settings[0] == 1:
        month, day = day, month
    # The first of January means a year, and before 1902 are most stand-ins.
    if year < max(settings[1], 1902) or month < 1 or month > 12 or day < 1 or (month == 1 and day == 1):
        return UNSURE, 0
    longest = 30 + (month + month // 8) % 2
    if month == 2:
        longest = 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    if day > longest or (year * 100 + month) * 100 + day > settings[2]:
        return UNSURE, 0
    out[at], out[at + 1] = _ZERO + year // 1000, _ZERO + year // 100 % 10
    out[at + 2], out[at + 3] = _ZERO + year // 10 % 10, _ZERO + year % 10
    out[at + 4] = out[at + 7] = _HYPHEN
    out[at + 5], out[at + 6] = _ZERO + month // 10, _ZERO + month % 10
    out[at + 8], out[at + 9] = _ZERO + day // 10, _ZERO + day % 10
    return VALID, 10


@kernel
def date_parts(data: Bytes, begin: int, end: int) -> tuple[int, int, int, int]:
    """Form, year and the other two numbers in the order written, of yyyy-mm-dd or dd-mm-yyyy; "-" may be "/" or "."."""
    if end - begin != 10:
        return NO_DATE, 0, 0, 0
    first = not is_digit(data[begin + 4])
    one, two = (begin + 4, begin + 7) if first else (begin + 2, begin + 5)
    if data[one] != data[two] or data[one] not in (_HYPHEN, _SLASH, _DOT):
        return NO_DATE, 0, 0, 0
    a, b, c = number(data, begin, one), number(data, one + 1, two), number(data, two + 1, end)
    if a < 0 or b < 0 or c < 0:
        return NO_DATE, 0, 0, 0
    return (YEAR_FIRST, a, b, c) if first else (YEAR_LAST, c, a, b)


@kernel
def look_at_dates(data: Bytes, ends: Ints, latest: int, plain: NDArray[np.bool_]) -> tuple[int, int, int]:
    """What plain dates say about their order: how many have day, have month, or could have either first.

    latest: a plain date is of this year or later. plain: (n,) which are plain; dates.py has the word on the rest.
    """
    days, months, both = 0, 0, 0
    for i in range(len(plain)):
        form, year, a, b = date_parts(data, ends[i], ends[i + 1])
        plain[i] = form != NO_DATE and year >= latest
        if plain[i] and form == YEAR_LAST:
            if 12 < a <= 31 and 1 <= b <= 12:
                days += 1
            elif 12 < b <= 31 and 1 <= a <= 12:
                months += 1
            elif a != b and 1 <= a <= 12 and 1 <= b <= 12:
                both += 1
    return days, months, both


@kernel
def postcode(data: Bytes, begin: int, end: int, out: Bytes, at: int) -> tuple[int, int]:
    """A whole British postcode, with one space or none."""
    length = 0
    for place in range(begin, end):
        capital = upper(data[place])
        if capital == _SPACE and place == end - 4:
            continue
        if not (is_digit(capital) or is_letter(capital)) or length == 7:
            return UNSURE, 0
        out[at + length] = capital
        length += 1
    if length < 5:
        return UNSURE, 0
    inward = at + length - 3
    if not (is_digit(out[inward]) and is_letter(out[inward + 1]) and is_letter(out[inward + 2])):
        return UNSURE, 0
    first, second, letters = out[at], out[at + 1], 1
    # ZZ, XX and NF stand for nowhere, as do some that begin with AA or A1.
    if not is_letter(first) or (first == second and first in (65, 88, 90)):
        return UNSURE, 0
    if (first == 78 and second == 70) or (first == 65 and second == 49):
        return UNSURE, 0
    if is_letter(second):
        letters = 2
    left = length - 3 - letters
    if left < 1 or left > 2 or not is_digit(out[at + letters]):
        return UNSURE, 0
    last = out[at + letters + 1]
    if left == 2 and not (is_digit(last) or last not in (73, 79)):
        return UNSURE, 0
    for place in range(3):
        out[inward + 3 - place] = out[inward + 2 - place]
    out[inward] = _SPACE
    return VALID, length + 1


@kernel
def address(
    data: Bytes, begin: int, end: int, out: Bytes, at: int, longs: NDArray[np.uint64], shorts: NDArray[np.uint8]
) -> tuple[int, int]:
    """An address with a number in it and no postcode. longs: sorted keys of words with a short form; shorts: (k, 8)."""
    length, word, letters, key, numbered = 0, 0, 0, np.uint64(0), False
    capital = upper(data[begin])
    if not (is_digit(capital) or is_letter(capital)):
        return UNSURE, 0
    for place in range(begin, end + 1):
        capital = upper(data[place]) if place < end else _SPACE
        digit, letter = is_digit(capital), is_letter(capital)
        if capital >= 128 or capital in (_QUOTE, _UNDERSCORE):
            return UNSURE, 0
        numbered |= digit
        if word > 0 and (not (digit or letter) or (digit and letters >= 4)):
            start = at + length - word
            if word >= 3 and not (digit or letter) and _is_inward(out, start + word - 3):
                return UNSURE, 0  # the end of a postcode
            place_of = _found(key, longs) if word <= LETTERS else -1
            if place_of >= 0:
                length -= word
                for nth in range(shorts.shape[1]):
                    if shorts[place_of, nth] == 0:
                        break
                    out[at + length] = shorts[place_of, nth]
                    length += 1
            word, key = 0, np.uint64(0)
        letters = letters + 1 if letter else 0
        if digit or letter:
            if word == 0 and length > 0:
                out[at + length] = _SPACE
                length += 1
            out[at + length] = capital
            length, word = length + 1, word + 1
            key = key * _RADIX + np.uint64(capital - (_ZERO - 1 if digit else 54))
    return (VALID, length) if numbered else (UNSURE, 0)


@kernel
def _is_inward(out: Bytes, at: int) -> bool:
    return bool(is_digit(out[at]) and is_letter(out[at + 1]) and is_letter(out[at + 2]))


@kernel
def clean(
    what: int, data: Bytes, ends: Ints, settings: Ints, words: NDArray[np.uint64], shorts: NDArray[np.uint8],
    out: Bytes, starts: Ints, lengths: Ints, counts: Ints, verdicts: NDArray[np.int8],
) -> tuple[int, int]:  # fmt: skip
    """Clean texts of one kind, as in Texts; returns the number of values and the bytes of out that are used.

    what: of cleaning.What. settings, words, shorts: as its function above has them, the shape of a number in shorts.
    out: room for twice the texts and 16 bytes each. starts, lengths: of the values in out, text after text; room for
    as many a text as it can have. counts, verdicts: (n,) values of each text, and its verdict or UNSURE.
    """
    at, values = 0, 0
    for i in range(len(verdicts)):
        begin, end, length = ends[i], ends[i + 1], 0
        if begin == end:
            verdict = 0
        elif what == What.NAME:
            verdict, counts[i] = name(data, begin, end, out, at, words, settings[0], starts[values:], lengths[values:])
            values += counts[i]
            at = starts[values - 1] + lengths[values - 1] if counts[i] > 0 else at
        elif what == What.DATE:
            verdict, length = date(data, begin, end, out, at, settings)
        elif what == What.POSTCODE:
            verdict, length = postcode(data, begin, end, out, at)
        elif what == What.ADDRESS:
            verdict, length = address(data, begin, end, out, at, words, shorts)
        elif what == What.PHONE:
            verdict, length = phone(data, begin, end, out, at)
        elif what == What.NHS:
            verdict, length = nhs(data, begin, end, out, at)
        elif what == What.SHAPED:
            verdict, length = shaped(data, begin, end, out, at, shorts[0])
        else:
            verdict, length = other(data, begin, end, out, at)
        verdicts[i] = verdict
        if length > 0:
            starts[values], lengths[values], counts[i] = at, length, 1
            at, values = at + length, values + 1
    return values, at
