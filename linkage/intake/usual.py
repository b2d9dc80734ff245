"""Usual column names of the agencies' exports, best first, as bare lower-case letters and digits.

Rule: data only. Names of columns are public; a file whose first line holds none of them shows none of it.
"""

from __future__ import annotations

import re

from linkage.schema import Field, Kind


def _names(text: str) -> list[str]:
    return text.split()


ID = _names("""
rid recid recordid localid uniqueid nominalref nominalreference nominalid nominal nominalno nominalnumber personid
personref
personno clientid clientref clientno patientid serviceuserid tenantid tenantref subjectid memberid fatherid
motherreportedfatherid
partyref urn uniquereference pid id ref reference refno crn casereferencenumber pnc nhsnumber
""")

PEOPLE: dict[Kind, list[str]] = {
    Kind.FORENAME: _names("""
forename forenames firstname first fname given givenname givennames givenname1 forename1 firstname1 firstforename
christianname
firstnames knownas preferredname calledname nickname namefirst
"""),
    Kind.SURNAME: _names("""
surname lastname last lname familyname family surname1 secondname maidenname birthname namelast namefamily
"""),
    Kind.DATE: _names("""
dateofbirth dob birthdate birthdt dtofbirth dateborn born birthday dateofbirthiso dobiso personbirthdate
"""),
    Kind.POSTCODE: _names(
        "postcode pcode pc postcd postalcode zip zipcode homepostcode addresspostcode postcodeofresidence pcd"
    ),
    Kind.SEX: _names("sex gender sexcode gendercode statedgender personstatedgender sexatbirth genderidentity"),
    Kind.TEXT: _names("""
address addressline1 addrline1 address1 addr1 addr loc location streetaddress street fulladdress homeaddress
addressfull
addressline residence
"""),
    Kind.PHONE: _names("""
phone mobile mobilephone mobilenumber mobileno telephone tel phonenumber phoneno telephonenumber telno contactnumber
homephone hometelephone phone1 phone2 cell cellphone
"""),
}

IDENTIFIERS: dict[str, list[str]] = {
    "nhs": _names("nhsnumber nhs nhsno nhsid newnhsnumber"),
    "pnc": _names("pnc pncid pncnumber pncno pncref"),
    "cro": _names("cro cronumber crono croid crref"),
    "noms": _names("noms nomsid nomsnumber nomsno prisonnumber prisonernumber nomisid"),
    "crn": _names("crn casereferencenumber ndeliuscrn"),
    "nino": _names("nino ninumber nationalinsurancenumber nationalinsuranceno nationalinsurance ni nin"),
    "socsecid": _names("socsecid ssn socialsecuritynumber"),
}

TOWNS = _names("town city suburb locality posttown")
MIDDLE = _names(
    "middlename middlenames middle secondforename forename2 middleinitial givenname2 otherforenames middleforename"
)
FULL = _names(
    "fullname name personname namefull clientname patientname tenantname nominalname subjectname alias aliases"
)

ANCHOR: dict[str, list[str]] = {
    "child_id": _names("childid childref childnumber childpersonid unbornid pregnancyid childurn childlocalid"),
    "case_id": _names("caseid caseref casenumber caseno episodeid referralid"),
    "due_date": _names(
        "duedate edd expecteddateofdelivery estimateddeliverydate expectedbirthdate childdob childdateofbirth"
    ),
    "relation": _names("relation relationship relationshiptochild relationtochild"),
    "paternity": _names("paternity paternitystatus certaintyofpaternity paternitycertainty"),
}

FATHER = (
    "putativefathers",
    "putativefather",
    "birthfathers",
    "birthfather",
    "fathers",
    "father",
    "dads",
    "dad",
    "partners",
    "partner",
)
"""Prefixes that say that a column is about the man and not about the mother or child."""

FURTHER = (
    "alias",
    "aka",
    "previous",
    "prev",
    "former",
    "old",
    "other",
    "alternative",
    "alt",
    "maiden",
    "second",
    "last",
)
"""Prefixes of further values of the same person (a former postcode, an alias)."""

FREE_TEXT = frozenset(
    _names("""
notes note freetext narrative comment comments description diagnosis diagnoses summary remarks text opinion
assessment circumstances allegation concern concerns observation observations medication symptoms icd snomed
""")
)
"""Words that mark free text or diagnosis (R5)."""

_WORDS = (
    frozenset(
        _names("""
id ids ref reference no num number code date dob birth name names forename forenames firstname first given last
surname lastname family
middle initial initials title sex gender address addr line street town city county region suburb state country
postcode postal pcode pc zip loc
phone tel telephone mobile email nhs pnc cro crn noms nino urn uprn gp practice key type status flag role basis
recency
relation relationship paternity child case due edd created updated start end ethnicity nationality language age
alias aka rid
person client patient nominal tenant tenancy service local record rec source system dod deceased valid from to
current ent entity soc sec
""")
    )
    | FREE_TEXT
)

_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])|[^A-Za-z]+")
_BARE = re.compile(r"[^a-z0-9]+")


def bare(name: str) -> str:
    """A column name without case, spaces and punctuation."""
    return _BARE.sub("", name.lower())


def words(name: str) -> list[str]:
    """The words of a column name, lower case, digits left out."""
    return [word.lower() for word in _CAMEL.split(name) if word]


_KNOWN = frozenset(
    name
    for names in (ID, MIDDLE, FULL, TOWNS, *PEOPLE.values(), *IDENTIFIERS.values(), *ANCHOR.values())
    for name in names
)


def known(name: str) -> bool:
    """Whether a cell holds a word that column names are made of."""
    return bare(name) in _KNOWN or any(word in _WORDS for word in words(name))


def is_free_text(name: str) -> bool:
    """Whether a column's name says free text or diagnosis (R5)."""
    return any(word in FREE_TEXT for word in words(name)) or bare(name) in FREE_TEXT


def scheme(field: Field) -> str:
    """Which identifier scheme a field holds, by its name: "nhs", "pnc", ... or "" where it is some other."""
    name = bare(field.name)
    return next((scheme for scheme, names in IDENTIFIERS.items() if name == scheme or name in names), "")
