"""The bounded store."""

from __future__ import annotations

from graph.weighed import Weighed


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
