"""Blobs, slots and commits: what they hold and how their ids follow from it. Pure.

Every id is SHA-256 over a label and the canonical JSON of the object, so that any change of any hashed field changes
it, and the same object has the same id on every machine: both sides make and check them. Golden
vectors: tests/backend/contexts/test_objects.py.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from commontrace.errors import InvalidInputError
from commontrace.models.canonical import canonical

SLOT_DIGITS: Final = 32

PRIORITIES: Final = ("skip", "normal", "important", "pinned")
"""From what is never shown to what always is."""

# What an operation of its own writes, and no annotation.
_REGISTERS: Final = frozenset({"content", "live", "position", "cover"})

# Every kind of operation and its fields.
OPERATIONS: Final[dict[str, frozenset[str]]] = {
    "append": frozenset({"slot", "blob"}),
    "edit": frozenset({"slot", "blob"}),
    "annotate": frozenset({"slot", "key", "value"}),
    "remove": frozenset({"slot"}),
    "restore": frozenset({"slot"}),
    "move": frozenset({"slot", "after"}),
    "cover": frozenset({"slot", "blob", "covers"}),
    "uncover": frozenset({"slot"}),
}


def identify(kind: str, encoded: bytes) -> str:
    """The id of an object: SHA-256 over its kind, the version of the form, and its canonical bytes."""
    return hashlib.sha256(f"commontrace {kind} 1\n".encode() + encoded).hexdigest()


def canonical_id(kind: str, value: Any) -> str:
    """The id of a value: that of its canonical bytes."""
    return identify(kind, canonical(value))


@dataclass(frozen=True, slots=True)
class Blob:
    """A message by content."""

    blob_id: str
    encoded: bytes

    @classmethod
    def of(cls, message: Mapping[str, Any]) -> "Blob":
        """The blob of a canonical message; raises InvalidInputError."""
        encoded = canonical(message)
        return cls(identify("blob", encoded), encoded)


@dataclass(frozen=True, slots=True)
class Commit:
    """Ordered parents and the operations that lead on from them. Its size does not depend on its history.

    Attributes:
        parents: ids of the commits before it, the branch's own first.
        operations: each an object with `op` and the fields of its kind.
        author: the contributor's id.
        agent: which agent wrote, as it calls itself.
        time: when, ISO 8601 in UTC with microseconds.
        message: what this is about, in words.
        traces: ids of the traces that it used or produced.
        metadata: whatever the writer wants to keep.
        generation: model and parameters that wrote the messages.
    """

    parents: tuple[str, ...]
    operations: tuple[dict[str, Any], ...]
    author: str
    agent: str
    time: str
    message: str
    traces: tuple[str, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)
    generation: Mapping[str, Any] = field(default_factory=dict)

    @property
    def appended(self) -> list[str]:
        """The messages that it appends."""
        return [operation["blob"] for operation in self.operations if operation["op"] == "append"]

    @property
    def blob_ids(self) -> list[str]:
        """Every message that it brings: appended, edited or a summary."""
        return [operation["blob"] for operation in self.operations if "blob" in operation]

    @property
    def commit_id(self) -> str:
        """Its id: it follows from every field."""
        return identify("commit", self.encoded())

    def encoded(self) -> bytes:
        """The canonical bytes: every field is hashed."""
        return canonical(
            {
                "parents": self.parents,
                "operations": self.operations,
                "author": self.author,
                "agent": self.agent,
                "time": self.time,
                "message": self.message,
                "traces": self.traces,
                "metadata": self.metadata,
                "generation": self.generation,
            }
        )

    @classmethod
    def decode(cls, encoded: bytes | str) -> "Commit":
        """A commit from its canonical bytes."""
        fields = json.loads(encoded)
        for name in ("parents", "operations", "traces"):
            fields[name] = tuple(fields[name])
        return cls(**fields)


def check_operation(operation: Mapping[str, Any]) -> None:
    """Raise InvalidInputError for an operation of no known kind, or with other fields than its kind has."""
    kind = str(operation.get("op"))
    fields = OPERATIONS.get(kind)
    if fields is None or operation.keys() != fields | {"op"}:
        raise InvalidInputError(f"{kind!r} is not an operation that this version knows.", "Upgrade CommonTrace.")
    known = all(isinstance(operation[name], str) for name in fields & {"slot", "blob", "key", "after"})
    known &= kind == "annotate" or operation["slot"] != ""  # only notes are about the whole context
    if kind == "cover":
        covers = operation["covers"]
        known &= isinstance(covers, list) and bool(covers) and all(isinstance(one, str) and one for one in covers)
    if kind == "move":
        known &= operation["after"] != operation["slot"]
    if kind == "annotate":
        known &= operation["key"] not in _REGISTERS and (
            operation["key"] != "priority" or _is_priority(operation["value"])
        )
    if not known:
        raise InvalidInputError(f"An operation {kind} has a field that it cannot have.", "Upgrade CommonTrace.")


def _is_priority(value: Any) -> bool:
    return isinstance(value, dict) and value.get("level") in PRIORITIES


def appends(blob_ids: Sequence[str], origin: Sequence[Any]) -> tuple[dict[str, Any], ...]:
    """Operations that append blobs one behind another.

    Args:
        blob_ids: what to append, in order.
        origin: what makes these appends unlike all others (parents, author, agent, time): slot ids follow from it.
    """
    return tuple(
        {
            "op": "append",
            "slot": identify("slot", canonical([*origin, position, blob_id]))[:SLOT_DIGITS],
            "blob": blob_id,
        }
        for position, blob_id in enumerate(blob_ids)
    )
