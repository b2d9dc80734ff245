"""A hand-made world of three files whose true links are known, with twins, a father and his son, and namesakes.

Columns are named as each agency's system would; nobody in it is real.
"""

import csv
import random
from dataclasses import dataclass, replace

MAPPINGS = {
    "childrens_services": """
id = "Father ID"
dates = "dmy"
ignore = ["Team"]
[fields]
forename = "Father Forename"
surname = "Father Surname"
date_of_birth = "Father DOB"
postcode = "Father Postcode"
address = "Father Address"
phone = "Father Phone"
nhs_number = "Father NHS No"
sex = "Sex"
[anchor]
child_id = "Child ID"
case_id = "Case ID"
due_date = "Due Date"
relation = "Relationship"
paternity = "Paternity"
""",
    "mental_health": """
id = "Local Patient ID"
dates = "iso"
[fields]
forename = "Given Name"
surname = "Family Name"
date_of_birth = "Birth Date"
postcode = "Postcode"
phone = "Mobile"
nhs_number = "NHS Number"
sex = "Gender"
""",
}
"""Of the police there is none: its mapping is suggested from its header."""


@dataclass(frozen=True)
class Man:
    """One man as he is. born: day, month, year."""

    forename: str
    surname: str
    born: tuple[int, int, int]
    street: str
    postcode: str
    phone: str
    nhs: str

    def dmy(self):
        return "{:02d}/{:02d}/{:04d}".format(*self.born)

    def iso(self):
        return "{2:04d}-{1:02d}-{0:02d}".format(*self.born)


FORENAMES = [
    "Aaron",
    "Adeyemi",
    "Barnaby",
    "Callum",
    "Dariusz",
    "Edmund",
    "Farouk",
    "Gareth",
    "Hamish",
    "Idris",
    "Jerome",
    "Kwabena",
    "Leopold",
    "Marlon",
    "Nikhil",
    "Oscar",
    "Piotr",
    "Quentin",
    "Rhodri",
    "Stefan",
    "Tariq",
    "Umberto",
    "Vikram",
    "Winston",
    "Xavier",
    "Yusuf",
    "Zbigniew",
    "Alasdair",
    "Bogdan",
    "Cedric",
    "Desmond",
    "Emeka",
]
SURNAMES = [
    "Abernethy",
    "Bancroft",
    "Chowdhury",
    "Dunleavy",
    "Eastwick",
    "Fairweather",
    "Gallimore",
    "Hetherington",
    "Ingleby",
    "Jankowski",
    "Kettlewell",
    "Lathbury",
    "Mwangi",
    "Nightingale",
    "Oduya",
    "Pemberton",
    "Quayle",
    "Ravenscroft",
    "Sotherton",
    "Tankersley",
    "Underhay",
    "Venkatesan",
    "Wolstenholme",
    "Yardley",
    "Zielinski",
    "Ashbourne",
    "Birtwistle",
    "Crowhurst",
    "Drinkwater",
    "Entwistle",
    "Fothergill",
    "Grimshaw",
    "Hollingworth",
    "Isherwood",
]
STREETS = ["Orchard", "Foundry", "Heron", "Queen", "Marlborough", "Tannery", "Chapel", "Beacon", "Wharf", "Larch"]


def nhs_number(nth):
    """The nth NHS number that has a right check digit, of the range kept for tests (999...)."""
    while True:
        head = f"999{nth:06d}"
        check = 11 - sum(int(digit) * (10 - place) for place, digit in enumerate(head)) % 11
        if check != 10:
            return head + str(check % 11)
        nth += 500_000


def strangers(count, seed):
    """Men no two of whom share name, date, home, telephone or NHS number."""
    rng = random.Random(seed)  # noqa: S311 - invented people, the same each time
    names = [(forename, surname) for forename in FORENAMES for surname in SURNAMES]
    rng.shuffle(names)
    men = []
    for nth, (forename, surname) in enumerate(names[:count]):
        born = (rng.randint(1, 28), rng.randint(1, 12), rng.randint(1968, 2004))
        letters = "".join(rng.choices("ABDEFGHJLNPQRSTUWXYZ", k=2))
        postcode = f"LS{rng.randint(1, 19)} {rng.randint(1, 9)}{letters}"
        street = f"{rng.randint(1, 199)} {rng.choice(STREETS)} Street"
        men.append(Man(forename, surname, born, street, postcode, f"07700900{nth:03d}", nhs_number(nth)))
    return men


@dataclass(frozen=True)
class World:
    """rows: by party, the true man of each row (its number) and the row as that party wrote it.

    links: (child id, party) that must be found. never: (child id, party) that must not be.
    """

    rows: dict[str, list[tuple[int, Man]]]
    links: frozenset[tuple[str, str]]
    never: frozenset[tuple[str, str]]


def child_id(nth):
    """Leading zeros, as case systems have them."""
    return f"00{71000 + nth}"


def local_id(party, nth):
    return {"childrens_services": "F", "police": "N", "mental_health": "P"}[party] + f"{30000 + 7 * nth}"


def make_world():
    """40 anchors of whom ten are known to the police and five to the trust, among 160 and 120 others."""
    men = strangers(300, seed=7)
    anchors, known_police, known_trust = list(range(40)), range(10), range(7, 12)
    police = [*known_police, *range(40, 190)]
    trust = [*known_trust, *range(190, 300)]
    rows = {
        "childrens_services": [(nth, men[nth]) for nth in anchors],
        "police": [(nth, men[nth]) for nth in police],
        "mental_health": [(nth, men[nth]) for nth in trust],
    }
    # As written at the agencies: another spelling, a nickname, a move, day and month turned round.
    _rewrite(rows["police"], 0, surname=men[0].surname.upper(), phone="")
    _rewrite(rows["police"], 1, postcode="LS27 0QX", street="4 Mere Lane")
    _rewrite(rows["police"], 2, forename=men[2].forename[:-1])
    _rewrite(rows["mental_health"], 8, phone="", postcode="")
    # Anchor 20 has a twin at the police: same surname, date and home. Anchor 21's father is there, of the same name.
    twin = replace(men[20], forename="Lysander", nhs=nhs_number(900), phone="07700900990")
    father = replace(men[21], born=(9, 4, men[21].born[2] - 27), nhs=nhs_number(901), phone="07700900991")
    # Anchor 22 is a name and nothing else, and so is a man at the trust (R14).
    bare = replace(men[22], born=(0, 0, 0), street="", postcode="", phone="", nhs="")
    rows["childrens_services"][22] = (22, bare)
    rows["police"] += [(1000, twin), (1001, father)]
    rows["mental_health"] += [(1002, bare)]
    links = {(child_id(nth), "police") for nth in known_police} | {(child_id(n), "mental_health") for n in known_trust}
    never = {(child_id(20), "police"), (child_id(21), "police"), (child_id(22), "mental_health")}
    return World(rows, frozenset(links), frozenset(never))


def _rewrite(rows, man, **changes):
    place = next(place for place, (nth, _) in enumerate(rows) if nth == man)
    rows[place] = (man, replace(rows[place][1], **changes))


def write_party(folder, party, world):
    """The party's export, mapping and flags, in its own folder."""
    table = [_row(party, nth, man) for nth, man in world.rows[party]]
    encoding = {"police": "cp1252", "childrens_services": "utf-8-sig", "mental_health": "utf-8"}[party]
    _write(folder / "export.csv", table, encoding)
    if party in MAPPINGS:
        (folder / "mapping.toml").write_text(MAPPINGS[party], "utf-8")
    if party != "childrens_services":
        code = {"police": "DA-P", "mental_health": "MH-O"}[party]
        flags = [
            {"local_id": local_id(party, nth), "code": code, "basis": "FACT", "date": "2025-06-01", "status": "ACTIVE"}
            for nth, _ in world.rows[party][::2]
        ]
        _write(folder / "flags.csv", flags, "utf-8")


def _row(party, nth, man):
    born = man.born[0] > 0
    if party == "childrens_services":
        return {
            "Father ID": local_id(party, nth),
            "Father Forename": man.forename,
            "Father Surname": man.surname,
            "Father DOB": man.dmy() if born else "",
            "Sex": "M",
            "Father Address": man.street,
            "Father Postcode": man.postcode,
            "Father Phone": man.phone,
            "Father NHS No": "" if nth % 3 else man.nhs,
            "Child ID": child_id(nth),
            "Case ID": f"CIN-{nth:05d}",
            "Due Date": "14/03/2026",
            "Relationship": "FATHER",
            "Paternity": "CONFIRMED",
            "Team": "North",
        }
    if party == "police":
        return {
            "NOMINAL_REF": local_id(party, nth),
            "SURNAME": man.surname,
            "FIRST_NAME": man.forename,
            "DOB": man.dmy() if born else "",
            "GENDER": "MALE",
            "ADDRESS_LINE_1": man.street,
            "POSTCODE": man.postcode,
            "MOBILE": man.phone,
        }
    return {
        "Local Patient ID": local_id(party, nth),
        "NHS Number": man.nhs,
        "Family Name": man.surname,
        "Given Name": man.forename,
        "Birth Date": man.iso() if born else "",
        "Gender": "1",
        "Postcode": man.postcode,
        "Mobile": man.phone,
    }


def _write(path, rows, encoding):
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
