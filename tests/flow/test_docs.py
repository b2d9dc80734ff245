"""Documentation is a test: what it shows runs, what it names exists, what it catalogues is complete."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

import cli

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])


def blocks(path, *languages):
    """Fenced blocks of a page in some languages."""
    fenced = re.findall(r"(?ms)^```(\w*)\n(.*?)^```$", path.read_text("utf-8"))
    return [text for language, text in fenced if language in languages]


def test_the_worked_example_ends_with_a_worklist():
    """docs/python.md, as it stands, both protocols, in a fresh interpreter and without writing a file."""
    example = "".join(blocks(ROOT / "docs" / "python.md", "python"))
    ends = "\nassert len(worklist) >= 3, worklist\nassert set(worklist.band) <= {'strong', 'probable', 'review'}\n"
    ends += "assert len(links) >= 2, links\n"
    ends += "assert not opened.summary.overflow\nassert 'DA-P' not in repr(opened) + repr(encoded)\n"
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error"}
    done = subprocess.run(
        [sys.executable, "-c", example + ends], capture_output=True, text=True, check=False, cwd=ROOT / "docs", env=env
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""


def test_the_error_catalogue_is_complete():
    """Mended by `PYTHONPATH=. python docs/errors.py`."""
    path = ROOT / "docs" / "errors.py"
    spec = importlib.util.spec_from_file_location("catalogue", path)
    catalogue = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(catalogue)
    assert path.with_suffix(".md").read_text("utf-8") == catalogue.page()


def test_the_readme_has_its_two_lines():
    """The first ends with a worklist, the second with a green suite; CI runs the second as it stands."""
    first, second, *_ = blocks(ROOT / "README.md", "sh")
    assert first.strip().endswith(".venv/bin/linkage demo")
    assert second.strip().endswith(".venv/bin/python -m pytest")
    assert all(line.startswith("python3 -m venv .venv && .venv/bin/pip install -q ") for line in (first, second))
    assert all(len(line.strip().splitlines()) == 1 for line in (first, second))
    told = (ROOT / ".ci" / "run").read_text()
    pattern = re.search(r"grep -m1 -E '(.*?)' README.md", told)[1]
    assert re.search(pattern, second), "CI would not find the README's test line"


def named():
    """Every `linkage ...` that a page shows as something to type."""
    for path in PAGES:
        text = path.read_text("utf-8")
        typed = re.findall(r"`(linkage [^`]+)`", text)
        for block in blocks(path, "sh", "bash", "console", "text", ""):
            typed += re.findall(r"(?m)(?:^|/|\\|\$ |&& )(linkage [^\n&|]+)", block)
        yield from ((path.relative_to(ROOT).as_posix(), one) for one in typed)


TYPED = sorted({one for one in named() if re.match(r"linkage [a-z-]", one[1])})


def test_the_pages_name_commands():
    assert len(TYPED) > 10


@pytest.mark.parametrize(("page", "typed"), TYPED)
def test_every_command_a_page_names_exists(page, typed):
    """With the options it is shown with."""
    command = cli.cli
    words = typed.split()[1:]
    while words and isinstance(command, click.Group):
        if words[0].startswith("-"):
            break
        alternatives = words.pop(0).rstrip(".,;:").split("|")
        for one in alternatives:
            assert one in command.commands, f"{page}: there is no `linkage ... {one}`"
        command = command.commands[alternatives[0]]
    known = {option for parameter in command.params for option in parameter.opts} | {"--help", "-h"}
    for word in words:
        if word.startswith("--"):
            assert word.split("=")[0].rstrip(".,;:]") in known, f"{page}: `{typed}` shows an option that is not there"


def test_every_command_is_explained():
    """Each says what it does."""
    for path, command in _commands(cli.cli, "linkage"):
        assert command.help, path
        assert len(command.help.splitlines()[0].split()) >= 3, path


def test_the_hints_of_commands_name_commands_that_exist():
    """Errors send people to `linkage ...`: every such word in the sources leads somewhere."""
    known = {path for path, _ in _commands(cli.cli, "linkage")}
    sources = [ROOT / "cli.py", *(ROOT / "linkage").rglob("*.py"), *(ROOT / "keys").rglob("*.py")]
    for path in sources:
        for typed in re.findall(r"`(linkage [a-z ]+?)[ `](?=[^a-z]|[A-Z`]|$)", path.read_text("utf-8")):
            words = typed.split()
            assert " ".join(words[:3]) in known or " ".join(words[:2]) in known, f"{path.name}: {typed}"


def _commands(command, path):
    yield path, command
    if isinstance(command, click.Group):
        for name, one in command.commands.items():
            yield from _commands(one, f"{path} {name}")
