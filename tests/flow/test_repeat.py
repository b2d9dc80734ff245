"""A seed repeats a whole run: the demo and a rehearsal."""

import json

from linkage.steps import rehearse
from linkage.steps.account import quiet
from tests.flow.parties import python
from tests.flow.people import strangers

ONE_CORE = "hasattr(os, 'sched_setaffinity') and os.sched_setaffinity(0, list(os.sched_getaffinity(0))[:1])"


def test_a_seed_repeats_the_demo_exactly(tmp_path):
    """Every figure of the report, every row and every pair id, in another process and on one core alone."""
    first, again = (_demo(tmp_path / name, pin) for name, pin in (("first", "None"), ("again", ONE_CORE)))
    report, worklist, page = first
    assert report["pairs"]["correct"] > 5
    assert worklist.count("\n") > 5
    assert again == (report, worklist, page)


def _demo(folder, pin):
    """Report without its clock, worklist and its page."""
    folder.mkdir()
    words = ["linkage", "demo", "--seed", "2", "--people", "2000", "--out", "county"]
    python(folder, "-c", f"import os, sys; {pin}; sys.argv = {words}; import cli; cli.main()")
    home = folder / "county"
    lists = home / "childrens_services" / "worklists" / "demo"
    report = json.loads((home / "report.json").read_text()) | {"seconds": None}
    return report, (lists / "worklist.csv").read_text(), (lists / "worklist.html").read_text()


def test_a_seed_repeats_a_rehearsal_exactly(tmp_path):
    """Every figure, down to expected errors that hang on random tags and filters; another seed gives others."""
    men = strangers(400, seed=3)
    inputs = {"police": tmp_path / "police.csv", "housing": tmp_path / "housing.csv"}
    for path, some in zip(inputs.values(), (men[:250], men[200:]), strict=True):
        rows = [f"{man.nhs},{man.forename},{man.surname},{man.iso()},{man.postcode}" for man in some]
        path.write_text("\n".join(["rid,first,last,dob,postcode", *rows]) + "\n")

    def report(seed):
        return rehearse.rehearse(None, inputs, {}, rehearse.Truth(), None, quiet, seed) | {"seconds": None}

    assert report(1) == report(1)
    assert report(1) != report(2)
