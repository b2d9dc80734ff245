"""The import walls of the house, as CI holds them."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.flow import parties
from tests.flow.parties import RUN

ROOT = Path(__file__).parents[2]


def test_every_import_contract_is_kept():
    """import-linter, with the contracts of pyproject.toml."""
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_matchers_steps_load_no_secret_and_no_encoder():
    """R6: in a fresh interpreter, the matcher's program never has encoding or the linkage secret in memory."""
    code = (
        "import sys, linkage.steps.matcher as _, linkage.match.search, linkage.match.exact; "
        "bad = [m for m in sys.modules if m.startswith(('linkage.intake', 'linkage.encode', 'linkage.roots', "
        "'keys.secret', 'keys.derive'))]; sys.exit(', '.join(bad) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_help_loads_no_heavy_library():
    """Help and slips of the hand cost nothing: no numpy, numba, pandas, scipy or cryptography is imported for them."""
    code = (
        "import sys\nfrom click.testing import CliRunner\nimport cli\n"
        "result = CliRunner().invoke(cli.cli, ['--help'])\n"
        "heavy = {'numpy', 'numba', 'pandas', 'scipy', 'recordlinkage', 'cryptography', 'rich', 'jinja2'}\n"
        "heavy &= set(sys.modules)\n"
        "sys.exit(result.exit_code or ', '.join(sorted(heavy)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


_LOADED = """
import sys
import cli
try:
    cli.main()
finally:
    heavy = {"numba", "pandas", "scipy", "recordlinkage", "openpyxl", "phonenumbers"} & set(sys.modules)
    if heavy:
        print("loaded", sorted(heavy), file=sys.stderr)
        raise SystemExit(97)
"""


@pytest.mark.parametrize(
    ("stage", "party", "args"),
    [
        ("agreed", "police", ["agreement", "check"]),
        ("agreed", "police", ["log", "verify"]),
        ("agreed", "police", ["keys", "show"]),
        ("decided", "matcher", ["close", "--run", RUN]),
        ("decided", "childrens_services", ["receive", "--run", RUN]),
    ],
)
def test_a_command_that_computes_nothing_loads_nothing_to_compute_with(at, stage, party, args):
    """Compilers and data frames cost a second on an office laptop."""
    word = ["--passphrase-file", "passphrase.txt"] if args[-1] == RUN else []
    parties.python(at(stage)[party], "-c", _LOADED, *args, *word)


def test_the_secrets_steps_load_nothing_to_compute_with():
    code = "import sys, linkage.steps.secret, linkage.steps.keys; sys.exit('numba' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
