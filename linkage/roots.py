"""Other forms of a name: the roots and the sound that two services' spellings may share (R10).

Knows nothing of files or fields: a standardised name comes in, roots and codes go out, the same for every agency.
Rule: two forms of one name share a root; a root is a hint that evidence weighs, never proof.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from functools import cache, lru_cache

from linkage.resources import CONFIGS

MAX_ROOTS = 3
"""Roots of one name, the likeliest first: evidence has this many places for them."""

_FATHERS = ("ABDUL", "ABDEL", "ABDIL", "ABDUR", "ABDAL", "ABDOUL", "ABDI")
_SMALL = frozenset(
    ("VAN", "VON", "DE", "DER", "DEN", "DEL", "DA", "DI", "DOS", "LA", "LE", "EL", "AL", "BIN", "BEN", "IBN")
)
_NO_MACS = ("MACIE", "MACHA", "MACHI", "MACIA", "MACED", "MACKIE", "MACHE", "MACCH")
_MIN_COMMON = 2  # letters a nickname of the package's table must share with a root for which it has better ones


@lru_cache(maxsize=1 << 18)
def name_roots(value: str) -> tuple[str, ...]:
    """Roots of a standardised name, likeliest first, at most MAX_ROOTS; () for nothing.

    One word: the families it belongs to, else itself, the Mac's sons as "MC...", Polish "-SKA" as "-SKI".
    Several words ("SMITH JONES", "JEAN PAUL"): the first root of each part, then the whole as one word.
    """
    words = [word for word in value.split() if word]
    parts = [word for word in words if word not in _SMALL and len(word) > 1] or words
    if not parts:
        return ()
    if len(parts) == 1:
        roots = _word_roots(parts[0])
    else:
        joined = "".join(parts)
        firsts = [_word_roots(part)[0] for part in parts[: MAX_ROOTS - 1]]
        roots = (*firsts, *(_word_roots(joined)[:1]))
    return tuple(dict.fromkeys(roots))[:MAX_ROOTS]


@lru_cache(maxsize=1 << 18)
def phonetic(value: str) -> tuple[str, ...]:
    """Codes of a name's sound: Metaphone ("m...") and NYSIIS ("n..."), words run together; () where nothing sounds.

    Source: Philips 1990, "Hanging on the Metaphone"; Taft 1970, "Name search techniques" (NYSIIS).
    """
    import jellyfish

    word = "".join(character for character in value if "A" <= character <= "Z")
    if not word:
        return ()
    word = _without_mac(word)
    codes = ("m" + jellyfish.metaphone(word), "n" + jellyfish.nysiis(word))
    return tuple(code for code in codes if len(code) > 1)


def forget() -> None:
    """Let go of all names that were asked for: nobody's name is held longer than it is needed."""
    name_roots.cache_clear()
    phonetic.cache_clear()


def is_forename(word: str) -> bool:
    """Whether the tables know a word as a given name."""
    package, nicknames = _english()
    families = _families()
    return word in package or word in nicknames or word in families.given


def digest() -> str:
    """Digest of the tables behind the roots: agencies whose digests differ would miss each other's nicknames."""
    package, _ = _english()
    families = _families().roots
    plain = {name: list(roots) for table in (package, families) for name, roots in sorted(table.items())}
    return hashlib.sha256(json.dumps([MAX_ROOTS, plain], sort_keys=True).encode()).hexdigest()


class _Families:
    """Our own table: roots of every form, and the forms that are given names."""

    def __init__(self) -> None:
        tables = tomllib.loads((CONFIGS / "nicknames.toml").read_text("utf-8"))
        roots: dict[str, list[str]] = {}
        given: set[str] = set()
        for group, families in tables.items():
            if group == "version":
                continue
            for head, forms in families.items():
                for form in (head, *forms.split()):
                    roots.setdefault(form, []).append(head)
                if group != "chinese":
                    given.update((head, *forms.split()))
        # A head that is a form of another family ("EOIN" of "JOHN") still is its own root first.
        self.roots = {form: tuple(dict.fromkeys(sorted(heads, key=form.__ne__))) for form, heads in roots.items()}
        self.given = frozenset(given)


@cache
def _families() -> _Families:
    return _Families()


@cache
def _english() -> tuple[dict[str, tuple[str, ...]], frozenset[str]]:
    """The package's table: canonical names of every nickname, best first; and all names with nicknames."""
    from nicknames import NickNamer

    lookup = {name.upper(): nicks for name, nicks in NickNamer.default_lookup().items()}
    inverted: dict[str, list[str]] = {}
    for name, nicks in lookup.items():
        for nick in nicks:
            inverted.setdefault(nick.upper(), []).append(name)
    # "Bill" is listed under William, Robert and Willis: the name with more nicknames is the commoner one.
    ranked = {
        nick: tuple(sorted(names, key=lambda name, nick=nick: (-_common(nick, name), -len(lookup[name]), name))[:2])  # type: ignore[misc]
        for nick, names in inverted.items()
    }
    return ranked, frozenset(lookup)


def _common(left: str, right: str) -> int:
    """Letters two names begin with in common, as far as it matters."""
    return min(
        _MIN_COMMON, next((place for place, pair in enumerate(zip(left, right, strict=False)) if pair[0] != pair[1]), 9)
    )


def _word_roots(word: str) -> tuple[str, ...]:
    families = _families().roots
    canonical, heads = _english()
    if word in families:
        own = families[word]
        names = () if word in own else canonical.get(word, ())
        return (*own, *(families.get(name, (name,))[0] for name in names))
    if word in canonical and not (word in heads and len(word) > 6):
        found = [root for name in canonical[word] for root in families.get(name, (name,))[:1]]
        return (*((word,) if word in heads else ()), *found)
    for father in _FATHERS:
        rest = word.removeprefix(father)
        if rest != word and len(rest) > 3:
            root = families.get(rest, (rest,))[0]
            return (families.get(f"ABDUL{root}", (f"ABDUL{root}",))[0], root, "ABDUL")
    for article in ("AL", "EL"):
        rest = word.removeprefix(article)
        if rest != word and rest in families:
            return (families[rest][0], word)
    if word.endswith(("SKA", "CKA")) and len(word) > 6:
        return (word[:-1] + "I",)
    return (_without_mac(word),)


def _without_mac(word: str) -> str:
    """MACDONALD and MCDONALD as one; MACE, MACEY and MACHADO stay."""
    return "MC" + word[3:] if word.startswith("MAC") and len(word) > 5 and not word.startswith(_NO_MACS) else word
