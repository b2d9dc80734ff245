"""What lies where: keys are private, nothing is written beside a party's folder, no secret is at the matcher."""

import base64
import os
import stat

import pytest

from keys import passphrase, vault
from keys.derive import Purpose, run_key
from keys.identity import Identity
from keys.secret import LinkageSecret, Share
from linkage.agreement import load
from linkage.package.container import Expected, open_package
from tests.flow import parties
from tests.flow.forks import linkage
from tests.flow.parties import AGENCIES, PASSPHRASE, RUN, encode_arguments, listing

posix = pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


@posix
def test_key_files_logs_and_state_are_their_owners_alone(at):
    """Whatever holds a key, a secret or rows is 0600, at every party, also where the user's umask is open."""
    homes = at("decided")
    for home in homes.values():
        private = [home / "identity.key", home / "journal.jsonl", home / "journal.head", *(home / "runs").rglob("*.*")]
        private += [home / name for name in ("share.key", "secret.key") if home.name in AGENCIES]
        assert len(private) >= 5
        assert {path.name: oct(mode(path)) for path in private if path.is_file() and mode(path) != 0o600} == {}


@posix
def test_an_open_umask_opens_no_key(tmp_path):
    home = parties.desk(tmp_path, "police")
    code = "import os, sys; os.umask(0); sys.argv = ['linkage', *sys.argv[1:]]; import cli; cli.main()"
    parties.python(home, "-c", code, "keys", "new", "police", "--passphrase-file", "passphrase.txt", "--test")
    assert mode(home / "identity.key") == 0o600


def test_live_keys_are_dear_to_guess_and_test_keys_say_what_they_are(tmp_path):
    """R50: only what `--test` made is cheap, and its fingerprint begins with TEST."""
    for name, more in (("police", []), ("housing", ["--test"])):
        home = parties.desk(tmp_path, name)
        done = linkage(home, "keys", "new", name, *more)
        header = vault.header(home / "identity.key")
        assert (header.mode, header.cost) == (("test", vault.FOR_TESTS) if more else ("live", vault.LIVE))
        assert ("TEST" in done.err) == bool(more)


WATCH = """
import os, sys
written = []
def watch(event, args):
    if event == "open" and isinstance(args[0], (str, bytes)) and isinstance(args[2], int):
        if args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            written.append(os.path.realpath(os.fsdecode(args[0])))
    elif event in ("os.mkdir", "os.rename", "os.link", "os.symlink", "shutil.copyfile", "shutil.move"):
        written.extend(os.path.realpath(os.fsdecode(path)) for path in args[:2] if isinstance(path, (str, bytes)))
sys.addaudithook(watch)
import cli
try:
    cli.main()
finally:
    here = os.path.realpath(".") + os.sep
    out = {path for path in written if not (path + os.sep).startswith(here) and "__pycache__" not in path}
    out = sorted(out - {os.devnull})
    if out:
        print(out, file=sys.stderr)
        raise SystemExit(98)
"""


@pytest.mark.parametrize(
    ("stage", "party", "command"),
    [
        ("agreed", "police", "encode"),
        ("encoded", "matcher", "screen"),
        ("screened", "police", "answer"),
        ("answered", "matcher", "decide"),
        ("decided", "childrens_services", "receive"),
        ("decided", "matcher", "close"),
    ],
)
def test_nothing_is_written_outside_the_partys_folder(at, stage, party, command):
    """Not for a moment: every file opened to be written, made, linked or renamed is seen by an audit hook."""
    homes = at(stage)
    home = homes[party]
    args = encode_arguments(home) if command == "encode" else [command, "--run", RUN]
    before = listing(home.parent)
    parties.python(home, "-c", WATCH, *args, "--passphrase-file", "passphrase.txt")
    after = listing(home.parent)
    assert {name for name in set(before) ^ set(after) if not name.startswith(f"{party}{os.sep}")} == set()
    assert not [name for name in after if name.endswith(".part")]


def test_the_watch_sees_a_file_written_elsewhere(at):
    home = at("agreed")["police"]
    code = WATCH.replace("import cli\n", "import cli, tempfile; tempfile.NamedTemporaryFile().close()\n")
    parties.python(home, "-c", code, "--help", expect=98)


def test_no_secret_is_in_the_matchers_folder(at):
    """R6: not the linkage secret, a share, a run key or any subkey; not in its files, nor in what it can open.

    The same search finds the secret in a folder that has it.
    """
    homes = at("decided")
    agreement = load(homes["matcher"] / "agreement.toml")
    needles = {}
    for party in AGENCIES:
        word = passphrase.from_text(PASSPHRASE.format(party))
        secret = vault.fetch(homes[party] / "secret.key", LinkageSecret, word)
        share = vault.fetch(homes[party] / "share.key", Share, word)
        key = run_key(secret, RUN, agreement.digest)
        needles |= {f"{party} secret": secret.value, f"{party} share": share.value, f"{party} run key": key.value}
        needles |= {f"{party} {purpose}": key.subkey(purpose) for purpose in Purpose}
    hay = {name: data for name, data in listing(homes["matcher"]).items() if data}
    identity = matchers(homes)
    for path in (homes["matcher"] / "inbox").glob("*.linkage"):
        kind = path.name.removeprefix(f"{RUN}-").split("-")[0]
        body = open_package([path.read_bytes()], Expected(kind, RUN, agreement), identity).body
        hay[f"opened {path.name}"] = body.meta + b"".join(array.tobytes() for array in body.arrays.values())
    assert len(hay) > 15
    assert _found(needles, hay) == set()
    assert _found(needles, {"planted": needles["police secret"].hex().encode()}) >= {"police secret"}


def matchers(homes):
    """The matcher's identity."""
    word = passphrase.from_text(PASSPHRASE.format("matcher"))
    return vault.fetch(homes["matcher"] / "identity.key", Identity, word)


def _found(needles, hay):
    return {
        name
        for name, value in needles.items()
        for data in hay.values()
        for form in (value, value.hex().encode(), value.hex().upper().encode(), base64.b64encode(value)[:40])
        if form in data
    }


def test_no_readable_flag_and_no_reference_is_in_what_the_matcher_can_open(at):
    """R22: codes, children and cases travel past it sealed, every note of one length."""
    homes = at("decided")
    agreement = load(homes["matcher"] / "agreement.toml")
    identity = matchers(homes)
    for path in sorted((homes["matcher"] / "inbox").glob(f"{RUN}-evidence-*")):
        body = open_package([path.read_bytes()], Expected("evidence", RUN, agreement), identity).body
        whole = body.meta + b"".join(array.tobytes() for array in body.arrays.values())
        assert not any(word in whole for word in (b"DA-P", b"MH-O", b"00710", b"CIN-", b"FATHER", b"CONFIRMED"))
        assert body.arrays["notes"].shape[1] > 384


def test_r8_a_profile_and_a_doctor_write_nothing(at):
    home = at("encoded")["police"]
    before = listing(home.parent)
    linkage(home, "profile", "export.csv", passphrase=False)
    parties.linkage(home, "doctor", passphrase=False)
    linkage(home, "log", "show", passphrase=False)
    assert listing(home.parent) == before
