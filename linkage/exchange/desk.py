"""A party's folder: agreement, keys, journal, and what each run needs between its steps.

agreement.toml, agreement.<party>.sig   the terms, signed
identity.key, identity.pub              who the party is; the first wrapped by its passphrase
share.key, secret.key                   at agencies: its share, and the linkage secret
journal.jsonl                           what happened
inbox/, outbox/                         packages that came, and packages to send
runs/<run>/                             encrypted state of a run, destroyed by `close`
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from keys import vault
from keys.chance import SYSTEM, Chance
from keys.identity import Identity
from keys.passphrase import Passphrase
from keys.seal import open_sealed, seal
from keys.storage import CHUNK_BYTES, StorageKey, decrypt_blob, encrypt_blob, encrypt_stream
from linkage.agreement import Agreement, Party, check_signatures, load
from linkage.errors import NotAgreedError, OtherRunError, ReplayedPackageError, UnexpectedPackageError, YourFileError
from linkage.exchange.files import read, write_all, write_new, write_over
from linkage.exchange.journal import Journal
from linkage.package.arriving import Wanted, best_order
from linkage.package.container import (
    HEAD_BYTES,
    SUFFIX,
    Body,
    Expected,
    Header,
    Kind,
    Opened,
    Pieces,
    check_run,
    open_package,
    pack_pieces,
    read_header,
)
from linkage.package.stream import Stream

AGREEMENT = "agreement.toml"
IDENTITY = "identity.key"
PUBLIC = "identity.pub"
SHARE = "share.key"
SECRET = "secret.key"  # noqa: S105 - a file name


@dataclass(frozen=True, repr=False)
class Desk:
    """One party at work: its folder, its identity, and the agreement it works under.

    chance: where its steps draw from; a repeatable source is refused at a live desk (R50, TestKeyError).
    """

    folder: Path
    agreement: Agreement
    identity: Identity
    party: Party
    passphrase: Passphrase
    chance: Chance = SYSTEM

    def __post_init__(self) -> None:
        self.chance.require(test=self.identity.test)

    @cached_property
    def journal(self) -> Journal:
        """The party's log."""
        return Journal(self.folder / "journal.jsonl")

    def run_folder(self, run: str) -> Path:
        """Where the state of a run stands."""
        check_run(run)
        return self.folder / "runs" / run

    def keep(self, run: str, name: str, data: bytes | Stream) -> None:
        """Store state of a run, encrypted under a key of this run alone; a name is used once."""
        chunks = (data if isinstance(data, Stream) else Stream.of(data)).parts(CHUNK_BYTES)
        sealed = encrypt_stream(self._storage_key(run), chunks, self._context(run, name))
        write_new(self.run_folder(run) / f"{name}.sealed", sealed, private=True)

    def replace(self, run: str, name: str, data: bytes) -> None:
        """Store newer state in the place of older, whole or not at all."""
        sealed = encrypt_blob(self._storage_key(run), data, self._context(run, name))
        write_over(self.run_folder(run) / f"{name}.sealed", sealed)

    def kept(self, run: str, name: str) -> bytes | None:
        """State of a run, or None when there is none."""
        path = self.run_folder(run) / f"{name}.sealed"
        if not path.exists():
            return None
        return decrypt_blob(self._storage_key(run), read(path), self._context(run, name))

    def restore(self, run: str, name: str, data: bytes | None) -> None:
        """Put state of a run back as `kept` gave it; None where there was none."""
        if data is None:
            (self.run_folder(run) / f"{name}.sealed").unlink(missing_ok=True)
        else:
            self.replace(run, name, data)

    def need(self, run: str, name: str, step: str) -> bytes:
        """State of a run that an earlier step left. Raises OtherRunError when that step has not been done."""
        data = self.kept(run, name)
        if data is None:
            runs = sorted(path.name for path in (self.folder / "runs").glob("*") if path.is_dir())
            raise OtherRunError(
                f"nothing is known here of run '{run}'",
                f"runs here: {', '.join(runs) or 'none'}; `linkage {step}` comes first, or the run was closed",
            )
        return data

    def _storage_key(self, run: str) -> StorageKey:
        path = self.run_folder(run) / "storage.key"
        if not path.exists():
            key = StorageKey.new(test=self.identity.test)
            # Wrapped for the identity rather than by the passphrase: one slow derivation a command is enough.
            write_new(path, self._wrap(key, run), private=True)
            return key
        return self._unwrap(read(path), run)

    def _wrap(self, key: StorageKey, run: str) -> bytes:
        return seal(self.identity.public, key.to_payload(), self._context(run, "storage key"))

    def _unwrap(self, sealed: bytes, run: str) -> StorageKey:
        return StorageKey.from_payload(open_sealed(self.identity, sealed, self._context(run, "storage key")))

    def _context(self, run: str, name: str) -> bytes:
        return b"\0".join([b"desk", self.agreement.digest, run.encode(), name.encode()])

    def send(self, body: Body, kind: Kind, run: str, recipient: str, *, out: Path | None = None) -> list[Path]:
        """Sign, seal and write one package to the outbox, all parts or none."""
        folder = out or self.folder / "outbox"

        def named(part: tuple[Header, Pieces]) -> tuple[Path, Pieces]:
            return folder / part[0].filename, part[1]

        return write_all(map(named, pack_pieces(body, kind, run, self.agreement, self.identity, recipient)))

    def take(self, paths: Sequence[Path], kind: Kind, run: str) -> dict[str, Opened]:
        """Open the packages in some files or folders, each proven and none taken before; by sender.

        The caller notes them in the journal once its step has succeeded (`taken_in`).
        """
        opened: dict[str, Opened] = {}
        for _, files in self._groups(paths, kind, run):
            package = self.open(files, kind, run)
            if package.header.sender in opened:
                raise _two(kind, package.header.sender)
            opened[package.header.sender] = package
        return opened

    def waiting(self, paths: Sequence[Path], kind: Kind, run: str) -> dict[str, list[Path]]:
        """What `take` would open, as files by sender, to be opened one by one; a header is believed until then."""
        found: dict[str, list[Path]] = {}
        for header, files in self._groups(paths, kind, run):
            if header.sender in found:
                for each in (found[header.sender], files):  # whichever is forged is worse news
                    self.open(each, kind, run)
                raise _two(kind, header.sender)
            found[header.sender] = files
        return found

    def open(self, files: Sequence[Path], kind: Kind, run: str, wanted: Wanted | None = None) -> Opened:
        """The package in some files, proven and not taken before; they are read one after the other.

        wanted: see open_package.
        """
        expected = Expected(kind, run, self.agreement)
        package = open_package((read(path) for path in files), expected, self.identity, wanted)
        if package.header.package in self.journal.taken():
            raise ReplayedPackageError(
                f"the package {package.header.filename} was taken in before",
                "nothing to do; see `linkage log show`",
            )
        return package

    def _groups(self, paths: Sequence[Path], kind: Kind, run: str) -> list[tuple[Header, list[Path]]]:
        """Files by package, in the order in which they are best opened, each with a header of one of them."""
        groups: dict[str, tuple[Header, list[Path]]] = {}
        for header, path in sorted(self._parts(paths, kind, run), key=lambda part: best_order(part[0].part)):
            groups.setdefault(header.package, (header, []))[1].append(path)
        if not groups:
            raise UnexpectedPackageError(
                f"there is no '{kind}' package for run '{run}' here",
                "put the files that came into inbox/, or name them",
            )
        known = self.journal.taken()
        if not paths and set(groups) - known:
            # An inbox keeps what was taken in before; what is named is meant.
            return [group for name, group in groups.items() if name not in known]
        return list(groups.values())

    def packages(self, paths: Sequence[Path], kind: Kind, run: str) -> Iterator[tuple[str, bytes]]:
        """Name and bytes of every part in some files or folders (default: inbox/), nothing proven yet."""
        for header, path in self._parts(paths, kind, run):
            yield header.package, read(path)

    def _parts(self, paths: Sequence[Path], kind: Kind, run: str) -> Iterator[tuple[Header, Path]]:
        for path in self._files(paths, kind, run):
            header = read_header(read(path, HEAD_BYTES))[0]
            # "a-screening-b" is a name of a run too: its files begin like those of run "a".
            if header.run == run or header.filename != path.name or path in paths:
                yield header, path

    def _files(self, paths: Sequence[Path], kind: Kind, run: str) -> list[Path]:
        """The files named, or of each folder named the packages of this kind and run (by their names)."""
        files: list[Path] = []
        for path in paths or [self.folder / "inbox"]:
            prefix = f"{run}-{kind}-" if run else f"{kind}-"
            files += sorted(path.glob(f"{prefix}*{SUFFIX}")) if path.is_dir() or not paths else [path]
        return files


def _two(kind: Kind, sender: str) -> ReplayedPackageError:
    return ReplayedPackageError(f"there are two '{kind}' packages from {sender}", "keep the one that was meant")


def taken_in(packages: dict[str, Opened]) -> list[str]:
    """Names of packages, for the journal."""
    return sorted(package.header.package for package in packages.values())


def open_desk(
    folder: Path,
    passphrase: Passphrase,
    *,
    signed: bool = True,
    today: dt.date | None = None,
    chance: Chance = SYSTEM,
) -> Desk:
    """A party's desk, with its agreement signed by all and in force, and its identity unlocked.

    Raises NotAgreedError and its kin, CustodyError and its kin.
    """
    path = folder / AGREEMENT
    if not path.exists():
        raise YourFileError(f"there is no {AGREEMENT} in {folder}", "use --desk to name the party's folder")
    agreement = load(path)
    agreement.check_dates(today or dt.datetime.now(dt.UTC).date())
    if signed:
        check_signatures(agreement, path)
    identity = vault.fetch(folder / IDENTITY, Identity, passphrase, test=agreement.terms.test)
    return Desk(folder, agreement, identity, agreement.party_of(identity.public), passphrase, chance)


def require(desk: Desk, role: str) -> None:
    """Raise NotAgreedError unless the party may take this step."""
    may = desk.party.encodes if role == "agency" else role in desk.party.roles
    if not may:
        raise NotAgreedError(
            f"'{desk.party.name}' is {' and '.join(desk.party.roles)} in this agreement, not {role}",
            "use --desk to name the right party's folder",
        )
