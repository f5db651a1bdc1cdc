"""Figures from measurements."""

from __future__ import annotations

from collections import Counter

from bench.profiling import self_time, total_time
from bench.report import ratio, verdicts_of


def test_a_ratio_is_taken_within_each_round() -> None:
    """A round in which the whole machine was slow changes nothing."""
    assert ratio([100.0, 10.0, 110.0], [50.0, 5.0, 55.0]) == 2.0


def test_a_goal_missed_is_said() -> None:
    """Reached and not reached are told apart, the limit included."""
    goal = {"workload": "People", "concurrency": 32, "fastest_peer": "yoga", "of_peer": 1.3, "peer_goal": 1.3}
    results = {
        "workloads": {"People": {"title": "100 people"}},
        "servers": {"yoga": {"title": "Yoga"}},
        "goals": [goal | {"of_limit": 0.8, "limit_goal": 0.85}],
    }
    line = next(verdicts_of(results))
    assert "1.30 of the fastest peer (Yoga), reached" in line
    assert "0.80 of the limit, NOT reached" in line


def test_a_profile_counts_own_time_by_the_innermost_frame() -> None:
    """And with what is called, each frame of a stack once."""
    stacks = ["main;serve;decode 3", "main;serve;serve 2", "main 1"]
    assert self_time(stacks) == Counter({"decode": 3, "serve": 2, "main": 1})
    assert total_time(stacks)["serve"] == 5
