"""Which flags of a link are shown, and in which words.

Opened flags and the agreed vocabulary come in, `ShownFlag`s go out.
Rule: a category is shown with its role, basis, recency and status or the whole output is refused (R19, R21);
the order is alphabetical, because no flag outranks another (R18).
"""

from __future__ import annotations

from dataclasses import dataclass

from linkage.errors import FlagsError, ReleaseError
from linkage.model import Flag
from linkage.release import sentences
from linkage.release.links import LinkView
from linkage.vocabulary import Vocabulary


@dataclass(frozen=True, order=True)
class ShownFlag:
    """One flag in the vocabulary's words. category: with its role. prompts: what a person may consider (R20)."""

    category: str
    basis: str
    recency: str
    status: str
    prompts: tuple[str, ...]

    def in_one_line(self) -> str:
        """The flag for a spreadsheet cell, each word with what it is about."""
        return f"{self.category} [basis: {self.basis}; when: {self.recency}; status: {self.status}]"


def shown_flags(link: LinkView, vocabulary: Vocabulary) -> list[ShownFlag]:
    """A link's flags that may be shown, each once.

    A category that the agreement has switched off stays out; flags about a person harmed are, unless switched on (R27).
    Raises ReleaseError for a code, role, basis, recency or status nobody agreed.
    """
    try:
        return sorted({_shown(flag, vocabulary) for flag in link.flags if vocabulary.code(flag.code).on})
    except FlagsError:
        raise ReleaseError(
            "a flag is outside the agreed vocabulary",
            "receive with the agreement and the vocabulary the run was made under",
        ) from None


def prompts(flags: list[ShownFlag]) -> list[str]:
    """Everything to consider, each once, in the order of the flags."""
    return list(dict.fromkeys(prompt for flag in flags for prompt in flag.prompts))


def _shown(flag: Flag, vocabulary: Vocabulary) -> ShownFlag:
    vocabulary.check(flag)
    code, role = vocabulary.code(flag.code), sentences.ROLES[flag.role]
    return ShownFlag(
        # Said once: several categories name the role in their own words.
        category=code.words if role in code.words else f"{code.words} ({role})",
        basis=next(term.words for term in vocabulary.bases if term.name == flag.basis),
        recency=next(band.words for band in vocabulary.recency if band.name == flag.recency),
        status=next(term.words for term in vocabulary.statuses if term.name == flag.status),
        prompts=code.prompts,
    )
