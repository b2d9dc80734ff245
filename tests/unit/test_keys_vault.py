"""Files that hold keys: private, new, whole, and shut without their passphrase."""

import base64
import dataclasses
import itertools
import json
import os
from pathlib import Path

import pytest

from keys import files, passphrase, vault
from keys.errors import KeyFileError, OpenError, PassphraseError, TestKeyError
from keys.identity import Identity
from keys.secret import LinkageSecret, contribute
from keys.storage import CHUNK_BYTES, encrypt_stream

PASS = passphrase.from_text("correct horse battery staple")
OTHER_PASS = passphrase.from_text("correct horse battery stable")
posix = pytest.mark.skipif(os.name != "posix", reason="file modes mean nothing on Windows")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a.key"


def kept(path, payload=b"payload", **more):
    vault.store(path, "thing", payload, PASS, **({"test": True, "cost": vault.FOR_TESTS} | more))
    return path


def rewritten(path, **changes):
    """The file with entries of its header changed, body untouched."""
    line, body, end = path.read_bytes().split(b"\n")
    fields = json.loads(line) | changes
    path.write_bytes(b"\n".join([json.dumps(fields).encode(), body, end]))
    return path


# --- files ----------------------------------------------------------------------------------------------------------


@posix
def test_key_files_are_for_their_owner_alone(path):
    """Mode 0600, whatever the umask."""
    before = os.umask(0)
    try:
        files.write_new(path, b"x")
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o600


def test_nothing_is_ever_overwritten(path):
    """Neither a file, nor a dangling link, nor a folder."""
    path.write_bytes(b"old")
    with pytest.raises(KeyFileError, match="exists already"):
        files.write_new(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(path.parent.iterdir()) == [path]


@posix
def test_a_dangling_link_is_not_written_through(path):
    """It would put the key where somebody else chose."""
    path.symlink_to(path.with_name("elsewhere"))
    with pytest.raises(KeyFileError):
        files.write_new(path, b"new")
    assert not path.with_name("elsewhere").exists()


@pytest.mark.parametrize("fault", ["os.fsync", "os.fdopen"])
def test_a_crash_leaves_nothing(path, monkeypatch, fault):
    """A full disk in the middle of writing: no file under the name, none beside it."""

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(f"keys.files.{fault}", full)
    with pytest.raises(KeyFileError, match="No space left"):
        files.write_new(path, b"x" * 100)
    assert list(path.parent.iterdir()) == []


@posix
def test_disks_without_hard_links_are_served(path, monkeypatch):
    """The same promises on a FAT stick: whole, private, never over another file."""

    def unsupported(*_):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", unsupported)
    files.write_new(path, b"x")
    assert path.read_bytes() == b"x"
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(KeyFileError, match="exists already"):
        files.write_new(path, b"y")
    assert path.read_bytes() == b"x"
    assert list(path.parent.iterdir()) == [path]


def test_windows_is_served(path, monkeypatch):
    """Where rename refuses an existing name by itself."""
    rename = Path.rename

    def as_on_windows(self, target):
        if target.exists():
            raise FileExistsError(17, "File exists")
        return rename(self, target)

    monkeypatch.setattr(files, "POSIX", False)
    monkeypatch.setattr(Path, "rename", as_on_windows)
    files.write_new(path, b"x")
    assert files.read_private(path, 10) == b"x"
    with pytest.raises(KeyFileError, match="exists already"):
        files.write_new(path, b"y")
    assert list(path.parent.iterdir()) == [path]


@posix
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
def test_files_open_to_others_are_refused(path, mode):
    """Keys and passphrases alike, readable or writable."""
    kept(path).chmod(mode)
    with pytest.raises(KeyFileError, match="open to other users") as caught:
        vault.load(path, "thing", PASS)
    assert "chmod 600" in caught.value.hint
    with pytest.raises(KeyFileError, match="open to other users"):
        passphrase.from_file(path)


def test_missing_folders_and_giants_are_refused(path):
    """In words."""
    for missing in (path, path.parent):
        with pytest.raises(KeyFileError, match="cannot read"):
            files.read_private(missing, 10)
    with pytest.raises(KeyFileError, match="cannot write"):
        files.write_new(path.parent / "no" / "folder", b"x")
    files.write_new(path, b"x" * 11)
    with pytest.raises(KeyFileError, match="longer"):
        files.read_private(path, 10)


def test_shredding_overwrites_before_it_deletes(path):
    """Seen through a second name of the same bytes on disk."""
    path.write_bytes(b"secret" * 200_000)
    witness = path.with_name("witness")
    witness.hardlink_to(path)
    vault.shred(path)
    assert not path.exists()
    assert witness.stat().st_size == 1_200_000
    assert b"secret" not in witness.read_bytes()


def test_shredding_what_is_not_there_says_so(path):
    """Never quietly, and never through a link."""
    with pytest.raises(KeyFileError, match="cannot shred"):
        vault.shred(path)
    target = path.with_name("target")
    target.write_bytes(b"keep")
    path.symlink_to(target)
    with pytest.raises(KeyFileError, match="cannot shred"):
        vault.shred(path)
    assert target.read_bytes() == b"keep"


# --- vault ----------------------------------------------------------------------------------------------------------


def test_what_is_stored_loads(path):
    """With the passphrase, under the same kind; also after a journey through Windows line ends."""
    kept(path)
    assert vault.load(path, "thing", PASS) == b"payload"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert vault.load(path, "thing", PASS) == b"payload"


def test_a_vault_file_says_what_it_is_but_not_what_it_holds(path):
    """Header in clear, payload and passphrase nowhere."""
    kept(path)
    its = vault.header(path)
    assert (its.kind, its.mode) == ("thing", "test")
    data = path.read_bytes()
    for hidden in (b"payload", base64.b64encode(b"payload"), PASS.value):
        assert hidden not in data


def test_a_wrong_passphrase_opens_nothing(path):
    """By one letter."""
    with pytest.raises(PassphraseError) as caught:
        vault.load(kept(path), "thing", OTHER_PASS)
    assert caught.value.exit_code == 12


def test_a_file_of_another_kind_is_refused(path):
    """A share is no identity; and renaming the kind in the header does not help."""
    with pytest.raises(KeyFileError, match="thing, not identity"):
        vault.load(kept(path), "identity", PASS)
    with pytest.raises(PassphraseError):
        vault.load(rewritten(path, kind="identity"), "identity", PASS)


def test_r50_files_of_the_other_mode_are_refused(path):
    """In both directions; and rewriting the mode in the header does not help."""
    kept(path)
    assert vault.load(path, "thing", PASS, test=True) == b"payload"
    with pytest.raises(TestKeyError, match="test key file"):
        vault.load(path, "thing", PASS, test=False)
    with pytest.raises(KeyFileError, match="cheapened"):
        vault.load(rewritten(path, mode="live"), "thing", PASS, test=False)


def test_r50_a_live_file_costs_the_full_price(path):
    """At least 128 MiB; the tests' price is refused for it, and it opens in live mode alone."""
    with pytest.raises(TestKeyError, match="price of a test"):
        kept(path, test=False)
    assert not path.exists()
    kept(path, test=False, cost=vault.LIVE)
    assert vault.header(path).cost.n == 131_072
    assert vault.load(path, "thing", PASS, test=False) == b"payload"
    with pytest.raises(TestKeyError, match="live key file"):
        vault.load(path, "thing", PASS, test=True)


@pytest.mark.parametrize(
    "changes",
    [
        {"format": "safeguarding-linkage key file 2"},
        {"mode": "TEST"},
        {"more": 1},
        {"salt": "00"},
        {"nonce": "zz"},
        {"salt": 5},
        {"cost": {"n": 1 << 21, "r": 8, "p": 1}},
        {"cost": {"n": 100, "r": 8, "p": 1}},
        {"cost": {"n": 16, "r": 1 << 20, "p": 1}},
        {"cost": {"n": 16.0, "r": 8, "p": 1}},
        {"cost": 16},
    ],
)
def test_headers_never_written_here_are_refused_before_any_work(path, changes):
    """Unknown versions, modes and entries, and prices that would stop the machine."""
    with pytest.raises(KeyFileError, match="not a key file"):
        vault.load(rewritten(kept(path), **changes), "thing", PASS)


@pytest.mark.parametrize("changes", [{"salt": "0" * 32}, {"nonce": "0" * 24}, {"cost": {"n": 32, "r": 8, "p": 1}}])
def test_headers_are_bound_to_the_payload(path, changes):
    """Salt, nonce and price."""
    with pytest.raises(PassphraseError):
        vault.load(rewritten(kept(path), **changes), "thing", PASS)


def test_every_single_character_counts(path):
    """Change any one of the file's characters: it is refused in words, never a traceback."""
    good = kept(path).read_bytes()
    for place in range(len(good)):
        path.write_bytes(good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :])
        with pytest.raises((KeyFileError, PassphraseError)):
            vault.load(path, "thing", PASS)


def test_one_key_file_has_one_form(path):
    """No other spacing, no entry twice, no stray bits behind the payload: what looks different is refused."""
    line, body, _ = kept(path).read_bytes().split(b"\n")
    assert body.endswith(b"=")
    alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    stray = alphabet[alphabet.index(body[-2]) + 1 :][:1]
    for other_line, other_body in (
        (line.replace(b", ", b",  ", 1), body),
        (line.replace(b"{", b'{"kind": "thing", ', 1), body),
        (line, body[:-2] + stray + b"="),
        (line, body + b"\n"),
    ):
        path.write_bytes(other_line + b"\n" + other_body + b"\n")
        with pytest.raises(KeyFileError, match="not a key file"):
            vault.load(path, "thing", PASS)


@pytest.mark.parametrize(
    "data", [b"", b"\n\n", b"{}\n\n", b"[]\nAAAA\n", b"1\n\n", b"[" * 100_000 + b"\n\n", b"\xff\n\n"]
)
def test_other_files_are_no_key_files(path, data):
    """Empty, of other JSON, deeply nested, not text."""
    files.write_new(path, data)
    with pytest.raises(KeyFileError, match="not a key file"):
        vault.header(path)


def test_everything_that_is_kept_is_fetched(tmp_path):
    """Identity, share, secret and storage key, each in a file of its own kind."""
    me, other = (Identity.new(name, test=True) for name in ("Police", "Zoë House"))
    share, _ = contribute(me, [other.public], bytes(32))
    things = [me, share, LinkageSecret(True, bytes(32), b"s" * 32), vault.StorageKey.new(test=True)]
    for thing in things:
        vault.keep(tmp_path / thing.kind, thing, PASS, vault.FOR_TESTS)
        assert vault.fetch(tmp_path / thing.kind, type(thing), PASS, test=True) == thing
    for one, two in itertools.permutations(things, 2):
        with pytest.raises(KeyFileError, match="another kind"):
            vault.fetch(tmp_path / one.kind, type(two), PASS)


@pytest.mark.parametrize("kind", [Identity, LinkageSecret, vault.StorageKey])
def test_a_payload_that_makes_no_sense_is_not_quoted(path, kind):
    """Nothing of what was decrypted stands in the error or its cause."""
    vault.store(path, kind.kind, b"not framed", PASS, test=True, cost=vault.FOR_TESTS)
    with pytest.raises(KeyFileError, match="opens, but holds no") as caught:
        vault.fetch(path, kind, PASS)
    assert caught.value.__suppress_context__


def test_a_vault_is_for_keys_not_for_data(path):
    """What could not be read back is not written."""
    with pytest.raises(ValueError, match="not data"):
        kept(path, bytes(600_000))
    assert not path.exists()


# --- passphrases ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", "short", "elevenchars", "aaaaaaaaaaaaaaaa", "ababababababab", "twelve\nchars"])
def test_weak_passphrases_are_refused_without_being_quoted(text):
    """Too short, too uniform, more than one line."""
    with pytest.raises(PassphraseError) as caught:
        passphrase.from_text(text)
    assert not text or text not in f"{caught.value}{caught.value.hint}"


@pytest.mark.parametrize("ending", [b"", b"\n", b"\r\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_a_passphrase_file_is_one_line(path, mark, ending):
    """Notepad's byte order mark and line end are not part of it; inner and outer spaces are."""
    files.write_new(path, mark + " Grüße an alle Hasen ".encode() + ending)
    assert passphrase.from_file(path) == passphrase.from_text(" Grüße an alle Hasen ")


def test_two_keyboards_type_one_passphrase():
    """Composed and decomposed accents are the same."""
    assert passphrase.from_text("Gru\u0308\u00dfe an alle") == passphrase.from_text("Gr\u00fc\u00dfe an alle")


def test_a_passphrase_file_that_is_no_text_is_not_quoted(path):
    """The decoder's own message would show a byte."""
    files.write_new(path, b"\xffsecretsecret")
    with pytest.raises(PassphraseError, match="UTF-8") as caught:
        passphrase.from_file(path)
    assert caught.value.__suppress_context__


# --- bulk data ------------------------------------------------------------------------------------------------------


@pytest.fixture
def small_chunks(monkeypatch):
    monkeypatch.setattr("keys.storage.CHUNK_BYTES", 64)


KEY = vault.StorageKey(True, b"s" * 32)


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("length", [0, 1, 63, 64, 65, 128, 1000])
def test_blobs_come_back(length):
    """At every border of the chunks."""
    data = bytes(range(256)) * 4
    blob = vault.encrypt_blob(KEY, data[:length], b"aad")
    assert vault.decrypt_blob(KEY, blob, b"aad") == data[:length]
    assert len(blob) == 37 + length + 16 * max(1, -(-length // 64))


@pytest.mark.parametrize("length", [0, 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES])
def test_a_stream_of_chunks_is_the_blob_of_them_together(length):
    data = bytes(range(256)) * (length // 256 + 1)
    chunks = (data[start : min(start + CHUNK_BYTES, length)] for start in range(0, length, CHUNK_BYTES))
    blob = b"".join(encrypt_stream(KEY, chunks, b"aad"))
    assert vault.decrypt_blob(KEY, blob, b"aad") == data[:length]


@pytest.mark.parametrize("lengths", [(CHUNK_BYTES - 1, 1), (CHUNK_BYTES + 1,), (CHUNK_BYTES, CHUNK_BYTES + 1)])
def test_chunks_of_other_lengths_are_refused(lengths):
    """They would be written and never read again."""
    with pytest.raises(ValueError, match="chunk"):
        list(encrypt_stream(KEY, map(bytes, lengths), b"aad"))


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("length", [0, 64, 130, 192])
def test_chunks_cannot_be_dropped_reordered_repeated_or_added(length):
    """The end is bound, and so is the order."""
    blob = vault.encrypt_blob(KEY, bytes(length), b"aad")
    head, body = blob[:37], blob[37:]
    chunks = [body[start : start + 80] for start in range(0, len(body), 80)]
    wrong = [blob[:cut] for cut in (0, 4, 5, 36, 37, 52, len(blob) - 1)]
    wrong += [head + b"".join(chunks[:-1]), head + b"".join(chunks) + chunks[-1], blob + b"\0"]
    if len(chunks) > 1:
        wrong += [head + b"".join(reversed(chunks)), head + b"".join(chunks[1:]), head + b"".join([chunks[0], *chunks])]
    for broken in wrong:
        with pytest.raises(OpenError):
            vault.decrypt_blob(KEY, broken, b"aad")


@pytest.mark.usefixtures("small_chunks")
def test_chunks_of_two_blobs_do_not_mix():
    """Same key, same context, same place: another salt, another key."""
    one, two = (vault.encrypt_blob(KEY, bytes(128), b"aad") for _ in range(2))
    with pytest.raises(OpenError):
        vault.decrypt_blob(KEY, one[:117] + two[117:], b"aad")


def test_blobs_are_bound_to_key_and_context():
    """Another key, or another purpose, opens nothing."""
    blob = vault.encrypt_blob(KEY, b"data", b"aad")
    with pytest.raises(OpenError):
        vault.decrypt_blob(vault.StorageKey.new(test=True), blob, b"aad")
    with pytest.raises(OpenError):
        vault.decrypt_blob(KEY, blob, b"aae")
    flipped = blob[:-1] + bytes([blob[-1] ^ 1])
    with pytest.raises(OpenError):
        vault.decrypt_blob(KEY, flipped, b"aad")


@pytest.mark.parametrize("test", [True, False])
def test_r50_test_blobs_and_live_keys_never_meet(test):
    """The very same key bytes; and rewriting the mode opens nothing."""
    sealer, opener = (dataclasses.replace(KEY, test=mode) for mode in (test, not test))
    blob = vault.encrypt_blob(sealer, b"data", b"aad")
    with pytest.raises(TestKeyError):
        vault.decrypt_blob(opener, blob, b"aad")
    with pytest.raises(OpenError):
        vault.decrypt_blob(opener, blob[:4] + (b"L" if test else b"T") + blob[5:], b"aad")
