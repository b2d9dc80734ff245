"""What is large and free goes back to the system, where the system can be told so."""

import ctypes
from types import SimpleNamespace

from linkage.memory import LARGE, give_back_free, give_back_large


def test_a_system_is_told_if_it_can_be_and_else_done_without(monkeypatch):
    told = []
    calls = {name: lambda *numbers: told.append(numbers) for name in ("mallopt", "malloc_trim")}
    monkeypatch.setattr(ctypes, "pythonapi", SimpleNamespace(**calls))
    give_back_large()
    give_back_free()
    assert told == [(-3, LARGE), (0,)]
    monkeypatch.setattr(ctypes, "pythonapi", SimpleNamespace())
    give_back_large()
    give_back_free()
