"""Making and showing a party's identity."""

from __future__ import annotations

from pathlib import Path

from keys import vault
from keys.chance import SYSTEM, Chance
from keys.errors import CustodyError
from keys.identity import Identity, PublicIdentity
from keys.passphrase import Passphrase
from linkage.errors import OutputExistsError, UsageProblemError
from linkage.exchange.desk import IDENTITY, PUBLIC
from linkage.exchange.files import read, write_new
from linkage.steps.account import Account


def new(folder: Path, name: str, passphrase: Passphrase, *, test: bool, chance: Chance = SYSTEM) -> Account:
    """identity.key, wrapped by the passphrase, and identity.pub to give away."""
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / PUBLIC).exists():
        raise OutputExistsError(f"{folder / PUBLIC} exists already", "an identity is made once; use another folder")
    identity = Identity.new(name, test=test, chance=chance)
    vault.keep(folder / IDENTITY, identity, passphrase, cost_of(test=test))
    public = write_new(folder / PUBLIC, (identity.public.to_text() + "\n").encode("ascii"))
    fingerprint = identity.public.fingerprint()
    return Account(
        f"identity of '{name}' made; fingerprint {fingerprint}",
        {"name": name, "fingerprint": fingerprint, "test": test},
        (folder / IDENTITY, public),
        "send identity.pub to whoever writes the agreement, and read the fingerprint to them on the telephone",
    )


def cost_of(*, test: bool) -> vault.Cost:
    """What a guess of the passphrase costs: test keys protect nothing by definition (R50), so they need not be slow."""
    return vault.FOR_TESTS if test else vault.LIVE


def show(path: Path) -> dict[str, str]:
    """Name, fingerprint and the line for the agreement, from an identity.pub or the folder it stands in."""
    file = path / PUBLIC if path.is_dir() else path
    try:
        public = PublicIdentity.from_text(read(file).decode("ascii"))
    except (CustodyError, UnicodeDecodeError):
        raise UsageProblemError(
            f"{file.name} is no identity.pub", "take the file that `linkage keys new` wrote"
        ) from None
    return {"name": public.name, "fingerprint": public.fingerprint(), "identity": public.to_text()}
