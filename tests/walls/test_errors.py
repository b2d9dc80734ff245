"""Exit codes are a promise to whoever scripts us."""

import keys.errors
import linkage.errors

FAMILIES = {
    linkage.errors.UsageProblemError: range(2, 3),
    linkage.errors.NotAgreedError: range(3, 10),
    keys.errors.CustodyError: range(10, 20),
    linkage.errors.YourFileError: range(20, 30),
    linkage.errors.TheirPackageError: range(30, 40),
    linkage.errors.MatchingError: range(40, 50),
    linkage.errors.ReleaseError: range(50, 60),
    linkage.errors.ExchangeError: range(60, 70),
}


def tree(base):
    yield base
    for child in base.__subclasses__():
        yield from tree(child)


def test_every_error_has_a_code_of_its_own_within_its_family():
    """Whose fault it is can be read off the code, and no two errors share one."""
    codes = {}
    for family, allowed in FAMILIES.items():
        for error in tree(family):
            assert error.exit_code in allowed, error
            assert codes.setdefault(error.exit_code, error) is error, error


def test_every_error_of_ours_belongs_to_a_family():
    """A new error cannot forget to say whose fault it is."""
    families = {error for family in FAMILIES for error in tree(family)}
    assert set(tree(linkage.errors.LinkageError)) - families == {linkage.errors.LinkageError}


def test_every_error_says_what_it_means():
    """The docstring is the catalogue's entry."""
    assert all(error.__doc__ for family in FAMILIES for error in tree(family))
