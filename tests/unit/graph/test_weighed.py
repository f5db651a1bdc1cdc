"""The bounded store."""

from __future__ import annotations

from graph.weighed import RandomlyWeighed, Weighed


def test_what_was_used_longest_ago_goes_first() -> None:
    """Asking for a value keeps it."""
    store = Weighed[str, int](2, 100)
    store.put("a", 1, 1)
    store.put("b", 2, 1)
    assert store.get("a") == 1
    store.put("c", 3, 1)
    assert (store.get("a"), store.get("b"), store.get("c")) == (1, None, 3)


def test_the_weight_of_all_is_bounded() -> None:
    """A heavy value drives out as many as it takes; one above the limit is handed back and not kept."""
    store = Weighed[str, int](100, 10)
    for number in range(10):
        store.put(str(number), number, 1)
    store.put("heavy", 11, 8)
    assert [store.get(key) for key in ("7", "8", "9", "heavy")] == [None, 8, 9, 11]
    assert store.put("too heavy", 12, 11) == 12
    assert store.get("too heavy") is None


def test_a_value_that_is_replaced_or_taken_weighs_nothing_any_more() -> None:
    """So that the sum stays true."""
    store = Weighed[str, int](100, 10)
    for number in range(20):
        store.put("same", number, 6)
    store.put("other", 1, 4)
    assert (store.take("same"), store.take("same")) == (19, None)
    store.put("third", 2, 6)
    assert len(store) == 2


def test_there_is_room_until_something_would_have_to_go() -> None:
    """By number and by weight."""
    store = Weighed[str, int](2, 10)
    assert store.has_room(10)
    assert not store.has_room(11)
    store.put("a", 1, 4)
    assert store.has_room(6)
    assert not store.has_room(7)
    store.put("b", 2, 1)
    assert not store.has_room(1)


def test_at_random_the_bounds_are_the_same() -> None:
    """Whatever is stored, stored again and taken."""
    store = RandomlyWeighed[int, int](10, 30)
    for number in range(2_000):
        store.put(number % 37, number, 1 + number % 5)
        store.take((number * 7) % 37)
        store.put(number % 11, number, 3)
        assert len(store) <= 10
    held = sum(store.take(key) is not None for key in range(37))
    assert held > 0
    assert store.has_room(30)
    assert store.put(1, 1, 31) == 1
    assert store.get(1) is None


def test_at_random_the_oldest_may_stay() -> None:
    """Of values stored in turn, twice as many as there is room for, some are there when their turn comes."""
    store = RandomlyWeighed[int, int](50, 1_000)
    found = 0
    for number in range(2_000):
        found += store.get(number % 100) is not None
        store.put(number % 100, number, 1)
    assert found > 200
