"""R4, R27: planted values of a person appear in nothing that leaves a process but the packages, and there unreadably.

Not on success, not on failure, not in a traceback: in clear, in other letters, UTF-16, base64 or hexadecimal.
"""

import base64
import csv
import re
import secrets
import shutil
import zlib

import numpy as np
import pytest

from keys import passphrase, vault
from keys.identity import Identity
from linkage.agreement import load
from linkage.package.container import Expected, open_package
from tests.flow import parties
from tests.flow.forks import linkage
from tests.flow.parties import AGENCIES, PASSPHRASE, RUN, carry, encode_arguments, kind_of, listing
from tests.flow.people import nhs_number

CANARIES = {
    "forename": "Quillfeatherby",
    "surname": "O'Zanzibarovich",
    "postcode": "ZE2 9XQ",
    "street": "77 Marzipanquay Rise",
    "phone": "07700 900471",
    "born": "17/02/1979",
    "nhs": nhs_number(777),
    "note": "hit the budgerigar",
    "shoes": "vermilionbrogue",
    "mother": "Wilhelmarina",
}


def forms(text):
    """A value in every dress in which it might slip out."""
    plain = {text, re.sub(r"[ '/-]", "", text), text.replace("'", "&#39;"), text.replace(" ", "")}
    if text == CANARIES["born"]:
        plain = {text, "1979-02-17", "17021979", "19790217", "17 February 1979"}
    if text == CANARIES["phone"]:
        plain |= {"7700900471", "+447700900471"}
    if text == CANARIES["surname"]:
        plain |= {"ZANZIBAROVICH", "anzibarov"}
    cased = {form for one in plain for form in (one, one.upper(), one.lower(), one.title())}
    found = set()
    for form in cased:
        raw = form.encode()
        found |= {
            raw,
            form.encode("utf-16-le"),
            form.encode("utf-16-be"),
            raw.hex().encode(),
            raw.hex().upper().encode(),
        }
        for shift in range(3):  # base64 of a text wherever in a line it stands, less the letters its neighbours share
            packed = base64.b64encode(b"\0" * shift + raw).rstrip(b"=")
            found.add(packed[(0, 2, 3)[shift] : -1])
    return {one for one in found if len(one) >= 6}


NEEDLES = {one for text in CANARIES.values() for one in forms(text)}


def silent(hay, what):
    found = sorted({one for one in NEEDLES if one in hay})
    assert not found, (what, found)


@pytest.fixture
def leaks():
    """Search all files of all parties but their own input, the homes and temporary folders, and what was said."""

    def search(world, *said):
        for done in said:
            silent(f"{done.out}\n{done.err}".encode("utf-8", "surrogateescape"), "said")
        for name, data in listing(world).items():
            silent(name.encode(), name)
            if data and not name.endswith(("/export.csv", "/flags.csv", "/bad.csv", "/bad-flags.csv", "/bad.toml")):
                silent(data, name)

    return search


def test_the_search_finds_what_is_there():
    """Each canary, in each dress, in the middle of something else."""
    for text in CANARIES.values():
        dressed = [
            text, text.upper(), text.lower(), text.encode("utf-16-le"), text.encode().hex(),
            base64.b64encode(b"x" + text.encode() + b"yz"), base64.b64encode(text.encode() + b"yz"),
            base64.b64encode(b"ab" + text.encode() + b"yz"),
        ]  # fmt: skip
        for one in dressed:
            raw = one if isinstance(one, bytes) else one.encode()
            assert any(needle in b"..." + raw + b"..." for needle in NEEDLES), (text, one)


def plant(home):
    """The same man in every party's file, with columns no mapping knows; what he is must come back in nothing."""
    path, encoding = home / "export.csv", "cp1252" if home.name == "police" else "utf-8-sig"
    with path.open(encoding=encoding, newline="") as file:
        rows = list(csv.DictReader(file))
    man = {
        "Local Patient ID": "P1", "Given Name": CANARIES["forename"], "Family Name": CANARIES["surname"],
        "Birth Date": "1979-02-17", "Gender": "1", "Postcode": CANARIES["postcode"], "Mobile": CANARIES["phone"],
        "NHS Number": CANARIES["nhs"], "Father ID": "F1",
        "Father Forename": CANARIES["forename"], "Father Surname": CANARIES["surname"],
        "Father DOB": CANARIES["born"], "Sex": "M", "Father Address": CANARIES["street"],
        "Father Postcode": CANARIES["postcode"], "Father Phone": CANARIES["phone"], "Father NHS No": CANARIES["nhs"],
        "Child ID": "0071999", "Case ID": "CIN-1", "Due Date": "14/03/2026", "Relationship": "FATHER",
        "Paternity": "CONFIRMED", "NOMINAL_REF": "N1", "FIRST_NAME": CANARIES["forename"],
        "SURNAME": CANARIES["surname"], "DOB": CANARIES["born"], "GENDER": "M", "ADDRESS_LINE_1": CANARIES["street"],
        "POSTCODE": CANARIES["postcode"], "MOBILE": CANARIES["phone"],
    }  # fmt: skip
    more = {"NOTES": CANARIES["note"], "SHOES": CANARIES["shoes"], "MOTHER_NAME": CANARIES["mother"]}
    columns = [*rows[0], *more]
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.DictWriter(file, columns, restval=CANARIES["note"], extrasaction="ignore")
        writer.writeheader()
        writer.writerows([*rows, man | more])
    flags = home / "flags.csv"
    if flags.exists():
        flag = {"police": "N1,DA-P", "mental_health": "P1,MH-O"}[home.name]
        flags.write_text(f"{flags.read_text()}{flag},FACT,2025-06-01,ACTIVE\n")


def test_r4_r27_no_canary_leaves_in_a_whole_run(at, leaks):
    """He is linked, so all of him was used; and neither package, log, worklist, sheet nor report shows any of it."""
    homes = at("agreed")
    world = homes["police"].parent
    for party in AGENCIES:
        plant(homes[party])
    said = []
    for party in ("police", "mental_health"):
        mapping = ["--mapping", "mapping.toml"] if party == "mental_health" else []
        said.append(linkage(homes[party], "profile", "export.csv", *mapping, passphrase=False))
        said.append(linkage(homes[party], "profile", "export.csv", *mapping, "--json", passphrase=False))
    said += [linkage(homes[party], *encode_arguments(homes[party]), "--json") for party in AGENCIES]
    leaks(world, *said)
    carry(world)
    said.append(linkage(homes["matcher"], "screen", "--run", RUN))
    carry(world)
    said += [linkage(homes[party], "answer", "--run", RUN) for party in AGENCIES]
    carry(world)
    said.append(linkage(homes["matcher"], "decide", "--run", RUN))
    carry(world)
    said.append(linkage(homes["childrens_services"], "receive", "--run", RUN, "--json"))
    worklist = (homes["childrens_services"] / "worklists" / RUN / "worklist.csv").read_text("utf-8-sig")
    assert worklist.count("0071999") == 2  # known to the police and to the trust
    assert len(opened(homes)) == 3 + 3 + 3 + 1
    for name, data in opened(homes).items():
        silent(data, name)
    random_to_whoever_has_no_key(world)
    said += [linkage(home, "log", "show", passphrase=False) for home in homes.values()]
    leaks(world, *said)
    said += [linkage(home, "close", "--run", RUN) for home in homes.values()]
    leaks(world, *said)


def opened(homes):
    """Everything each party can open of what came to it: name, and all bytes within."""
    agreement, found = load(homes["matcher"] / "agreement.toml"), {}
    for home in homes.values():
        word = passphrase.from_text(PASSPHRASE.format(home.name))
        identity = vault.fetch(home / "identity.key", Identity, word)
        for path in sorted((home / "inbox").glob(f"{RUN}-*")):
            body = open_package([path.read_bytes()], Expected(kind_of(path), RUN, agreement), identity).body
            found[f"{home.name}/{path.name}"] = body.meta + b"".join(each.tobytes() for each in body.arrays.values())
    return found


def random_to_whoever_has_no_key(world):
    """Sealed packages and all state at rest: bytes equally frequent, and nothing for a compressor to find."""
    hidden = {}
    for path in sorted(world.glob("*/outbox/*.linkage")):
        data = path.read_bytes()
        hidden[path] = data[12 + int.from_bytes(data[8:12], "little") + 64 :]
    for path in sorted(world.glob("*/runs/*/*.sealed")):
        hidden[path] = path.read_bytes()[5:]
    assert {path.parts[-3] for path in hidden} >= {*homes_of(world), "runs"}
    for path, data in hidden.items():
        assert len(zlib.compress(data, 9)) >= len(data), path
        assert chi_squared(data) < 255 + 6 * 510**0.5, path
    together = b"".join(hidden.values())
    assert len(together) > 1_000_000
    assert abs(chi_squared(together) - 255) < 5 * 510**0.5


def homes_of(world):
    return {path.name for path in world.iterdir() if (path / "outbox").is_dir()}


def chi_squared(data):
    """Of byte frequencies against equal ones; 255 is expected, with a standard deviation of 22.6."""
    counts = np.bincount(np.frombuffer(data, np.uint8), minlength=256)
    return float(((counts - len(data) / 256) ** 2).sum() / (len(data) / 256))


def test_the_search_for_order_sees_it():
    """A text, and random bytes of which one in a hundred is another."""
    assert chi_squared(b"the same old words " * 500) > 10_000
    assert len(zlib.compress(b"the same old words " * 500)) < 1000
    data = bytearray(secrets.token_bytes(1_000_000))
    data[::100] = bytes(10_000)
    assert chi_squared(bytes(data)) - 255 > 5 * 510**0.5


HEADER = "NOMINAL_REF,SURNAME,FIRST_NAME,DOB,GENDER,POSTCODE,MOBILE,NHS_NUMBER,NOTES"
MAN = ",".join(
    ["N1", CANARIES["surname"], CANARIES["forename"], CANARIES["born"], "M", CANARIES["postcode"], CANARIES["phone"],
     CANARIES["nhs"], CANARIES["note"]]
)  # fmt: skip
BAD = {
    "no header": f"{MAN}\n{MAN}\n",
    "header below a title": f"{CANARIES['mother']}\n{HEADER}\n{MAN}\n",
    "two columns of one name": f"{HEADER},NOTES\n{MAN},{CANARIES['note']}\n",
    "an id twice": f"{HEADER}\n{MAN}\n{MAN.replace(CANARIES['forename'], 'Otherwise')}\n",
    "no id": f"{HEADER}\n{MAN.replace('N1', '')}\n",
    "a date that is none": f"{HEADER}\n{MAN.replace(CANARIES['born'], CANARIES['note'])}\n",
    "dates in both orders": f"{HEADER}\n{MAN}\n{MAN.replace('N1', 'N2').replace('17/02', '02/17')}\n",
    "a cell too many": f"{HEADER}\n{MAN},{CANARIES['shoes']}\n",
    "a cell too few": f"{HEADER}\n{MAN.rsplit(',', 3)[0]}\n",
    "an open quotation": f'{HEADER}\n"{MAN}\n',
    "values in the wrong columns": f"{HEADER}\nN1,{CANARIES['born']},{CANARIES['postcode']},{CANARIES['forename']}"
    f",{CANARIES['surname']},{CANARIES['phone']},{CANARIES['nhs']},{CANARIES['note']},{CANARIES['street']}\n",
    "a value as header": f"{HEADER},{CANARIES['shoes']}\n{MAN},{CANARIES['street']}\n",
    "an id that is a name": f"{HEADER}\n{MAN.replace('N1', CANARIES['surname'])}\n",
    "nothing but a header of values": f"{MAN}\n",
    "control characters": f"{HEADER}\n{MAN}\0\x1b[31m\n",
    "a very long cell": f"{HEADER}\n{MAN}{CANARIES['note'] * 30000}\n",
}


@pytest.mark.parametrize("what", BAD)
def test_r4_r45_a_bad_file_is_told_without_a_value(at, leaks, what):
    """Profile, encode and rehearse, whatever they make of it."""
    home = at("agreed")["police"]
    (home / "bad.csv").write_text(BAD[what], "utf-8")
    said = [
        linkage(home, "profile", "bad.csv", passphrase=False, expect=None),
        linkage(home, "encode", "bad.csv", "--run", "bad", "--json", expect=None),
        linkage(home, "encode", "bad.csv", "--run", "bad-2", "--dates", "dmy", expect=None),
    ]
    assert all(done.code != 1 and "Traceback" not in done.err for done in said), [done.err for done in said]
    leaks(home.parent, *said)


@pytest.mark.parametrize("encoding", ["utf-16", "cp1252", "utf-8-sig", "latin-1"])
def test_r4_a_file_in_another_encoding_shows_nothing(at, leaks, encoding):
    home = at("agreed")["police"]
    (home / "bad.csv").write_bytes(BAD["a cell too many"].replace("budgerigar", "b\u00fcdgerigar").encode(encoding))
    leaks(home.parent, linkage(home, "profile", "bad.csv", passphrase=False, expect=None))


@pytest.mark.parametrize(
    "flag",
    [
        f"N30280,{CANARIES['note']},FACT,2025-06-01,ACTIVE",
        f"{CANARIES['surname']},DA-P,FACT,2025-06-01,ACTIVE",
        f"N30280,DA-P,{CANARIES['note']},2025-06-01,{CANARIES['shoes']}",
        f"N30280,DA-P,FACT,{CANARIES['note']},ACTIVE",
        f"N30280,DA-P,FACT,2025-06-01,ACTIVE,{CANARIES['note']}",
    ],
)
def test_r4_r5_a_bad_flag_file_is_told_without_a_value(at, leaks, flag):
    home = at("agreed")["police"]
    (home / "bad-flags.csv").write_text(f"local_id,code,basis,date,status\n{flag}\n")
    done = linkage(home, "encode", "export.csv", "--flags", "bad-flags.csv", "--run", "bad", expect=None)
    assert done.code in (22, 23, 25)
    leaks(home.parent, done)


def test_r5_a_flag_file_with_a_note_beside_is_refused_without_it(at, leaks):
    home = at("agreed")["police"]
    (home / "bad-flags.csv").write_text(
        f"local_id,code,basis,date,status,{CANARIES['shoes']}\nN30280,DA-P,FACT,2025-06-01,ACTIVE,{CANARIES['note']}\n"
    )
    done = linkage(home, "encode", "export.csv", "--flags", "bad-flags.csv", "--run", "bad", expect=25)
    leaks(home.parent, done)


def test_r4_rehearse_shows_no_value(at, leaks):
    """Not in its report either, and the column of true persons is as silent as the others."""
    home = at("agreed")["police"]
    plant(home)
    shutil.copy(home / "export.csv", home / "bad.csv")
    args = ["rehearse", "--input", "a=export.csv", "--input", "b=bad.csv", "--out", "report"]
    done = linkage(home, *args, "--truth-column", "NOTES", passphrase=False, expect=None)
    assert done.code in (0, 22), done.err
    leaks(home.parent, done)
    if done.code:
        done = linkage(home, *args, passphrase=False)
        leaks(home.parent, done)


CRASH = """
import sys
import cli
from linkage.intake import {module}
def broken(*args, **options):
    name = {canary!r}
    try:
        int(name)
    except ValueError as problem:
        raise {error} from problem
{module}.{function} = broken
{more}
sys.argv = ["linkage", "encode", "export.csv", "--run", "crash", "--passphrase-file", "passphrase.txt"]
cli.main()
"""


@pytest.mark.parametrize(
    ("module", "function", "more"),
    [
        ("records", "take_in", "import linkage.steps.reading as a; a.take_in = broken"),
        ("table", "read_table", "import linkage.steps.reading as a; a.read_table = broken"),
        ("records", "standardise", "import linkage.parties.parted as a; a.tokenise = broken"),
    ],
)
@pytest.mark.parametrize(
    "error", ["ValueError(name)", "KeyError(name)", "UnicodeDecodeError('utf-8', name.encode(), 0, 1, name)"]
)
def test_r4_a_crash_shows_no_value(at, leaks, module, function, more, error):
    """A bug of ours is told by file, line and function; neither its message, its cause nor its variables."""
    home = at("agreed")["police"]
    code = CRASH.format(module=module, function=function, more=more, error=error, canary=CANARIES["surname"])
    (home / "passphrase.txt").chmod(0o600)
    done = parties.python(home, "-c", code, expect=1)
    assert f"this is our bug ({error.split('(')[0]})" in done.err
    assert "in broken" in done.err
    assert "Traceback" not in done.err
    leaks(home.parent, done)


def test_r4_an_interrupted_command_shows_no_value(at, leaks):
    home = at("agreed")["police"]
    code = CRASH.format(
        module="records", function="take_in", more="import linkage.steps.reading as a; a.take_in = broken",
        error="KeyboardInterrupt(name)", canary=CANARIES["surname"],
    )  # fmt: skip
    done = parties.python(home, "-c", code, expect=130)
    assert "Traceback" not in done.err
    leaks(home.parent, done)
