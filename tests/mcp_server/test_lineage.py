"""What came after what, also as somebody sends it who means harm."""

import time

from commontrace.lineage import in_order


def test_versions_stand_behind_those_that_they_came_after() -> None:
    assert in_order({"c": ["b"], "b": ["a"], "d": ["a", "c"], "a": []}) == ["a", "b", "c", "d"]
    assert in_order({"a": ["b"], "b": ["a"], "c": ["c", "elsewhere"]}) == ["c", "a", "b"]


def test_the_worst_order_costs_little() -> None:
    backwards = {str(number): [str(number + 1)] for number in range(1500)}
    begun = time.process_time()
    assert in_order(backwards) == list(reversed(backwards))
    assert time.process_time() - begun < 4  # it takes 0.3 s; a set made for every version of every round took 20
    dense = {str(number): [str(after) for after in range(number + 1, 600)] for number in range(600)}
    begun = time.process_time()
    assert in_order(dense) == list(reversed(dense))
    assert time.process_time() - begun < 2
