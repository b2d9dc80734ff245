"""Parties as folders, whose every act is a command in a process of its own; the test is the courier between them."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.flow.people import make_world, write_party

ROOT = Path(__file__).parents[2]
RUN = "2026-12"
SEED = 1
"""Of the made world: every stage of it comes out the same each time."""
AGENCIES = ("childrens_services", "police", "mental_health")
PARTIES = (*AGENCIES, "matcher")
_MADE: list[Path] = []
PASSPHRASE = "seven pretend words for {}"


@dataclass(frozen=True)
class Done:
    """What a command left: its exit code and everything it said."""

    code: int
    out: str
    err: str


def linkage(folder, *args, passphrase=True, expect=0, seed=None):
    """Run a command as the party whose folder this is: in it, with its home and temporary folder beside it."""
    module = ["linkage"] if seed is None else ["tests.flow.seeded", seed]
    words = ["-m", *map(str, module), *map(str, args), *(["--passphrase-file", "passphrase.txt"] if passphrase else [])]
    return python(folder, *words, expect=expect)


def python(folder, *words, expect=0):
    """A Python process of the party; home and temporary folder stand beside its folder, so that litter shows."""
    done = subprocess.run(
        [sys.executable, *words], cwd=folder, env=surroundings(folder), capture_output=True, text=True, check=False,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    if expect is not None:
        assert done.returncode == expect, (done.returncode, done.stderr[-600:], done.stdout[-300:], words)
    return Done(done.returncode, done.stdout, done.stderr)


def surroundings(folder):
    """A party's environment: home and temporary folder of its own, warnings as errors, nothing else."""
    away = folder.parent / ".away"
    away.mkdir(exist_ok=True)
    keep = {name: value for name, value in os.environ.items() if name in ("PATH", "SYSTEMROOT", "LANG")}
    return keep | {"HOME": str(away), "TMPDIR": str(away), "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error"}


def desk(folder, party):
    """A new party's folder with a passphrase nobody else knows."""
    home = folder / party
    home.mkdir(parents=True)
    path = home / "passphrase.txt"
    path.touch(0o600)
    path.write_text(PASSPHRASE.format(party) + "\n")
    return home


def carry(folder, *, kind=None):
    """Copy every package in an outbox to the inbox of the party its name says, once; nothing else travels."""
    for path in sorted(folder.glob("*/outbox/*.linkage")):
        recipient = re.search(r"-to-(\w+)-[0-9a-f]{8}-\d+of\d+\.linkage$", path.name)[1]
        target = folder / recipient / "inbox" / path.name
        if kind in (None, kind_of(path)) and not target.exists():
            target.parent.mkdir(exist_ok=True)
            shutil.copy(path, target)


def kind_of(path):
    return re.search(r"(share|screening|request|evidence|tokens|links)-", path.name)[1]


def package(home, box, kind):
    """The package of a kind that lies in a party's inbox or outbox."""
    (path,) = (path for path in sorted((home / box).glob("*.linkage")) if kind_of(path) == kind)
    return path


def listing(folder):
    """Every file below a folder with its bytes, and every folder."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }


def agree(folder, edit=lambda text: text, *, test=True, seed=None, protocol="two-round"):
    """Identities, terms completed by hand, signatures; `edit` is what the hand changes."""
    homes = {party: desk(folder, party) for party in PARTIES}
    mode = ["--test"] if test else []
    each(homes.values(), lambda home: linkage(home, "keys", "new", home.name, *mode, seed=seed))
    first = homes["childrens_services"]
    given = [f"--identity={party}={home / 'identity.pub'}" for party, home in homes.items()]
    asked = ["--template", "demo", "--protocol", protocol]
    linkage(first, "agreement", "new", *asked, *mode, *given, passphrase=False)
    terms = first / "agreement.toml"
    terms.write_text(edit(without_parties(terms.read_text())))
    sign(homes)
    return homes


def sign(homes, run=None):
    """All get the terms that lie at children's services, sign them, and get one another's signatures."""
    run = run or linkage
    terms = homes["childrens_services"] / "agreement.toml"
    for home in homes.values():
        for path in home.glob("agreement.*.sig"):
            path.unlink()
        if home != terms.parent:
            shutil.copy(terms, home)
    each(homes.values(), lambda home: run(home, "agreement", "sign"))
    pass_signatures(homes)


def each(homes, act):
    """The same act at several parties, two at a time; what each gave, in order."""
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(act, homes))


def pass_signatures(homes):
    for home in homes.values():
        for path in home.glob("agreement.*.sig"):
            for other in homes.values():
                if not (other / path.name).exists():
                    shutil.copy(path, other)


def without_parties(text):
    """The template's terms less the services that take no part."""
    head, *tables = re.split(r"(?m)^(?=\[\[)", text)
    absent = [f'name = "{party}"' for party in ("drugs_alcohol", "probation", "housing")]
    return head + "".join(table for table in tables if not any(name in table for name in absent))


def share(folder, homes, seed=None):
    """The linkage secret, made by all agencies; returns what each reads aloud."""
    agencies = [homes[party] for party in AGENCIES]
    each(agencies, lambda home: linkage(home, "secret", "contribute", seed=seed))
    carry(folder, kind="share")
    said = each(agencies, lambda home: linkage(home, "secret", "assemble"))
    return [re.search(r"fingerprint (.*)", done.err)[1] for done in said]


def encode_arguments(home, run=RUN):
    """The command with which a party encodes what lies in its folder."""
    mapping = ["--mapping", "mapping.toml"] if (home / "mapping.toml").exists() else []
    flags = ["--flags", "flags.csv"] if (home / "flags.csv").exists() else []
    return ["encode", "export.csv", *mapping, *flags, "--run", run]


@cache
def _stage(name):
    """A world as it stands after a step, made once for the whole test session; copied before it is touched."""
    folder = Path(tempfile.mkdtemp(prefix=f"linkage-{name}-"))
    _MADE.append(folder)
    if name == "agreed":
        homes = agree(folder, seed=SEED)
        share(folder, homes, SEED)
        for party in AGENCIES:
            write_party(homes[party], party, make_world())
        return folder
    before = {"encoded": "agreed", "screened": "encoded", "answered": "screened", "decided": "answered"}[name]
    shutil.copytree(_stage(before), folder, dirs_exist_ok=True)
    agencies = [folder / party for party in AGENCIES]
    if name == "encoded":
        each(agencies, lambda home: linkage(home, *encode_arguments(home), seed=SEED))
    if name == "screened":
        linkage(folder / "matcher", "screen", "--run", RUN, seed=SEED)
    if name == "answered":
        each(agencies, lambda home: linkage(home, "answer", "--run", RUN, seed=SEED))
    if name == "decided":
        linkage(folder / "matcher", "decide", "--run", RUN)
    carry(folder)
    return folder


def world_at(name, folder):
    """A copy of the world as it stands after a step; by party, the folders."""
    shutil.copytree(_stage(name), folder, dirs_exist_ok=True)
    return {party: folder / party for party in PARTIES}


def forget():
    """Remove all stages."""
    while _MADE:
        shutil.rmtree(_MADE.pop(), ignore_errors=True)
    _stage.cache_clear()
