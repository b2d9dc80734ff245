"""Parties, papers and people for tests: pretend identities, a short agreement, records from plain dictionaries."""

import datetime as dt
from functools import cache

import msgspec
import numpy as np

from keys import passphrase, vault
from keys.aead import NoteSealer
from keys.derive import run_key
from keys.identity import Identity
from keys.secret import LinkageSecret
from linkage import toml
from linkage.agreement import Agreement, dump, sign_terms, signature_path
from linkage.combinations import TokenProfile
from linkage.exchange.desk import AGREEMENT, IDENTITY, open_desk
from linkage.model import Column, Note, Records
from linkage.notes import NOTE_BYTES
from linkage.resources import CONFIGS
from linkage.schema import Field, Kind, Schema
from linkage.terms import Party, Profile, Requests, Screening, Terms

PASS = passphrase.from_text("correct horse battery staple")
ROLES = {
    "childrens_services": ("anchor-agency", "childrens-services"),
    "police": ("agency",),
    "housing": ("agency",),
    "matcher": ("matcher",),
}
SCHEMA = Schema(
    (
        Field("forename", Kind.FORENAME, 3),
        Field("surname", Kind.SURNAME, 2),
        Field("date_of_birth", Kind.DATE, 2),
        Field("postcode", Kind.POSTCODE, 2),
        Field("sex", Kind.SEX),
        Field("address", Kind.TEXT),
        Field("phone", Kind.PHONE),
        Field("nhs_number", Kind.IDENTIFIER),
    )
)
DIFFUSED = toml.read(CONFIGS / "profiles" / "union-2026-11.toml", Profile)
PLAIN = toml.read(CONFIGS / "profiles" / "plain-2026-11.toml", Profile)
TODAY = dt.date(2026, 12, 1)


@cache
def identity(name):
    return Identity.new(name, test=True)


def party(name, **changes):
    entries = {
        "name": name,
        "title": name.replace("_", " ").capitalize(),
        "roles": ROLES[name],
        "contact_desk": f"desk of {name}",
        "identity": identity(name).public.to_text(),
    }
    return Party(**(entries | changes))


@cache
def _rehearsal():
    return toml.read(CONFIGS / "examples" / "rehearse.toml", Terms)


def terms(**changes):
    """The rehearsal's terms between four parties who ask as real ones do, changed as asked."""
    entry = _rehearsal().fields[0]
    fields = tuple(msgspec.structs.replace(entry, name=f.name, kind=f.kind, values=f.values) for f in SCHEMA.fields)
    screening = msgspec.structs.replace(_rehearsal().screening, profile="union-2026-11", candidates=15)
    entries = {
        "parties": tuple(party(name) for name in ROLES),
        "fields": fields,
        "screening": screening,
        "requests": Requests(),
    }
    return msgspec.structs.replace(_rehearsal(), **(entries | changes))


def agreement(profile=DIFFUSED, **changes):
    named = profile.tokens and toml.read(CONFIGS / "tokens" / f"{profile.tokens.profile}.toml", TokenProfile)
    return Agreement(terms(**changes), profile, named)


def one_round(**changes):
    """The short agreement for one round, changed as asked."""
    plain = {"protocol": "one-round", "requests": None, "screening": Screening(round_patterns=1)}
    profile = toml.read(CONFIGS / "tokens" / "tight-2026-11.toml", TokenProfile)
    return Agreement(terms(**(plain | changes)), DIFFUSED, profile)


def key(run="run-1", secret=b"s" * 32, digest=b"d" * 32):
    return run_key(LinkageSecret(True, digest, secret), run, digest)


def column(values):
    """A column from one list of values per person."""
    vocabulary = tuple(dict.fromkeys(value for person in values for value in person))
    place = {value: nth for nth, value in enumerate(vocabulary)}
    codes = np.array([place[value] for person in values for value in person], np.int32)
    return Column(vocabulary, codes, np.cumsum([0, *map(len, values)]).astype(np.int64))


def records(*people, schema=SCHEMA, notes=()):
    """Records from one dictionary per person: field name to value or list of values."""
    columns = {}
    for field in schema.fields:
        held = [person.get(field.name, []) for person in people]
        columns[field.name] = column([[one] if isinstance(one, str) else list(one) for one in held])
    ids = tuple(f"id-{nth}" for nth in range(len(people)))
    return Records(ids, columns, np.arange(2, len(people) + 2, dtype=np.int32), tuple(notes))


def county(count, seed=1, schema=SCHEMA):
    """People with common names, some without a date or postcode, some with aliases."""
    rng = np.random.default_rng(seed)
    forenames = ["JOHN", "DAVID", "MICHAEL", "PAUL", "MOHAMMED", "JAMES", "TOMASZ", "KWAME", "LEE", "OLUWASEUN"]
    surnames = ["SMITH", "JONES", "PATEL", "KOWALSKI", "OKAFOR", "TAYLOR", "KHAN", "BROWN", "EVANS", "OBI"]
    people = []
    for _ in range(count):
        person = {"surname": str(rng.choice(surnames)), "forename": [str(rng.choice(forenames))]}
        if rng.random() < 0.2:
            person["forename"].append("ALIAS")
        if rng.random() < 0.8:
            born = dt.date(1965, 1, 1) + dt.timedelta(int(rng.integers(0, 14_000)))
            person["date_of_birth"] = born.isoformat()
        if rng.random() < 0.7:
            person["postcode"] = f"LS{rng.integers(1, 9)} {rng.integers(1, 9)}A{'BDEFGHJLNP'[rng.integers(0, 10)]}"
        people.append(person)
    return records(*people, schema=schema, notes=[Note()] * count)


def desk(folder, name, agreed=None):
    """A party's folder with everything signed, and its desk; the price of a passphrase is a test's."""
    agreed = agreed or agreement()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / AGREEMENT).write_bytes(dump(agreed.terms))
    for one in agreed.terms.parties:
        signature_path(folder / AGREEMENT, one.name).write_text(sign_terms(agreed, identity(one.name)))
    vault.keep(folder / IDENTITY, identity(name), PASS, vault.FOR_TESTS)
    return open_desk(folder, PASS, today=TODAY)


def sealer(length=NOTE_BYTES):
    """What an agency seals its notes with."""
    recipient = identity("childrens_services").public
    return NoteSealer.new(recipient, run="run-1", sender="police", context=b"d" * 32, length=length)


def some(whole, rows):
    """The records of some people, as a file that holds them alone would give."""
    columns = {}
    for name, held in whole.columns.items():
        bounds = [(held.offsets[row], held.offsets[row + 1]) for row in rows]
        columns[name] = column([[held.vocabulary[code] for code in held.codes[a:b]] for a, b in bounds])
    notes = tuple(whole.notes[row] for row in rows) if whole.notes else ()
    return Records(tuple(whole.local_ids[row] for row in rows), columns, whole.lines[rows], notes)
