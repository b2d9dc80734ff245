"""R43: everything works offline; no process of ours ever asks for a socket, a name of a host, or another program."""

import json
import subprocess
import sys
from pathlib import Path

from tests.flow.parties import python

ROOT = Path(__file__).parents[2]

_BLOCKED = """
import socket, sys
def refuse(*args, **options):
    raise AssertionError("a socket was asked for")
class Refused(socket.socket):
    def __init__(self, *args, **options):
        refuse()
socket.socket = socket.SocketType = Refused
for name in ("socketpair", "create_connection", "create_server", "getaddrinfo", "gethostbyname", "gethostname"):
    setattr(socket, name, refuse)
asked = []
def watch(event, args):
    if event.startswith(("socket.", "subprocess.", "os.system", "os.exec", "os.posix_spawn", "urllib.", "ftplib.")):
        asked.append(event)
sys.addaudithook(watch)
sys.argv = ["linkage", "demo", "--people", "600", "--out", "county", "--json"]
{more}
import cli
try:
    cli.main()
finally:
    if asked:
        print("asked for", sorted(set(asked)), file=sys.stderr)
        raise SystemExit(99)
"""


def test_r43_the_whole_demo_runs_with_sockets_blocked(tmp_path):
    """Every party, every step: keys, agreement, secret, both rounds, worklist, report and close."""
    (tmp_path / "desk").mkdir()
    done = python(tmp_path / "desk", "-c", _BLOCKED.format(more=""))
    report = json.loads(done.out)
    assert {"keys", "encode", "screen", "answer", "decide", "receive", "close"} <= set(report["seconds"])
    assert (tmp_path / "desk" / "county" / "childrens_services" / "worklists" / "demo" / "worklist.csv").exists()


def test_the_block_blocks(tmp_path):
    """A demo that looked up a host would be found out, even if it swallowed the failure."""
    (tmp_path / "desk").mkdir()
    swallowed = (
        "import _socket\ntry:\n    _socket.getaddrinfo('localhost', 80)\nexcept OSError:\n    pass\n"
        "sys.argv = ['linkage', '--help']"
    )
    python(tmp_path / "desk", "-c", _BLOCKED.format(more=swallowed), expect=99)


def test_no_module_of_ours_imports_a_network_library():
    """After loading every room, the standard library's clients are not even in memory for their sake."""
    code = (
        "import pkgutil, sys, importlib, linkage, keys\n"
        "for home in (linkage, keys):\n"
        "    for found in pkgutil.walk_packages(home.__path__, home.__name__ + '.'):\n"
        "        source = importlib.util.find_spec(found.name).loader.get_source(found.name)\n"
        "        for word in ('socket', 'http.client', 'urllib.request', 'requests', 'httpx', 'ftplib', 'smtplib'):\n"
        "            if f'import {word}' in source or f'from {word}' in source:\n"
        "                sys.exit(f'{found.name} imports {word}')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
