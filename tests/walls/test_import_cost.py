"""Commands load what they need and no more: compilers and data frames cost a second on an office laptop."""

import subprocess
import sys
from pathlib import Path

import pytest

from cli import cli

ROOT = Path(__file__).parents[2]
HEAVY = {"numba", "llvmlite", "pandas", "scipy", "recordlinkage", "openpyxl", "phonenumbers"}
FOR_HELP = HEAVY | {"numpy", "cryptography", "rich", "jinja2", "msgspec"}
LOADED = """
import sys
import cli
try:
    cli.main()
finally:
    print("loaded:", *sorted({heavy} & set(sys.modules)), file=sys.stderr)
"""


def loaded(folder, heavy, *args):
    """Exit code of a command in a fresh interpreter, and which heavy modules were in memory when it ended."""
    code = LOADED.replace("{heavy}", repr(heavy))
    done = subprocess.run(
        [sys.executable, "-c", code, *args], cwd=folder, env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    (told,) = [line for line in done.stderr.splitlines() if line.startswith("loaded:")]
    return done.returncode, told.split()[1:]


def names(group, before=()):
    """Every command of the front door, groups too, as one would type it."""
    for name, command in group.commands.items():
        yield (*before, name)
        if hasattr(command, "commands"):
            yield from names(command, (*before, name))


def test_no_help_of_any_command_loads_anything_to_work_with():
    """All in one interpreter: what one of them loads, none of them may."""
    texts = [[*words, "--help"] for words in names(cli)]
    assert len(texts) > 20
    code = (
        "import sys\nfrom click.testing import CliRunner\nimport cli\n"
        f"codes = [CliRunner().invoke(cli.cli, words).exit_code for words in {[['--help'], *texts]!r}]\n"
        f"print(sum(codes), *sorted({FOR_HELP!r} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["0"]


@pytest.fixture(scope="module")
def office(tmp_path_factory):
    """A folder with a passphrase, an identity and terms that nobody has signed."""
    folder = tmp_path_factory.mktemp("office")
    word = folder / "word.txt"
    word.touch(0o600)
    word.write_text("a word of the imports test\n")
    assert loaded(folder, HEAVY, "keys", "new", "police", "--test", "--passphrase-file", "word.txt") == (0, [])
    assert loaded(folder, HEAVY, "agreement", "new", "--template", "demo", "--test") == (0, [])
    return folder


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("keys show", 0),
        ("agreement show", 0),
        ("log show", 0),
        ("log verify", 0),
        ("agreement chek", 2),
        ("keys show nowhere.pub", None),
        ("agreement check", None),
        ("secret contribute --passphrase-file word.txt", None),
        ("receive --run one --passphrase-file word.txt", None),
        ("close --run one --passphrase-file word.txt", None),
        ("explain abc --run one --passphrase-file word.txt", None),
    ],
)
def test_a_command_that_computes_nothing_loads_no_compiler_and_no_data_frame(office, words, code):
    """Also when it refuses: most slips are seen before any work."""
    ended, heavy = loaded(office, HEAVY, *words.split())
    assert heavy == []
    assert ended == code if code is not None else ended not in (0, 1)


def test_the_watch_sees_a_compiler_that_is_loaded(tmp_path):
    """`doctor` checks the compiler; a test that could not see it would prove nothing."""
    assert "numba" in loaded(tmp_path, HEAVY, "doctor")[1]
