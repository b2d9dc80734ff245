"""What is installed: our packages, the data files, the command; and nothing else."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel as the README's first line builds it."""
    pytest.importorskip("hatchling", reason="building offline needs hatchling")
    folder = tmp_path_factory.mktemp("wheel")
    code = "import os, sys; from hatchling.build import build_wheel; print(build_wheel(sys.argv[1]))"
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    (path,) = folder.glob("*.whl")
    return path


def test_the_wheel_holds_the_house_and_nothing_else(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    assert wheel.name.startswith("safeguarding_linkage-")
    tops = {name.split("/")[0] for name in names if ".dist-info/" not in name}
    assert tops == {"linkage", "keys", "cli.py"}
    for home in ("linkage", "keys"):
        sources = {str(path.relative_to(ROOT)) for path in (ROOT / home).rglob("*.py")}
        assert sources <= names
    configs = {f"linkage/_{path.relative_to(ROOT)}" for path in (ROOT / "configs").rglob("*.toml")}
    assert configs <= names
    assert len(configs) > 15
    litter = (".nbi", ".nbc", ".pyc", ".key", ".csv", ".linkage", ".orig")
    assert not [name for name in names if name.endswith(litter) or "__pycache__" in name or "test_" in name]
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_the_wheel_names_its_command_and_its_needs(wheel):
    archive = zipfile.ZipFile(wheel)
    (entries,) = (name for name in archive.namelist() if name.endswith("entry_points.txt"))
    assert "linkage = linkage.__main__:main" in archive.read(entries).decode()
    (metadata,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
    text = archive.read(metadata).decode()
    assert "Name: safeguarding-linkage\n" in text
    assert "Requires-Dist: cryptography>=50" in text
    assert "Requires-Dist: pytest>=8.3; extra == 'test'" in text


def test_an_installed_linkage_runs_from_anywhere(wheel, tmp_path):
    """From the installed files alone, and with the configs they bring."""
    target, away = tmp_path / "target", tmp_path / "away"
    away.mkdir()
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--no-compile"]
    install += ["--disable-pip-version-check", "--target", str(target), str(wheel)]
    subprocess.run(install, check=True, capture_output=True)
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(target), "HOME": str(away), "PYTHONWARNINGS": "error"}

    def run(*command):
        done = subprocess.run([*map(str, command)], cwd=away, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    script = target / ("Scripts" if os.name == "nt" else "bin") / "linkage"
    assert "linkage demo" in run(sys.executable, script, "--help")
    assert "0.1.0" in run(sys.executable, "-m", "linkage", "--version")
    assert run(sys.executable, "-m", "linkage", "agreement", "new", "--template", "demo").strip() == "agreement.toml"
    home = run(sys.executable, "-c", "import linkage, keys, cli; print(linkage.__file__, keys.__file__, cli.__file__)")
    assert home.count(str(target)) == 3


def test_somebody_elses_keys_module_is_refused(tmp_path):
    """`keys` is a common name: with another in the way the command says so and does not run it."""
    (tmp_path / "keys.py").write_text("print('somebody else ran')\n")
    done = subprocess.run(
        [sys.executable, "-m", "linkage", "--help"], cwd=tmp_path, capture_output=True, text=True, check=False,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])},
    )  # fmt: skip
    assert done.returncode == 1
    assert "the module 'keys' found here is not ours" in done.stderr
    assert "somebody else" not in done.stdout
