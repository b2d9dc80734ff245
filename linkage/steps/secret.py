"""An agency's steps before any run: its share, and the linkage secret of all shares."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from keys import vault
from keys.errors import CustodyError
from keys.secret import Share, assemble, contribute
from linkage.errors import LinkageError, OutputExistsError
from linkage.exchange.desk import SECRET, SHARE, Desk, require, taken_in
from linkage.package.contents import ShareContents
from linkage.steps.account import Account
from linkage.steps.keys import cost_of


def contribute_share(desk: Desk) -> Account:
    """Make this agency's share of the linkage secret and a package with it for every other agency."""
    require(desk, "agency")
    others = [party for party in desk.agreement.encoders if party.name != desk.party.name]
    publics = [party.public() for party in others]
    share, sealed = contribute(desk.identity, publics, desk.agreement.digest, desk.chance)
    path = desk.folder / SHARE
    if path.exists():
        raise OutputExistsError(
            f"{path} exists already", "a share is made once per agreement; send the packages in outbox/"
        )
    files: list[Path] = []
    try:
        for party in others:
            files += desk.send(ShareContents(sealed[party.name]).to_body(), "share", "", party.name)
        vault.keep(path, share, desk.passphrase, cost_of(test=desk.identity.test))
    except (LinkageError, CustodyError):
        for sent in files:  # shares that were sent and not kept would never fit together
            sent.unlink()
        raise
    desk.journal.append("disclose", "secret contribute", "", recipients=[party.name for party in others])
    return Account(
        f"share made for {len(others)} other agencies", {"recipients": [party.name for party in others]}, tuple(files),
        "send each package to its agency; when all theirs are in inbox/, run `linkage secret assemble`",
    )  # fmt: skip


def assemble_secret(desk: Desk, paths: Sequence[Path]) -> Account:
    """Put all shares together to the linkage secret; its fingerprint is read aloud among the agencies."""
    require(desk, "agency")
    path = desk.folder / SECRET
    if path.exists():
        raise OutputExistsError(f"{path} exists already", "the secret is assembled once per agreement")
    own = vault.fetch(desk.folder / SHARE, Share, desk.passphrase, test=desk.identity.test)
    packages = desk.take(paths, "share", "")
    received = {
        desk.agreement.party(sender).public(): ShareContents.from_body(package.body).share
        for sender, package in packages.items()
    }
    secret = assemble(desk.identity, own, received, desk.agreement.digest)
    vault.keep(path, secret, desk.passphrase, cost_of(test=desk.identity.test))
    desk.journal.append("combine", "secret assemble", "", packages=taken_in(packages))
    return Account(
        f"secret assembled; fingerprint {secret.fingerprint()}", {"fingerprint": secret.fingerprint()}, (path,),
        "read the fingerprint aloud to the other agencies; then `linkage encode`",
    )  # fmt: skip
