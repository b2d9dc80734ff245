"""Every way the journey can stop, each with whose fault it is, what to do, and an exit code that never changes.

An error says what happened; its hint says what to do next. Neither ever holds a value of a person:
count and locate personal things, quote public ones, stay silent about secret ones.
(`keys` stands alone and has its own errors, 10 to 19, of the same shape.)
"""

from __future__ import annotations

from collections.abc import Sequence


class LinkageError(Exception):
    """Base of every expected failure.

    hint: what the user can do next, one sentence. details: one line each (for files with many faults).
    """

    exit_code = 1

    def __init__(self, what: str, hint: str = "", details: Sequence[str] = ()) -> None:
        super().__init__(what)
        self.hint = hint
        self.details = tuple(details)


class UsageProblemError(LinkageError):
    """The command was called with arguments that cannot go together."""

    exit_code = 2


class NotAgreedError(LinkageError):
    """The agreement does not allow this, or is itself not in order."""

    exit_code = 3


class AgreementFileError(NotAgreedError):
    """The agreement cannot be read, or holds an entry nobody knows."""

    exit_code = 4


class AgreementSignatureError(NotAgreedError):
    """A party's signature under the agreement is missing or wrong."""

    exit_code = 5


class AgreementExpiredError(NotAgreedError):
    """Today lies outside the dates the purpose record names (R1)."""

    exit_code = 6


class AboveTheBarError(NotAgreedError):
    """The encoding gives away more people than the agreement allows, by what its profile or an audit measured."""

    exit_code = 7


class YourFileError(LinkageError):
    """The user's own file is at fault."""

    exit_code = 20


class UnreadableFileError(YourFileError):
    """The file cannot be opened or decoded, or is no CSV or XLSX."""

    exit_code = 21


class ColumnsError(YourFileError):
    """Columns are missing, doubled, or not in the mapping."""

    exit_code = 22


class ValuesError(YourFileError):
    """Cells that cannot be what their column says; located by line, never shown."""

    exit_code = 23


class QualityError(YourFileError):
    """The data-quality report says no-go (R8)."""

    exit_code = 24


class FlagsError(YourFileError):
    """A flag without role, basis, recency, status or desk, or outside the vocabulary (R5, R19, R21)."""

    exit_code = 25


class OutputExistsError(YourFileError):
    """Something would be overwritten; nothing ever is."""

    exit_code = 26


class TheirPackageError(LinkageError):
    """A package that arrived does not prove what it must."""

    exit_code = 30


class AlteredPackageError(TheirPackageError):
    """Bytes were changed after signing, or the signature is not the sender's."""

    exit_code = 31


class WrongRecipientError(TheirPackageError):
    """The package is addressed to somebody else."""

    exit_code = 32


class OtherRunError(TheirPackageError):
    """The package belongs to another run."""

    exit_code = 33


class OtherAgreementError(TheirPackageError):
    """The package was made under another agreement."""

    exit_code = 34


class OtherSecretError(TheirPackageError):
    """The sender used another linkage secret (R7)."""

    exit_code = 35


class TruncatedPackageError(TheirPackageError):
    """Bytes are missing from, or follow, the package."""

    exit_code = 36


class ReplayedPackageError(TheirPackageError):
    """This package was already taken in."""

    exit_code = 37


class MissingPartError(TheirPackageError):
    """A package travels in parts and not all are here."""

    exit_code = 38


class UnexpectedPackageError(TheirPackageError):
    """Another kind, version or sender than this step accepts, or contents that break the format's promises."""

    exit_code = 39


class MatchingError(LinkageError):
    """Matching cannot go on."""

    exit_code = 40


class ShapeError(MatchingError):
    """Arrays whose shapes do not belong together."""

    exit_code = 41


class EngineError(MatchingError):
    """The engine asked for cannot run here, or would not keep encodings safe."""

    exit_code = 42


class TooLargeError(MatchingError):
    """The work does not fit into this machine's memory."""

    exit_code = 43


class ReleaseError(LinkageError):
    """A link or flag cannot be released."""

    exit_code = 50


class RequestRefusedError(ReleaseError):
    """A request asks for more than the agreement allows."""

    exit_code = 51


class SealedNoteError(ReleaseError):
    """A sealed flag or reference does not open, or is not for this pair."""

    exit_code = 52


class ExchangeError(LinkageError):
    """Packages could not be carried."""

    exit_code = 60
