"""Names as people have them become capitals that can be compared (R9, R10).

Rule: a name is never guessed away: what is no placeholder and holds a letter stays.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from linkage.intake.cell import INVALID, MISSING, PLACEHOLDER, Cleaned, Verdict, bare, is_placeholder, to_ascii

TITLES = frozenset(
    (
        *("MR", "MRS", "MS", "MISS", "MX", "MSTR", "MASTER", "DR", "DOCTOR", "PROF", "PROFESSOR"),
        *("REV", "REVD", "REVEREND", "SIR", "DAME", "LORD", "LADY", "CAPT", "SGT"),
    )
)
SUFFIXES = frozenset(
    ("JR", "JNR", "JUNIOR", "SR", "SNR", "SENIOR", "II", "III", "ESQ", "PHD", "MBE", "OBE", "CBE", "BSC")
)
PARTICLES = frozenset(
    (
        *("VAN", "VON", "DE", "DER", "DEN", "DEL", "DELLA", "DI", "DA", "DOS", "DU", "LA", "LE", "TER", "TEN"),
        *("EL", "AL", "BIN", "BEN", "IBN", "BINT", "ABU", "ST", "MC", "MAC", "O"),
    )
)
"""Words that open a surname, seen in a full name without comma."""

_NOT_A_NAME = re.compile(
    r"MIG[_ ]ERROR|DUPLICATE([_ ]|$)|NO[_ ]SHOW|BABY (OF|GIRL|BOY)\b|B/O |TWIN (\d|ONE|TWO|[AB]\b)|DO NOT USE"
    r"|UNKNOWN\b|NOT (KNOWN|GIVEN|ENTERED|STATED|RECORDED)\b"
    r"|(FATHER|DAD|PARTNER|MOTHER|SON|DAUGHTER|HUSBAND|BOYFRIEND)( OF\b|$)"
)
_FURTHER = re.compile(r"[;/|(\[\")\]]|\b(?:AKA|A\.K\.A\.?|ALIAS|NEE|FORMERLY|ALSO KNOWN AS|KNOWN AS|OR)\b")
_JOINING = frozenset(("AKA", "ALIAS", "NEE", "FORMERLY", "OR"))  # the single words of _FURTHER
WORDS_APART = frozenset(
    {
        *(_JOINING | TITLES | SUFFIXES),
        *("UNKNOWN", "DUPLICATE", "FATHER", "DAD", "PARTNER", "MOTHER", "SON", "DAUGHTER", "HUSBAND", "BOYFRIEND"),
        *("MIG", "NO", "BABY", "TWIN", "DO", "NOT", "KNOWN", "ALSO", "MC", "MAC", "O", "D", "FITZ"),
        *("ABDUL", "ABDOUL", "ABD", "ABDEL", "ABDAL", "ABDUR"),
    }
)
"""Words without which none of the patterns here changes a name of letters, single spaces, hyphens and O' (plain.py)."""
_APOSTROPHE = re.compile(r"(?<=\w)['`]\s?(?=\w)")
_JOINED = re.compile(r"\b((?:(?:MC|MAC|O|D|FITZ) )+)(?=[A-Z]{3})")
_FATHER_OF = re.compile(r"\b(ABDUL|ABDOUL|ABD AL|ABD UL|ABD EL|ABDEL|ABDAL|ABDUR) (?=[A-Z]{3})")
_OTHER = re.compile(r"[^A-Z \-]+")
# A given name of two Chinese syllables is one name, however it is spaced (Mandarin, Cantonese, Wade-Giles).
_SYLLABLE = (
    r"(?:ZH|CH|SH|TS|HS|KW|NG|[BPMFDTNLGKHJQXRZCSYW])?"
    r"(?:IANG|IONG|UANG|ANG|ENG|ING|ONG|UNG|UEN|IAO|IAN|UAN|UAI|AI|EI|AO|OU|AN|EN|IN|UN|IA|IE|IU|UA|UO|UI|UE|AU|OI|A|E|I|O|U)"
)
_CHINESE = re.compile(rf"{_SYLLABLE} {_SYLLABLE}")


def forename(text: str, most: int = 1) -> Cleaned:
    """Forenames of a cell, first listed first: middle names and names in brackets are further values.

    most: how many values travel. Hyphenated names, and Chinese names of two syllables, are one value with a space.
    """
    return _cleaned(text, lambda words: _given(words, most))


def surname(text: str) -> Cleaned:
    """Surnames of a cell: parts stay together ("VAN DER BERG", "SMITH JONES"), Mc, Mac and O' are joined on."""
    return _cleaned(text, lambda words: [_JOINED.sub(lambda match: match[1].replace(" ", ""), words.replace("-", " "))])


def full_name(text: str, order: str = "auto") -> tuple[str, str]:
    """Forenames and surname of "SMITH, John", "John SMITH" or "John van Dyk", as written; either may be "".

    order: "auto", "forename_first" or "surname_first" (for names without comma, such as Chinese ones).
    A single word is a surname unless it is a known forename.
    """
    head, comma, tail = text.partition(",")
    if comma and to_ascii(tail) not in SUFFIXES:
        return tail.strip(), head.strip()
    words = [word for word in head.split() if bare(to_ascii(word)) not in TITLES | {""}]
    while len(words) > 1 and bare(to_ascii(words[-1])) in SUFFIXES:
        words.pop()
    if len(words) < 2:
        known = bool(words) and _is_forename(words[0])
        return (words[0], "") if known else ("", " ".join(words))
    if order == "surname_first":
        return " ".join(words[1:]), words[0]
    loud = [word for word in words if len(word) > 1 and word.isupper()]
    if order == "auto" and loud and len(loud) < len(words) and words[0] == loud[0]:
        return " ".join(word for word in words if word not in loud), " ".join(loud)
    split = len(words) - 1
    while split > 1 and bare(to_ascii(words[split - 1])) in PARTICLES:
        split -= 1
    return " ".join(words[:split]), " ".join(words[split:])


def _is_forename(word: str) -> bool:
    from linkage.roots import is_forename

    return is_forename(bare(to_ascii(word)))


def _cleaned(text: str, values_of: Callable[[str], list[str]]) -> Cleaned:
    raw = to_ascii(text)
    if not raw:
        return MISSING
    if _NOT_A_NAME.match(raw) or is_placeholder(raw):
        return PLACEHOLDER
    if raw.isalpha() and raw not in _JOINING:  # one plain word, as most names are: all below would leave it as it is
        return (raw,), Verdict.VALID
    found: list[str] = []
    missing = INVALID
    for part in _FURTHER.split(raw):
        words = _words(part)
        if is_placeholder(words):
            missing = PLACEHOLDER if words else missing
            continue
        found += values_of(words)
    values = tuple(dict.fromkeys(value for value in found if value))
    return (values, Verdict.VALID) if values else missing


def _words(raw: str) -> str:
    """Letters, single spaces and inner hyphens; titles and suffixes stripped where a name remains."""
    text = _OTHER.sub(" ", _APOSTROPHE.sub("", raw))
    words = [word for word in re.sub(r"\s*-[\s\-]*", "-", text).strip(" -").split() if word.strip("-")]
    while len(words) > 1 and words[0] in TITLES:
        words = words[1:]
    while len(words) > 1 and words[-1] in SUFFIXES:
        words = words[:-1]
    return " ".join(words)


def _given(words: str, most: int) -> list[str]:
    words = _FATHER_OF.sub(lambda match: match[1].replace(" ", ""), words)
    if _CHINESE.fullmatch(words):
        return [words]
    values = [word.replace("-", " ") for word in words.split()]
    return values[:most]
