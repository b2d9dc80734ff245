"""Settings of all tests."""

from hypothesis import settings

# No example has a time limit: the first may compile, and machines are shared.
settings.register_profile("ours", deadline=None)
settings.load_profile("ours")
