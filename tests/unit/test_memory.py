"""What is large and free goes back to the system, where the system can be told so."""

import ctypes
from types import SimpleNamespace

from linkage.memory import LARGE, give_back_large


def test_a_system_is_told_if_it_can_be_and_else_done_without(monkeypatch):
    told = []
    monkeypatch.setattr(ctypes, "pythonapi", SimpleNamespace(mallopt=lambda *option: told.append(option)))
    give_back_large()
    assert told == [(-3, LARGE)]
    monkeypatch.setattr(ctypes, "pythonapi", SimpleNamespace())
    give_back_large()
