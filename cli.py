"""The front door: parse, load, call one party, print, exit.

Results go to stdout, words to stderr. Every command imports its party inside, so that `--help` is quick.
Rule: no value of a person passes here; errors are printed as what happened, what to do, and an exit code.
"""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

if TYPE_CHECKING:
    from keys.passphrase import Passphrase
    from linkage.exchange.desk import Desk
    from linkage.match.candidates import Engine
    from linkage.steps.account import Account, Progress

Command = Callable[..., Any]
PATH = click.Path(path_type=Path)
FILE = click.Path(path_type=Path, dir_okay=False)
FOLDER = click.Path(path_type=Path, file_okay=False)


class Group(click.Group):
    """A group that lists its commands in the order of the journey and suggests the nearest for a slip."""

    def list_commands(self, _: click.Context) -> list[str]:
        """In the order they were added."""
        return list(self.commands)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, with a hint."""
        if args and not args[0].startswith("-") and args[0] not in self.commands:
            from linkage.words import nearest

            ctx.fail(f"there is no command '{args[0]}': {nearest(args[0], self.commands)}")
        return super().resolve_command(ctx, args)


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="safeguarding-linkage", prog_name="linkage")
def cli() -> None:
    """Link fathers across services without sharing who they are.

    \b
    Try it:      linkage demo                      a pretend county, every party, every step
    At agencies: linkage encode, linkage answer    records in, sealed packages out
    Matcher:     linkage screen, linkage decide    it reads nothing it is sent
    At the end:  linkage receive                   a worklist for children's services
    """


# -- what every command shares ------------------------------------------------------------------------------------


def main() -> None:
    """Run a command; print every expected failure as words and a stable exit code."""
    from keys.errors import CustodyError
    from linkage.errors import LinkageError

    try:
        cli(standalone_mode=False)
    except click.exceptions.Exit as done:
        sys.exit(done.exit_code)
    except click.Abort:
        _fail("stopped", "", (), 130)
    except click.UsageError as problem:
        where = f" (see `{problem.ctx.command_path} --help`)" if problem.ctx else ""
        _fail(problem.format_message() + where, "", (), 2)
    except click.ClickException as problem:
        _fail(problem.format_message(), "", (), 2)
    except (LinkageError, CustodyError) as problem:
        _fail(str(problem), problem.hint, problem.details, problem.exit_code)
    except BrokenPipeError:
        sys.exit(0)
    except Exception as problem:  # noqa: BLE001 - the last resort: a bug of ours, told without any value
        frames = [
            f"{Path(f.filename).name}:{f.lineno} in {f.name}" for f in traceback.extract_tb(problem.__traceback__)
        ]
        _fail(
            f"this is our bug ({type(problem).__name__})", "send us these lines; they hold nothing of your data",
            tuple(frames[-6:]), 1,
        )  # fmt: skip


def _fail(what: str, hint: str, details: tuple[str, ...], code: int) -> NoReturn:
    click.echo(f"linkage: error: {what}", err=True)
    for line in details[:100]:
        if line != what:
            click.echo(f"  {line}", err=True)
    if len(details) > 100:
        click.echo(f"  and {len(details) - 100} more", err=True)
    if hint:
        click.echo(f"linkage: hint: {hint}", err=True)
    sys.exit(code)


def _show(account: Account, as_json: bool) -> None:
    """The account: JSON on stdout for programs, or the files on stdout and words on stderr."""
    if as_json:
        click.echo(json.dumps(account.to_json(), indent=2, default=str))
        return
    for warning in account.warnings:
        click.echo(f"linkage: warning: {warning}", err=True)
    click.echo(account.headline, err=True)
    for path in account.files:
        click.echo(str(path))
    if account.next:
        click.echo(f"next: {account.next}", err=True)


@contextmanager
def _progress() -> Iterator[Progress]:
    """A progress bar on stderr where that is a terminal, else silence."""
    from linkage.steps.account import quiet

    if not sys.stderr.isatty():
        yield quiet
        return
    from threading import Lock

    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
    )
    with Bar(*columns, console=Console(stderr=True), transient=True) as bars:
        tasks: dict[str, Any] = {}
        one_at_a_time = Lock()

        def tell(what: str, done: int, total: int) -> None:
            with one_at_a_time:
                if what not in tasks:
                    tasks[what] = bars.add_task(what, total=total)
                bars.update(tasks[what], completed=done, total=max(total, 1))

        yield tell


def _passphrase(file: Path | None, *, confirm: bool = False) -> Passphrase:
    """From a file, or typed at a prompt; never from the command line or the environment."""
    from keys.passphrase import from_file, from_text

    if file:
        return from_file(file)
    if not sys.stdin.isatty():  # a prompt that cannot hide what is typed must not ask for it
        raise click.UsageError("there is no terminal to type the passphrase at; use --passphrase-file FILE")
    return from_text(click.prompt("Passphrase", hide_input=True, confirmation_prompt=confirm, err=True))


def _desk(folder: Path, passphrase_file: Path | None, *, signed: bool = True) -> Desk:
    from linkage.exchange.desk import open_desk

    return open_desk(folder, _passphrase(passphrase_file), signed=signed)


def desk_options(command: Command) -> Command:
    """--desk and --passphrase-file."""
    for option in (
        click.option("--passphrase-file", type=FILE, help="Read the passphrase from this file instead of a prompt."),
        click.option("--desk", type=FOLDER, default=".", show_default="this folder", help="The party's own folder."),
    ):
        command = option(command)
    return command


def at_desk(command: Command) -> Command:
    """A command that is given the party's open desk; adds --desk and --passphrase-file."""

    @desk_options
    @wraps(command)
    def opened(*args: Any, desk: Path, passphrase_file: Path | None, **kwargs: Any) -> Any:
        return command(*args, desk=_desk(desk, passphrase_file), **kwargs)

    return opened


def run_option(command: Command) -> Command:
    """--run."""
    return click.option("--run", required=True, help="Name of the run, the same at every party, e.g. 2026-12.")(command)


def json_option(command: Command) -> Command:
    """--json."""
    return click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")(command)


def dry_option(command: Command) -> Command:
    """--dry-run."""
    return click.option("--dry-run", is_flag=True, help="Do everything but write.")(command)


def protocol_option(command: Command) -> Command:
    """--protocol."""
    words = "one-round: partners who cannot answer a second time."
    choice = click.Choice(("two-round", "one-round"))
    return click.option("--protocol", type=choice, default="two-round", show_default=True, help=words)(command)


def step(command: Command) -> Command:
    """A command that returns an Account to be shown; adds --json."""

    @json_option
    @wraps(command)
    def shown(*args: Any, as_json: bool, **kwargs: Any) -> None:
        _show(command(*args, **kwargs), as_json)

    return shown


def run_step(command: Command) -> Command:
    """A step of a run at a desk, with --run, --dry-run and --json, that returns an Account."""
    return run_option(at_desk(dry_option(step(command))))


PACKAGES = click.argument("packages", type=PATH, nargs=-1)


# -- the whole journey at one desk --------------------------------------------------------------------------------


@cli.command()
@click.option("--out", type=FOLDER, default="demo", show_default=True, help="Folder to make; it must not exist.")
@click.option("--people", type=click.IntRange(500), default=20_000, show_default=True, help="Men in the county.")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed makes the same county and run.")
@protocol_option
@step
def demo(out: Path, people: int, seed: int, protocol: str) -> Account:
    """A whole pretend county: every party in its own folder, every step, ending with a worklist and a report."""
    from linkage.steps.demo import demo as run_demo

    with _progress() as progress:
        return run_demo(out, people, seed, progress, protocol)


@cli.command()
@click.option("--agreement", type=FILE, help="Terms; default: configs/examples/rehearse.toml.")
@click.option(
    "--input", "inputs", multiple=True, required=True, metavar="PARTY=FILE", help="A party's file; twice or more."
)
@click.option("--mapping", "maps", multiple=True, metavar="PARTY=FILE", help="A party's mapping file.")
@click.option("--truth", type=FILE, help="CSV with columns party, local_id, person; never encoded.")
@click.option("--truth-column", metavar="NAME", help="Column of every file that holds the true person; never encoded.")
@click.option("--seed", type=int, help="Repeat a rehearsal exactly; for test agreements alone.")
@click.option("--out", type=FOLDER, help="Write the report and the scored pairs (pseudonyms only) here.")
@json_option
def rehearse(
    agreement: Path | None, inputs: tuple[str, ...], maps: tuple[str, ...], truth: Path | None,
    truth_column: str | None, seed: int | None, out: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """All parties at one desk with your own files: same code, same packages, and quality against a truth."""
    from linkage.steps.rehearse import Truth
    from linkage.steps.rehearse import rehearse as run_rehearsal

    with _progress() as progress:
        report = run_rehearsal(
            agreement, _assignments(inputs), _assignments(maps), Truth(truth, truth_column), out, progress, seed
        )
    if as_json:
        click.echo(json.dumps(report, indent=2, default=str))
    else:
        from linkage.report.run_report import run_report_text

        click.echo(run_report_text(report), nl=False)


def _assignments(texts: tuple[str, ...]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for text in texts:
        party, equals, path = text.partition("=")
        if not equals or not party or not path or party in found:
            raise click.UsageError(f"'{text}' is not PARTY=FILE, or names a party twice")
        found[party] = Path(path)
    return found


# -- agreement ----------------------------------------------------------------------------------------------------


@cli.group(cls=Group)
def agreement() -> None:
    """The terms every party signs and the software executes."""


@agreement.command("new")
@click.argument("path", type=FILE, default="agreement.toml")
@click.option("--template", default="pilot", show_default=True, help="A name in configs/templates.")
@click.option("--identity", "identities", multiple=True, metavar="PARTY=FILE", help="A party's identity.pub.")
@click.option("--test", is_flag=True, help="For rehearsal with test keys; every output says so.")
@protocol_option
@step
def agreement_new(path: Path, template: str, identities: tuple[str, ...], test: bool, protocol: str) -> Account:
    """Write a new agreement from a template, to be completed by hand."""
    from linkage.steps.agreement import new

    return new(path, template, _assignments(identities), test=test, protocol=protocol)


@agreement.command("check")
@click.argument("path", type=FILE, default="agreement.toml")
@step
def agreement_check(path: Path) -> Account:
    """Say whether the terms are in order, in force, and signed by all."""
    from linkage.steps.agreement import check

    return check(path)


@agreement.command("sign")
@desk_options
@step
def agreement_sign(desk: Path, passphrase_file: Path | None) -> Account:
    """Sign the terms in this desk's agreement.toml; send the .sig file to the others."""
    from linkage.steps.agreement import sign

    return sign(desk, _passphrase(passphrase_file))


@agreement.command("show")
@click.argument("path", type=FILE, default="agreement.toml")
@json_option
def agreement_show(path: Path, as_json: bool) -> None:
    """Print the terms in plain words, with the digest to compare."""
    from linkage.steps.agreement import show

    facts, text = show(path)
    click.echo(json.dumps(facts, indent=2, default=str) if as_json else text, nl=as_json)


# -- keys and secret ----------------------------------------------------------------------------------------------


@cli.group(cls=Group)
def keys() -> None:
    """A party's identity: a key to sign with and a key to be sealed to."""


@keys.command("new")
@click.argument("name")
@click.option("--test", is_flag=True, help="Test keys: they never open live files.")
@desk_options
@step
def keys_new(name: str, test: bool, desk: Path, passphrase_file: Path | None) -> Account:
    """Make the identity of party NAME (its name in the agreement)."""
    from linkage.steps.keys import new

    return new(desk, name, _passphrase(passphrase_file, confirm=True), test=test)


@keys.command("show")
@click.argument("path", type=PATH, default="identity.pub")
@json_option
def keys_show(path: Path, as_json: bool) -> None:
    """Print an identity's line for the agreement, and its fingerprint to read aloud."""
    from linkage.steps.keys import show

    facts = show(path)
    if as_json:
        click.echo(json.dumps(facts, indent=2))
        return
    click.echo(f"{facts['name']}: {facts['fingerprint']}", err=True)
    click.echo(facts["identity"])


@cli.group(cls=Group)
def secret() -> None:
    """The linkage secret: made by all agencies together, chosen by none, never at the matcher."""


@secret.command("contribute")
@at_desk
@step
def secret_contribute(desk: Desk) -> Account:
    """Make this agency's share, and a sealed package with it for every other agency."""
    from linkage.steps.secret import contribute_share

    return contribute_share(desk)


@secret.command("assemble")
@PACKAGES
@at_desk
@step
def secret_assemble(packages: tuple[Path, ...], desk: Desk) -> Account:
    """Put the shares in PACKAGES (default: inbox/) together; read the fingerprint aloud."""
    from linkage.steps.secret import assemble_secret

    return assemble_secret(desk, packages)


# -- the steps of a run -------------------------------------------------------------------------------------------


def source_options(command: Command) -> Command:
    """FILE and how to read it."""
    for option in (
        click.argument("file", type=FILE),
        click.option("--mapping", type=FILE, help="Which column is which field; default: suggested from the header."),
        click.option("--sheet", help="Worksheet of an XLSX file."),
        click.option("--dates", type=click.Choice(["dmy", "mdy", "ymd", "iso"]), help="Date order, where it is open."),
    ):
        command = option(command)
    return command


@cli.command()
@source_options
@click.option("--agreement", "terms", type=FILE, default="agreement.toml", show_default=True)
@json_option
def profile(file: Path, mapping: Path | None, sheet: str | None, dates: str | None, terms: Path, as_json: bool) -> None:
    """Data-quality report of FILE and go/no-go, without showing any value."""
    from linkage.steps.profile import profile as run_profile

    facts, text = run_profile(file, mapping, sheet, dates, terms)
    click.echo(json.dumps(facts, indent=2) if as_json else text)
    if not facts["go"]:
        sys.exit(24)


@cli.command()
@source_options
@click.option("--flags", type=FILE, help="Long file local_id, code, basis, date, status.")
@click.option("--audit", "audited", is_flag=True, help="Attack the encodings first; write nothing above the bars.")
@run_step
def encode(
    file: Path, mapping: Path | None, sheet: str | None, dates: str | None, flags: Path | None, audited: bool,
    run: str, desk: Desk, dry_run: bool,
) -> Account:  # fmt: skip
    """Agency: FILE becomes a sealed package of screening encodings for the matcher."""
    from linkage.steps.agency import encode as run_encode
    from linkage.steps.reading import Source

    source = Source(file, mapping, flags, sheet, dates)
    with _progress() as progress:
        return run_encode(desk, run, source, audited=audited, dry_run=dry_run, progress=progress)


@contextmanager
def _engine(name: str, master: str | None) -> Iterator[Engine | None]:
    """Where candidates are searched: None stands for this machine's own cores."""
    if name == "local":
        yield None
        return
    from linkage.match.spark import on_spark

    with on_spark(master) as engine:
        yield engine


@cli.command()
@PACKAGES
@click.option(
    "--engine",
    "where",
    type=click.Choice(["local", "spark"]),
    default="local",
    show_default=True,
    help="Search on this machine's cores, or on Apache Spark (the extra 'spark'): the same candidates.",
)
@click.option("--spark-master", metavar="URL", help="Default: as Spark's own settings say, else local[*].")
@click.option(
    "--plan", "only_plan", is_flag=True, help="Only say what it will take: pairs, time, memory, evidence to expect."
)
@run_step
def screen(
    packages: tuple[Path, ...], where: str, spark_master: str | None, only_plan: bool, run: str, desk: Desk,
    dry_run: bool,
) -> Account:  # fmt: skip
    """Matcher: candidates among all agencies' PACKAGES (default: inbox/), and a request to each agency."""
    from linkage.steps.matcher import plan
    from linkage.steps.matcher import screen as run_screen

    if spark_master and where != "spark":
        raise click.UsageError("--spark-master goes with --engine spark")
    if only_plan:
        return plan(desk, run, packages, spark=where == "spark")
    with _progress() as progress, _engine(where, spark_master) as engine:
        return run_screen(desk, run, packages, dry_run=dry_run, progress=progress, engine=engine)


@cli.command()
@PACKAGES
@run_step
def answer(packages: tuple[Path, ...], run: str, desk: Desk, dry_run: bool) -> Account:
    """Agency: evidence and sealed flags for the pairs the matcher's request (default: inbox/) asks about."""
    from linkage.steps.agency import answer as run_answer

    with _progress() as progress:
        return run_answer(desk, run, packages, dry_run=dry_run, progress=progress)


@cli.command()
@PACKAGES
@run_step
def decide(packages: tuple[Path, ...], run: str, desk: Desk, dry_run: bool) -> Account:
    """Matcher: links around anchors from all agencies' answers (default: inbox/), for children's services."""
    from linkage.steps.matcher import decide as run_decide

    with _progress() as progress:
        return run_decide(desk, run, packages, dry_run=dry_run, progress=progress)


@cli.command()
@PACKAGES
@click.option("--out", type=FOLDER, help="Folder for the worklist; default: worklists/<run>.")
@run_step
def receive(packages: tuple[Path, ...], out: Path | None, run: str, desk: Desk, dry_run: bool) -> Account:
    """Children's services: open the links (default: inbox/) and write worklist.csv and worklist.html."""
    from linkage.steps.childrens_services import receive as run_receive

    return run_receive(desk, run, packages, out, dry_run=dry_run)


@cli.command()
@run_step
def close(run: str, desk: Desk, dry_run: bool) -> Account:
    """Any party: destroy keys and encodings of a run, and sign a certificate of it."""
    from linkage.steps.close import close as run_close

    return run_close(desk, run, dry_run=dry_run)


@cli.command()
@click.argument("link")
@run_option
@at_desk
@json_option
def explain(link: str, run: str, desk: Desk, as_json: bool) -> None:
    """Children's services: why LINK (its link_id, or the first digits) is a link, field by field in bits."""
    from linkage.steps.explain import explain as run_explain

    facts, text = run_explain(desk, run, link)
    click.echo(json.dumps(facts, indent=2) if as_json else text)


@cli.command()
@click.argument("path", type=PATH, required=False)
@click.option("--agreement", "terms", type=FILE, default="agreement.toml", show_default=True)
@click.option("--run", default="", help="At an agency: the very encodings of this run, made from PATH.")
@desk_options
@click.option("--mapping", type=FILE, help="Which column is which field; default: suggested from the header.")
@click.option("--sheet", help="Worksheet of an XLSX file.")
@click.option("--dates", type=click.Choice(["dmy", "mdy", "ymd", "iso"]), help="Date order, with --run.")
@click.option(
    "--sample", type=click.IntRange(500), default=2000, show_default=True, help="Rows attacked, drawn at random."
)
@click.option("--page", type=FILE, help="Write the audit as HTML here, too.")
@json_option
def audit(
    path: Path | None, terms: Path, run: str, desk: Path, passphrase_file: Path | None, mapping: Path | None,
    sheet: str | None, dates: str | None, sample: int, page: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Attack encodings as somebody without the secret would.

    \b
    PATH a file:       the agreement's encoding of it, under a key that nobody keeps
    PATH and --run:    what this agency made of it for the run; above the bars it is never sent
    PATH a folder:     the matcher's desk: what shows in the packages it holds
    no PATH:           the agreement's encoding of pretend people
    """
    from linkage.steps.audit import Options, audit_desk, audit_file, audit_run
    from linkage.steps.reading import Source

    if run and path is None:
        raise click.UsageError("--run takes the file that was encoded, or the matcher's folder")
    with _progress() as progress:
        options = Options(sample, page, progress=progress)
        if path and path.is_dir():
            facts, text = audit_desk(_desk(path, passphrase_file), run, options=options)
        elif path and run:
            source = Source(path, mapping, None, sheet, dates)
            facts, text = audit_run(_desk(desk, passphrase_file), run, source, options=options)
        else:
            facts, text = audit_file(terms, path, mapping, sheet, options=options)
    click.echo(json.dumps(facts, indent=2, default=str) if as_json else text)


# -- looking after things -----------------------------------------------------------------------------------------


@cli.group(cls=Group)
def log() -> None:
    """What this party did: an append-only log free of personal data."""


@log.command("show")
@click.option("--desk", type=FOLDER, default=".", show_default="this folder")
@json_option
def log_show(desk: Path, as_json: bool) -> None:
    """Print the log."""
    from linkage.steps.log import show

    facts, text = show(desk)
    click.echo(json.dumps(facts, indent=2) if as_json else text)


@log.command("verify")
@click.option("--desk", type=FOLDER, default=".", show_default="this folder")
@step
def log_verify(desk: Path) -> Account:
    """Check that no line of the log was changed or taken out."""
    from linkage.steps.log import verify

    return verify(desk)


@cli.command()
@click.option("--desk", type=FOLDER, default=".", show_default="this folder")
@json_option
def doctor(desk: Path, as_json: bool) -> None:
    """Check this machine and this desk, and say what to mend."""
    from linkage.steps.doctor import doctor as run_doctor

    checks = run_doctor(desk)
    if as_json:
        click.echo(json.dumps([check.to_json() for check in checks], indent=2))
    else:
        for check in checks:
            click.echo(f"{'ok  ' if check.ok else 'MEND'}  {check.what}" + (f": {check.hint}" if check.hint else ""))
    if not all(check.ok for check in checks):
        sys.exit(20)


if __name__ == "__main__":
    main()
