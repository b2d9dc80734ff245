"""The next item is made while the one before it is used."""

import threading

import pytest

from linkage.ahead import ahead, spread


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


def test_several_hands_keep_the_order_and_hold_no_more_than_they_can():
    started, go_on = [], threading.Event()

    def make(item):
        started.append(item)
        if item == 0:
            assert go_on.wait(5)  # another hand must let it go
        if item == 1:
            go_on.set()
        return 10 * item

    found = spread(make, iter(range(9)), 2)
    assert next(found) == 0
    assert set(started) <= {0, 1, 2}
    assert list(found) == [10 * item for item in range(1, 9)]
    assert list(spread(make, [], 2)) == []


def test_what_a_hand_raises_comes_in_its_turn():
    def make(item):
        if item == 2:
            raise KeyError("two")
        return item

    found = spread(make, range(5), 2)
    assert [next(found), next(found)] == [0, 1]
    with pytest.raises(KeyError, match="two"):
        next(found)
