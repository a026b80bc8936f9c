"""Bundles: repositories, or parts of one, as lines of JSON that keep every id. Pure; both sides write and check them.

A bundle is a header, then blobs and commits (a commit behind its parents and its messages), then refs, then a trailer
that counts the objects and holds the SHA-256 of every byte before it. An object stands in its canonical bytes, so that
its id is checked on what was read, and one changed byte is found. Where an object was purged, the line says so and
holds what stands in its place: its id cannot be checked then. Only bundles with such lines are of version 2.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from pydantic import ValidationError

from commontrace.errors import InvalidInputError, NewerSchemaError, TooLargeError
from commontrace.models.canonical import canonical
from commontrace.models.contexts import Purged
from commontrace.objects import Commit, check_operation, identify
from commontrace.providers.messages import Message, parse_message

VERSION: Final = 2
_WITHOUT_PURGES: Final = 1
LONGEST_LINE: Final = 16 * 1024 * 1024
"""Bytes of one object."""

_ID_DIGITS: Final = 64
_HEX: Final = frozenset("0123456789abcdef")
_AGAIN: Final = "Fetch or export it again."


@dataclass(frozen=True, slots=True)
class Item:
    """An object of a bundle whose id was checked.

    Attributes:
        kind: `blob` or `commit`.
        object_id: its id.
        encoded: its canonical bytes.
        value: what they say.
        purged: that something else stood there, and was purged.
    """

    kind: str
    object_id: str
    encoded: bytes
    value: Any
    purged: Purged | None = None


def line_of(kind: str, object_id: str, encoded: bytes) -> bytes:
    """The line of a blob or a commit."""
    return _opening(kind, object_id) + encoded + b"}\n"


def _opening(kind: str, object_id: str) -> bytes:
    return b'{"%s":"%s","content":' % (kind.encode(), object_id.encode())


class BundleWriter:
    """Makes the lines of a bundle one by one, and keeps count for the trailer."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()
        self._counts: Counter[str] = Counter()

    def header(self, repository: str, requires: Iterable[str] = (), *, purges: bool = False) -> bytes:
        """The first line.

        Args:
            repository: where it comes from.
            requires: commits that whoever reads the bundle must have already.
            purges: whether anything in it was purged.
        """
        version = VERSION if purges else _WITHOUT_PURGES
        fields = {
            "commontrace_bundle": version,
            "min_reader": version,
            "repository": repository,
            "requires": sorted(requires),
        }
        return self._line(canonical(fields) + b"\n")

    def item(self, kind: str, object_id: str, encoded: bytes) -> bytes:
        """The line of a blob or a commit."""
        self._counts[kind] += 1
        return self._line(line_of(kind, object_id, encoded))

    def purged(self, kind: str, object_id: str, encoded: bytes, purged: Purged) -> bytes:
        """The line of an object that was purged: what stands in its place, who purged it, when and why."""
        self._counts[kind] += 1
        said = canonical(purged.model_dump(mode="json"))
        line = b'{"purged":"%s","id":"%s","by":%s' % (kind.encode(), object_id.encode(), said)
        return self._line(line + b',"content":' + encoded + b"}\n")

    def ref(self, name: str, commit_id: str) -> bytes:
        """The line of a ref, as in `branch/main`."""
        self._counts["ref"] += 1
        return self._line(canonical({"ref": name, "commit": commit_id}) + b"\n")

    def trailer(self) -> bytes:
        """The last line."""
        return canonical({"end": {**_counted(self._counts), "sha256": self._digest.hexdigest()}}) + b"\n"

    def _line(self, line: bytes) -> bytes:
        self._digest.update(line)
        return line


def written(
    repository: str,
    blobs: Mapping[str, bytes],
    commits: Iterable[tuple[str, Commit]],
    refs: Mapping[str, str],
    requires: Iterable[str] = (),
) -> bytes:
    """A whole bundle in memory: blobs by id, then commits, parents first, then refs."""
    writer = BundleWriter()
    lines = [writer.header(repository, requires)]
    lines += [writer.item("blob", blob_id, encoded) for blob_id, encoded in blobs.items()]
    lines += [writer.item("commit", commit_id, commit.encoded()) for commit_id, commit in commits]
    lines += [writer.ref(name, commit_id) for name, commit_id in refs.items()]
    return b"".join([*lines, writer.trailer()])


def _counted(counts: Mapping[str, int]) -> dict[str, int]:
    return {"blobs": counts.get("blob", 0), "commits": counts.get("commit", 0), "refs": counts.get("ref", 0)}


class BundleReader:
    """Checks a bundle as its bytes arrive.

    Attributes:
        repository: where it came from, by its header.
        requires: commits that it builds on and does not hold.
        refs: the commits that its refs name.
        blobs: the ids of the blobs that it holds.
        commits: the ids of the commits that it holds.
        missing_blobs: blobs that its commits name and that it does not hold.
    """

    def __init__(self) -> None:
        self.repository = ""
        self.requires: frozenset[str] = frozenset()
        self.refs: dict[str, str] = {}
        self.blobs: set[str] = set()
        self.commits: set[str] = set()
        self.missing_blobs: set[str] = set()
        self._version = 0
        self._number = 0
        self._rest = b""
        self._digest = hashlib.sha256()
        self._counts: Counter[str] = Counter()
        self._ended = False

    def feed(self, chunk: bytes) -> Iterator[Item]:
        """Take the next bytes, of any number; yields the objects that they complete.

        Raises:
            InvalidInputError: a line that is not what it says, a changed object, a parent that is not there.
            NewerSchemaError: only a newer CommonTrace can read this bundle.
            TooLargeError: a line beyond all bounds.
        """
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        for line in lines:
            self._number += 1
            item = self._take(line)
            self._digest.update(line + b"\n")
            if item:
                yield item
        if len(self._rest) > LONGEST_LINE:
            raise TooLargeError(
                f"Line {self._number + 1} of the bundle is over {LONGEST_LINE // 2**20} MiB.", "Split the message."
            )

    def close(self) -> None:
        """Say that no byte follows; raises InvalidInputError for a bundle that breaks off."""
        if not self._ended or self._rest:
            raise InvalidInputError(f"The bundle breaks off behind line {self._number}.", _AGAIN)
        unknown = [name for name, commit_id in self.refs.items() if not self._is_known(commit_id)]
        if unknown:
            raise InvalidInputError(f"The ref {unknown[0]} names a commit that is not in the bundle.", _AGAIN)

    def _take(self, line: bytes) -> Item | None:
        if self._ended:
            raise self._wrong("follows the end")
        kind = line[2 : line.find(b'"', 2)].decode(errors="replace") if line.startswith(b'{"') else ""
        if kind in {"blob", "commit"} and self._version and b'","content":' in line:
            return self._item(kind, line)
        fields = self._fields(line)
        if not self._version:
            self._begin(fields)
        elif "purged" in fields:
            return self._purged(fields)
        elif "ref" in fields:
            self._ref(fields)
        elif "end" in fields:
            self._end(fields["end"])
        elif self._version <= VERSION:  # a newer writer may add what an older reader can do without
            raise self._wrong("is nothing that a bundle holds")
        return None

    def _item(self, kind: str, line: bytes) -> Item:
        start = len(kind) + 5
        object_id = line[start : start + _ID_DIGITS].decode(errors="replace")
        opening = _opening(kind, object_id)
        encoded = line[len(opening) : -1]
        if not line.startswith(opening) or identify(kind, encoded) != object_id:
            raise self._wrong(f"is not the {kind} that it says: something was changed")
        value = self._fields(encoded)
        if canonical(value) != encoded:
            raise self._wrong("is not in canonical form")
        return self._held(kind, object_id, encoded, value)

    def _held(
        self, kind: str, object_id: str, encoded: bytes, value: dict[str, Any], purged: Purged | None = None
    ) -> Item:
        self._counts[kind] += 1
        if kind == "commit":
            return Item(kind, object_id, encoded, self._commit(object_id, encoded), purged)
        self.blobs.add(object_id)
        return Item(kind, object_id, encoded, self._message(value), purged)

    def _purged(self, fields: Mapping[str, Any]) -> Item:
        kind, object_id, value = fields["purged"], fields.get("id"), fields.get("content")
        try:
            said = Purged.model_validate(fields.get("by"))
        except ValidationError as error:
            raise self._wrong("does not say who purged it, when and why") from error
        if kind not in {"blob", "commit"} or not _is_id(object_id) or not isinstance(value, dict):
            raise self._wrong("is nothing that was purged")
        return self._held(kind, str(object_id), canonical(value), value, said)

    def _message(self, value: dict[str, Any]) -> Message:
        try:
            message = parse_message(value)
        except InvalidInputError as error:
            raise self._wrong(f"holds no message: {error.detail}") from error
        if message != value:
            raise self._wrong("holds a message that is not in the canonical form")
        return message

    def _commit(self, commit_id: str, encoded: bytes) -> Commit:
        commit = _decoded(encoded)
        if commit is None:
            raise self._wrong("is not a commit of this version")
        for operation in commit.operations:
            check_operation(operation)
        lost = [parent for parent in commit.parents if not self._is_known(parent)]
        if lost:
            raise self._wrong(
                f"names the parent {lost[0][:10]}, which does not come before it: parents are missing, or in a circle"
            )
        self.commits.add(commit_id)
        named = {operation["blob"] for operation in commit.operations if "blob" in operation}
        self.missing_blobs |= named - self.blobs
        return commit

    def _is_known(self, commit_id: object) -> bool:
        return commit_id in self.commits or commit_id in self.requires

    def _begin(self, fields: Mapping[str, Any]) -> None:
        version, needed = fields.get("commontrace_bundle"), fields.get("min_reader")
        if not isinstance(version, int) or not isinstance(needed, int) or version < 1:
            raise self._wrong("is not the beginning of a bundle")
        if needed > VERSION:
            raise NewerSchemaError(
                f"This bundle needs a CommonTrace that reads version {needed}; this one reads {VERSION}.",
                "Upgrade CommonTrace; nothing was written.",
            )
        requires = fields.get("requires", [])
        if not isinstance(requires, list) or not all(_is_id(one) for one in requires):
            raise self._wrong("names no commits as required")
        self._version = version
        self.repository = str(fields.get("repository", ""))
        self.requires = frozenset(requires)

    def _ref(self, fields: Mapping[str, Any]) -> None:
        name, commit_id = fields["ref"], fields.get("commit")
        if not isinstance(name, str) or not name.startswith(("branch/", "tag/", "label/")) or not _is_id(commit_id):
            raise self._wrong("is not a ref")
        self._counts["ref"] += 1
        self.refs[name] = str(commit_id)

    def _end(self, said: Any) -> None:
        if said != {**_counted(self._counts), "sha256": self._digest.hexdigest()}:
            raise self._wrong("does not fit what comes before it: something is missing or was changed")
        self._ended = True

    def _fields(self, line: bytes) -> dict[str, Any]:
        try:
            fields = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise self._wrong("is not JSON") from error
        if not isinstance(fields, dict):
            raise self._wrong("is not a JSON object")
        return fields

    def _wrong(self, what: str) -> InvalidInputError:
        return InvalidInputError(f"Line {self._number} of the bundle {what}.", _AGAIN)


def _is_id(value: object) -> bool:
    return isinstance(value, str) and len(value) == _ID_DIGITS and _HEX.issuperset(value)


def _decoded(encoded: bytes) -> Commit | None:
    """A commit if every field is of its type; what comes from elsewhere was checked by nobody."""
    try:
        commit = Commit.decode(encoded)
        aware = datetime.fromisoformat(commit.time).tzinfo is not None
    except (KeyError, TypeError, ValueError):
        return None
    texts = (*commit.parents, *commit.traces, commit.author, commit.agent, commit.message)
    objects = (*commit.operations, commit.metadata, commit.generation)
    typed = all(isinstance(one, str) for one in texts) and all(isinstance(one, dict) for one in objects)
    return commit if aware and typed else None
