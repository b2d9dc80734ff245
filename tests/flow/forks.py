"""The command line again, in processes forked from one that has loaded the libraries: a tenth of the wait.

Used where many commands are tried one after another; the journey itself runs in processes of its own.
"""

import json
import os
import subprocess
import sys
from functools import cache

from tests.flow import parties

_SERVER = """
import io, json, os, sys, tempfile
from tests.flow import seeded
import cli, linkage.__main__
import linkage.steps.agency, linkage.steps.agreement, linkage.steps.childrens_services, linkage.steps.close
import linkage.steps.keys, linkage.steps.log, linkage.steps.matcher, linkage.steps.profile, linkage.steps.secret
import linkage.match.exact, safetensors.numpy, jinja2
for line in sys.stdin:
    job = json.loads(line)
    child = os.fork()
    if not child:
        os.chdir(job["cwd"])
        os.environ.clear()
        os.environ.update(job["env"])
        os.dup2(os.open(job["out"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 1)
        os.dup2(os.open(job["err"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 2)
        sys.stdin, tempfile.tempdir = io.StringIO(), None
        seeded.start(job["seed"], job["args"])
        sys.argv = ["linkage", *job["args"]]
        linkage.__main__.main()
        sys.exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


@cache
def _server():
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(parties.ROOT), "PYTHONWARNINGS": "error"}
    return subprocess.Popen(
        [sys.executable, "-c", _SERVER], env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def linkage(folder, *args, passphrase=True, expect=0, seed=None):
    """As `parties.linkage`."""
    words = [*map(str, args), *(["--passphrase-file", "passphrase.txt"] if passphrase else [])]
    if not hasattr(os, "fork"):
        return parties.linkage(folder, *args, passphrase=passphrase, expect=expect, seed=seed)
    said = [folder.parent.parent / f"said.{name}" for name in ("out", "err")]
    job = {"cwd": str(folder), "env": parties.surroundings(folder), "args": words, "seed": seed}
    job |= {"out": str(said[0]), "err": str(said[1])}
    server = _server()
    server.stdin.write(json.dumps(job) + "\n")
    server.stdin.flush()
    done = parties.Done(int(server.stdout.readline()), *(path.read_text() for path in said))
    assert expect is None or done.code == expect, (words, done)
    return done


def stop():
    """End the process that the others were forked from."""
    if _server.cache_info().currsize:
        with _server() as server:
            server.stdin.close()
        _server.cache_clear()
