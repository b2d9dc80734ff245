"""The next item is made while the one before it is used."""

import threading

import pytest

from linkage.ahead import ahead


def test_items_come_in_their_order_and_one_is_made_meanwhile():
    made = [threading.Event() for _ in range(4)]

    def items():
        for place, event in enumerate(made):
            event.set()
            yield place

    for place in ahead(items()):
        assert place == 3 or made[place + 1].wait(5)  # though nobody has asked for it yet
        assert place >= 2 or not made[place + 2].is_set()


def test_what_an_item_raises_comes_in_its_turn():
    def items():
        yield 1
        raise KeyError("two")

    found = ahead(items())
    assert next(found) == 1
    with pytest.raises(KeyError, match="two"):
        next(found)


def test_nothing_is_nothing_and_who_stops_early_leaves_no_thread():
    assert list(ahead([])) == []
    before = threading.active_count()
    some = ahead(iter(range(9)))
    next(some)
    some.close()
    assert threading.active_count() == before
