"""What police, health, probation and housing export: each with its own columns, order of dates and way of writing.

A desk and the people in its file come in, columns go out.
Rule: the true person of a row is never written; truth is apart.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from linkage.synth.damage import NO_DATE, Dates, Mask
from linkage.synth.desk import (
    Desk,
    Rows,
    blanked,
    borrowed_names,
    date_texts,
    filled,
    former_postcodes,
    other_dates,
    other_names,
    upper,
    write_card,
)
from linkage.synth.identifiers import local_ids
from linkage.synth.tables import Words

Columns = dict[str, Words]
"""Columns of a table by header, the id first; cells are str, or datetime.datetime or None in a workbook."""


REMEMBERED = 0.1
"""Share of men giving another's name who also know his birthday; such a row names an innocent man to the day."""


def police(desk: Desk, rows: Rows) -> Columns:
    """Nominals: aliases, several dates of birth, address history; surnames in capitals; Windows-1252."""
    rng, habits, count = desk.rng, desk.habits, len(rows)
    said = borrowed_names(desk, rows)
    card = write_card(desk, rows, said)
    off = rng.integers(-900, 900, size=count).astype("timedelta64[D]")
    born = np.where(
        (said == rows) | (card.born == NO_DATE) | (rng.random(count) < REMEMBERED), card.born, card.born - off
    )
    has = filled(
        rng,
        count,
        {"date": habits.has_date, "phone": habits.has_phone, "postcode": habits.has_postcode, "pnc": habits.has_pnc}
        | {"cro": habits.has_cro},
    )
    return {
        "NOMINAL_REF": local_ids(rng, count, "N", 8),
        "SURNAME": upper(card.last),
        "FORENAME_1": card.first,
        "FORENAME_2": card.middle,
        "ALIASES": desk.pen.plain(other_names(desk, rows)),
        "DOB": blanked(date_texts(born, "dmy"), has["date"]),
        "ALT_DOB": date_texts(other_dates(desk, born), "dmy"),
        "SEX": blanked(card.sex, desk.some(count, 0.985), "U"),
        "ADDRESS_LINE_1": blanked(card.address, has["postcode"]),
        "POSTCODE": blanked(card.postcode, has["postcode"]),
        "PREV_POSTCODE": former_postcodes(desk, rows),
        "PHONE": blanked(card.phone, has["phone"]),
        "PNC_ID": blanked(desk.numbers.pnc[rows], has["pnc"]),
        "CRO_NO": blanked(desk.numbers.cro[rows], has["cro"]),
        "STATION": _one_of(desk, count, "Merrowminster Central;Port Averil;Thornwick;Castle Orrin;Saltby Sands"),
        "LAST_UPDATED": date_texts(_recently(desk, count), "dmy"),
    }


def mental_health(desk: Desk, rows: Rows) -> Columns:
    """A workbook with real dates in its cells; NHS numbers nearly always."""
    rng, habits, count = desk.rng, desk.habits, len(rows)
    card = write_card(desk, rows)
    has = filled(
        rng,
        count,
        {"name": habits.has_name, "date": habits.has_date, "phone": habits.has_phone, "postcode": habits.has_postcode}
        | {"nhs": habits.has_nhs_number},
    )
    return {
        "Patient ID": local_ids(rng, count, "", 7),
        "NHS Number": blanked(_spaced_nhs(desk.numbers.nhs[rows]), has["nhs"]),
        "First Name": blanked(card.first, has["name"]),
        "Middle Name": blanked(card.middle, has["name"]),
        "Last Name": card.last,
        "Alias": other_names(desk, rows),
        "Date of Birth": _date_cells(card.born, has["date"]),
        "Gender": np.where(card.sex == "M", "Male", "Female").astype(object),
        "Address Line 1": blanked(card.address, has["postcode"]),
        "Postcode": blanked(card.postcode, has["postcode"]),
        "Previous Postcode": former_postcodes(desk, rows),
        "Mobile": blanked(card.phone, has["phone"]),
        "Care Team": _one_of(desk, count, "Community North;Community South;Crisis;Early Intervention;Inpatient"),
        "Referral Date": _date_cells(_recently(desk, count), np.ones(count, dtype=bool)),
    }


def drugs_alcohol(desk: Desk, rows: Rows) -> Columns:
    """The service's local file: chosen names, no fixed abode, dates as dd/mm/yyyy."""
    rng, habits, count = desk.rng, desk.habits, len(rows)
    card = write_card(desk, rows)
    has = filled(
        rng,
        count,
        {"name": habits.has_name, "date": habits.has_date, "phone": habits.has_phone, "postcode": habits.has_postcode}
        | {"nhs": habits.has_nhs_number},
    )
    return {
        "Client Ref": local_ids(rng, count, "DA-", 6),
        "Forename": card.first,
        "Surname": blanked(card.last, has["name"], "unknown"),
        "Alias": other_names(desk, rows),
        "DOB": blanked(date_texts(card.born, "dmy"), has["date"]),
        "Gender": card.sex,
        "Address": blanked(card.address, has["postcode"]),
        "Postcode": blanked(card.postcode, has["postcode"]),
        "Tel No": blanked(card.phone, has["phone"]),
        "NHS No": blanked(desk.numbers.nhs[rows], has["nhs"]),
        "Key Worker Team": _one_of(desk, count, "Bridge House;Harbour;Recovery Hub"),
    }


def probation(desk: Desk, rows: Rows) -> Columns:
    """CRN, NOMS, PNC and CRO; lists of aliases, dates and postcodes; rows a migration spoilt; dates as in ISO 8601."""
    rng, habits, count = desk.rng, desk.habits, len(rows)
    card = write_card(desk, rows)
    has = filled(
        rng,
        count,
        {"name": habits.has_name, "date": habits.has_date, "phone": habits.has_phone, "postcode": habits.has_postcode}
        | {"pnc": habits.has_pnc, "cro": habits.has_cro},
    )
    crn = local_ids(rng, count, "X", 6)
    spoilt = np.where(rng.random(count) < 0.6, "MIG_ERROR_", "DUPLICATE_").astype(object) + crn
    dates = date_texts(card.born, "iso")
    more = date_texts(other_dates(desk, card.born), "iso")
    dates = np.where(more == "", dates, dates + "|" + more).astype(object)
    codes, former = blanked(card.postcode, has["postcode"]), former_postcodes(desk, rows)
    codes = np.where((codes != "") & (former != ""), codes + "; " + former, codes + former)
    return {
        "CRN": crn,
        "NOMS_NO": blanked(_noms(desk, count), desk.some(count, 0.4)),
        "PNC_NO": blanked(desk.numbers.pnc[rows], has["pnc"]),
        "CRO_NO": blanked(desk.numbers.cro[rows], has["cro"]),
        "FORENAME": card.first,
        "MIDDLE_NAME": card.middle,
        "SURNAME": np.where(has["name"], card.last, spoilt).astype(object),
        "ALIASES": desk.pen.plain(other_names(desk, rows)),
        "DATE_OF_BIRTH": blanked(dates, has["date"]),
        "GENDER": card.sex,
        "POSTCODE": np.array([text.replace("; ", "|") for text in codes], dtype=object),
        "MOBILE_NO": blanked(card.phone, has["phone"]),
        "OFFICE": _one_of(desk, count, "Merrowminster;Port Averil;Castle Orrin"),
    }


def housing(desk: Desk, rows: Rows) -> Columns:
    """Tenants and their partners; dates as 05-Mar-1985; a spreadsheet ate the leading zero of the telephone numbers."""
    rng, habits, count = desk.rng, desk.habits, len(rows)
    card = write_card(desk, rows)
    has = filled(rng, count, {"date": habits.has_date, "phone": habits.has_phone})
    titles = np.where(card.sex == "M", "Mr", np.where(rng.random(count) < 0.5, "Ms", "Mrs")).astype(object)
    phones = np.array([number.replace(" ", "").removeprefix("0") for number in card.phone], dtype=object)
    return {
        "Tenant Ref": local_ids(rng, count, "T", 7),
        "Title": titles,
        "First Name": card.first,
        "Surname": card.last,
        "Date of Birth": blanked(date_texts(card.born, "mon"), has["date"]),
        "Sex": card.sex,
        "Address Line 1": card.address,
        "Postcode": card.postcode,
        "Telephone": blanked(phones, has["phone"]),
        "Tenancy Start": date_texts(_recently(desk, count, 12 * 365), "mon"),
    }


EXPORTS: Mapping[str, Callable[[Desk, Rows], Columns]] = {
    "police": police,
    "mental_health": mental_health,
    "drugs_alcohol": drugs_alcohol,
    "probation": probation,
    "housing": housing,
}
"""Every agency's way to export its rows, by party; children's services have a module of their own."""


def _one_of(desk: Desk, count: int, names: str) -> Words:
    choices = np.array(names.split(";"), dtype=object)
    picked: Words = choices[desk.rng.integers(len(choices), size=count)]
    return picked


def _recently(desk: Desk, count: int, days: int = 4 * 365) -> Dates:
    dates: Dates = desk.today - (desk.rng.random(count) ** 2 * days).astype("timedelta64[D]")
    return dates


def _date_cells(dates: Dates, known: Mask) -> Words:
    """Dates as a workbook holds them, datetime.datetime, and None where they are not known."""
    cells: Words = dates.astype("datetime64[us]").astype(object)
    cells[~known] = None
    return cells


def _spaced_nhs(numbers: Words) -> Words:
    return np.array([f"{number[:3]} {number[3:6]} {number[6:]}" for number in numbers], dtype=object)


def _noms(desk: Desk, count: int) -> Words:
    """Prison numbers of the shape A1234BC."""
    letters = np.array(list("ABCDEFGHJKLMNPQRSTVWXYZ"), dtype=object)
    first, second = letters[desk.rng.integers(len(letters), size=(2, count))]
    digits = np.array([f"Z{number:04d}" for number in desk.rng.integers(10_000, size=count).tolist()], dtype=object)
    made: Words = digits + first + second
    return made
