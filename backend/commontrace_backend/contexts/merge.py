"""Bringing two histories together. Pure.

The union of both sides' operations is the result; the merge commit itself holds only the order in which it shows what
both appended behind the same slot: ours first. It renders nothing.
"""

from typing import Any

from commontrace_backend.contexts.state import State


def order_operations(ours: State, theirs: State) -> tuple[dict[str, Any], ...]:
    """For every slot that both sides continued, an operation that shows our continuation first."""
    operations = []
    for anchor in theirs.children:
        mine, yours = ours.below(anchor), theirs.below(anchor)
        new = [slot for slot in yours if slot not in ours.slots]
        if mine and new:
            operations.append({"op": "order", "anchor": anchor, "children": [*mine, *new]})
    return tuple(sorted(operations, key=lambda operation: str(operation["anchor"])))
