"""Secrets do not show, do not travel by pickle, and the room keeps to itself."""

import ast
import copy
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

import keys
from keys import errors, passphrase
from keys.aead import NoteSealer
from keys.derive import pair_keys, run_key
from keys.framing import frame, unframe
from keys.guard import Guarded
from keys.identity import Identity
from keys.secret import LinkageSecret, contribute
from keys.storage import StorageKey

ROOM = Path(keys.__file__).parent
BARRED = {"keys.secret", "keys.derive"}  # from the matcher


def everything():
    """One object of every class that holds a secret."""
    me, other = (Identity.new(name, test=True) for name in ("Police", "Probation"))
    share, _ = contribute(me, [other.public], bytes(32))
    secret = LinkageSecret(True, bytes(32), b"\xa7" * 32)
    sealer = NoteSealer.new(other.public, run="run", sender="Police", context=b"", length=8)
    return [
        me,
        share,
        secret,
        run_key(secret, "run", bytes(32)),
        StorageKey.new(test=True),
        sealer.key,
        pair_keys(run_key(secret, "run", bytes(32)), bytes(16)),
        passphrase.from_text("correct horse battery staple"),
        sealer,
    ]


THINGS = everything()
names = [type(thing).__name__ for thing in THINGS]


def secrets_of(thing):
    return [
        value
        for holder in (thing, getattr(thing, "key", thing))
        for name, value in vars(holder).items()
        if isinstance(value, bytes) and name not in {"agreement_digest", "wrapped", "context"}
    ]


def test_every_guarded_class_is_tried_here():
    """A new class that holds a secret joins the list."""

    def leaves(cls):
        below = cls.__subclasses__()
        return {leaf for sub in below for leaf in leaves(sub)} if below else {cls}

    assert leaves(Guarded) <= {type(thing) for thing in THINGS}


@pytest.mark.parametrize("thing", THINGS, ids=names)
def test_r4_no_secret_shows(thing):
    """Not in repr, str, a format string or a traceback's arguments."""
    hidden = secrets_of(thing)
    assert hidden
    for text in (repr(thing), str(thing), f"{thing}", f"{[thing]}"):
        for value in hidden:
            assert value.hex() not in text
            assert repr(value)[2:-1] not in text
            assert repr(value[:6])[2:-1] not in text


@pytest.mark.parametrize("thing", THINGS, ids=names)
def test_secrets_are_never_pickled_or_copied(thing):
    """Under no protocol, on no road."""
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError, match="never pickled"):
            pickle.dumps(thing, protocol)
    with pytest.raises(TypeError, match="never pickled"):
        copy.deepcopy(thing)


@pytest.mark.parametrize("thing", THINGS, ids=names)
def test_secrets_are_frozen(thing):
    """Nobody swaps a key inside an object."""
    name = next(iter(vars(thing)))
    with pytest.raises(AttributeError):
        setattr(thing, name, None)


def test_equality_is_of_everything_and_only_within_a_class():
    """Same bytes in another class, mode or run are not the same; and secrets do not hash."""
    secret = LinkageSecret(True, bytes(32), bytes(32))
    assert secret == LinkageSecret(True, bytes(32), bytes(32))
    assert secret != LinkageSecret(False, bytes(32), bytes(32))
    assert secret != LinkageSecret(True, bytes(32), b"\x01" * 32)
    assert secret != StorageKey(True, bytes(32))
    assert secret != bytes(32)
    assert passphrase.Passphrase(secret.to_payload()) != secret
    with pytest.raises(TypeError, match="unhashable"):
        hash(secret)


@pytest.mark.parametrize(
    "data", [b"\0", b"\0\0\0", b"\0\0\0\x01", b"\0\0\0\x02a", frame(b"ab")[:-1], frame(b"a") + b"\0"]
)
def test_frames_cut_short_are_refused(data):
    """Within a length, without its part, within a part."""
    with pytest.raises(ValueError, match="cut short"):
        unframe(data)


def test_frames_of_another_number_are_refused():
    """More or fewer than asked for."""
    with pytest.raises(ValueError, match="2 framed parts, not 3"):
        unframe(frame(b"", b""), 3)


def test_errors_have_their_own_codes():
    """10 to 19, none twice, all of the shape what, hint, details."""
    classes = [errors.CustodyError, *errors.CustodyError.__subclasses__()]
    assert [cls.exit_code for cls in classes] == list(range(10, 18))
    error = errors.ShareError("what", "hint", ["one", "two"])
    assert (str(error), error.hint, error.details) == ("what", "hint", ("one", "two"))


def imports(module):
    """Every module a file of the room names, wherever in the file it does."""
    for node in ast.walk(ast.parse(module.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            yield node.module


@pytest.mark.parametrize("module", sorted(ROOM.glob("*.py")), ids=lambda path: path.stem)
def test_the_room_imports_nobody(module):
    """Only the standard library, cryptography and itself."""
    for name in imports(module):
        root = name.split(".")[0]
        assert root in {"keys", "cryptography"} or root in sys.stdlib_module_names


@pytest.mark.parametrize("module", sorted(ROOM.glob("*.py")), ids=lambda path: path.stem)
def test_nothing_here_reads_argv_or_the_environment_or_guesses(module):
    """Passphrases come by prompt or file; randomness from the operating system."""
    nodes = list(ast.walk(ast.parse(module.read_text("utf-8"))))
    words = {node.id for node in nodes if isinstance(node, ast.Name)}
    words |= {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    words |= {name.split(".")[0] for name in imports(module)}
    assert not words & {"argv", "environ", "environb", "getenv", "getpass", "random", "pickle", "print", "logging"}
    assert not any(isinstance(node, ast.Assert) for node in nodes)


def test_r6_what_the_matcher_uses_reaches_no_derivation():
    """Sealing, signing, vault and notes load without keys.secret and keys.derive."""
    code = f"import sys, keys.seal, keys.aead, keys.vault, keys.identity; sys.exit(bool({BARRED!r} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOM.parent, check=False).returncode == 0
