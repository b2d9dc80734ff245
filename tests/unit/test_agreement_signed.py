"""The agreement's digest, and every party's hand under it."""

import datetime as dt

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linkage.agreement import check_signatures, dump, load, sign_terms, signature_path
from linkage.errors import AgreementSignatureError
from linkage.schema import Kind
from linkage.terms import Party, Profile, Terms
from tests import support

BASE = support.agreement()


@pytest.fixture
def signed(tmp_path):
    """An agreement all have signed, and its path."""
    agreement, path = support.agreement(), tmp_path / "agreement.toml"
    path.write_bytes(dump(agreement.terms))
    for party in agreement.terms.parties:
        signature_path(path, party.name).write_text(sign_terms(agreement, support.identity(party.name)))
    return agreement, path


def refused(agreement, path):
    with pytest.raises(AgreementSignatureError) as refusal:
        check_signatures(agreement, path)
    assert refusal.value.exit_code == 5
    return refusal.value.details


def test_signed_by_all_is_signed(signed):
    check_signatures(*signed)


def test_every_missing_signature_is_named(signed):
    agreement, path = signed
    for name in ("police", "matcher"):
        signature_path(path, name).unlink()
    assert refused(agreement, path) == (
        "police has not signed (agreement.police.sig is missing)",
        "matcher has not signed (agreement.matcher.sig is missing)",
    )


def test_a_signature_under_other_terms_is_refused(signed):
    agreement, path = signed
    other = support.agreement(title="Another")
    signature_path(path, "police").write_text(sign_terms(other, support.identity("police")))
    assert refused(agreement, path) == ("police has signed something else",)


def test_nobody_signs_for_another(signed):
    agreement, path = signed
    signature_path(path, "police").write_text(sign_terms(agreement, support.identity("housing")))
    assert refused(agreement, path) == ("police has signed something else",)


def test_a_signature_for_another_purpose_does_not_count(signed):
    agreement, path = signed
    certificate = support.identity("police").sign(agreement.digest, purpose=b"certificate")
    signature_path(path, "police").write_text(certificate.hex())
    assert refused(agreement, path) == ("police has signed something else",)


@pytest.mark.parametrize("text", ["", "zz", "00" * 64, "é"])
def test_what_is_no_signature_is_refused(signed, text):
    agreement, path = signed
    signature_path(path, "police").write_bytes(text.encode("latin-1"))
    assert refused(agreement, path) == ("police has signed something else",)


def test_terms_changed_after_signing_are_refused_for_all(signed):
    _, path = signed
    path.write_text(path.read_text().replace("most_links = 1000000", "most_links = 1000001"))
    assert len(refused(load(path), path)) == len(support.ROLES)


# --- the digest -----------------------------------------------------------------------------------------------------


def _other(value):  # noqa: PLR0911 - one line a type
    """Another value of the same type."""
    match value:
        case bool():
            return not value
        case Kind():
            return Kind.TEXT if value is not Kind.TEXT else Kind.SEX
        case str():
            return value + "x"
        case float():
            return value + 0.25
        case int():
            return value + 1
        case dt.date():
            return value + dt.timedelta(1)
        case dict():
            return {key: _other(each) for key, each in value.items()}
        case tuple():
            return value[:-1] if value else (1,)
    raise TypeError(type(value))


def _changes(struct, path=()):
    """The struct once for every entry of it and of its tables, with that entry alone changed."""
    for name in struct.__struct_fields__:
        value = getattr(struct, name)
        if isinstance(value, msgspec.Struct):
            for inner, where in _changes(value, (*path, name)):
                yield msgspec.structs.replace(struct, **{name: inner}), where
        else:
            yield msgspec.structs.replace(struct, **{name: _other(value)}), (*path, name)


def digest(terms, profile):
    """The digest without the checks, so that any single change can be tried."""
    agreement = support.agreement()
    agreement.terms, agreement.profile = terms, profile
    return agreement.digest


TERMS = support.terms()
CHANGED = [(digest(terms, support.DIFFUSED), ".".join(where)) for terms, where in _changes(TERMS)]
CHANGED += [(digest(TERMS, profile), "profile." + ".".join(where)) for profile, where in _changes(support.DIFFUSED)]
CHANGED += [
    (digest(msgspec.structs.replace(TERMS, parties=(party, *TERMS.parties[1:])), support.DIFFUSED), f"parties.{where}")
    for party, where in _changes(TERMS.parties[0])
]
CHANGED += [
    (digest(msgspec.structs.replace(TERMS, fields=(field, *TERMS.fields[1:])), support.DIFFUSED), f"fields.{where}")
    for field, where in _changes(TERMS.fields[0])
]


def test_the_digest_changes_with_every_term():
    """Each entry of the terms, of a party, of a field and of the profile; and no two changes meet."""
    digests = [one for one, _ in CHANGED]
    assert BASE.digest not in digests
    assert len(set(digests)) == len(digests)
    entries = sum(len(type_.__struct_fields__) for type_ in (Terms, Profile, Party))
    assert len(CHANGED) > entries


def _mixed(table, draw):
    keys = draw(st.permutations(list(table)))
    return {key: _mixed(table[key], draw) if isinstance(table[key], dict) else table[key] for key in keys}


@given(st.data())
@settings(max_examples=50)
def test_the_digest_does_not_depend_on_the_order_of_entries_or_on_comments(data):
    import tomli_w

    plain = msgspec.to_builtins(support.terms(), builtin_types=(dt.date,))
    text = "# a comment\n" + tomli_w.dumps(_mixed(plain, data.draw)).replace("\n\n", "\n\n# another\n\n")
    read = msgspec.toml.decode(text.encode(), type=Terms)
    assert digest(read, support.DIFFUSED) == BASE.digest


def test_the_short_digest_is_for_reading_aloud():
    assert BASE.short_digest.replace(" ", "") == BASE.digest.hex()[:16]
    assert [len(group) for group in BASE.short_digest.split(" ")] == [4, 4, 4, 4]
