"""A backup's file: a ZIP of one part a table, a row a line, and a manifest that says what must be in it.

Rows are streamed both ways, so that no table need fit into memory. The manifest is written last: a file that has one
is whole.
"""

import hashlib
import json
import os
import secrets
import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Literal
from zipfile import ZIP_DEFLATED, BadZipFile, ZipFile

from pydantic import BaseModel, Field, ValidationError
from sqlalchemy.exc import SQLAlchemyError

from commontrace.errors import InvalidInputError, StoreUnusableError

FORMAT: Final = "commontrace-backup/1"
_MANIFEST: Final = "manifest.json"
_LARGEST_MANIFEST: Final = 1_000_000  # bytes; a real one has some thousand
_AT_ONCE: Final = 1 << 20

Progress = Callable[[int, int], None]
"""Is told how many more rows are done, and of how many more that is."""


class PartSummary(BaseModel):
    """What one table's part holds: its columns in their order, its rows, and the SHA-256 of its lines."""

    columns: list[str]
    rows: int = Field(ge=0)
    sha256: str


class Manifest(BaseModel):
    """What a backup holds."""

    format: Literal["commontrace-backup/1"] = FORMAT
    version: str = Field(description="Of the CommonTrace that made it.")
    created_at: str
    engine: Literal["sqlite", "postgresql"] = Field(description="Where the rows come from.")
    schema_number: int = Field(ge=1)
    parts: dict[str, PartSummary] = {}

    @property
    def rows(self) -> int:
        """How many there are in all."""
        return sum(part.rows for part in self.parts.values())


class Writer:
    """Adds parts to a backup."""

    def __init__(self, file: ZipFile, manifest: Manifest) -> None:
        self._file = file
        self._manifest = manifest

    @contextmanager
    def part(self, table: str, columns: list[str]) -> Iterator[Callable[[list[Any]], None]]:
        """Takes the rows of one table."""
        summary = PartSummary(columns=columns, rows=0, sha256="")
        digest = hashlib.sha256()
        with self._file.open(_member(table), "w", force_zip64=True) as member:

            def add(row: list[Any]) -> None:
                line = json.dumps(row, separators=(",", ":")).encode() + b"\n"
                digest.update(line)
                member.write(line)
                summary.rows += 1

            yield add
        summary.sha256 = digest.hexdigest()
        self._manifest.parts[table] = summary


@contextmanager
def writing(path: Path, manifest: Manifest) -> Iterator[Writer]:
    """A backup that appears at `path`, for its owner alone, once it is whole and on the disk.

    Raises:
        InvalidInputError: there is a file already.
        StoreUnusableError: the file cannot be written.
    """
    if path.exists():
        raise InvalidInputError(f"{path} is there already; it was left as it is.", "Choose another name.")
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with os.fdopen(os.open(beside, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "w+b") as plain:
            with ZipFile(plain, "w", ZIP_DEFLATED) as file:
                yield Writer(file, manifest)
                file.writestr(_MANIFEST, manifest.model_dump_json(indent=1))
            plain.flush()
            os.fsync(plain.fileno())
        beside.replace(path)
    except OSError as error:
        raise StoreUnusableError(
            f"The backup {path} cannot be written: {error.strerror}.",
            "Make room there, or name a file in a folder that this user may write to.",
        ) from error
    finally:
        beside.unlink(missing_ok=True)


class Reader:
    """A backup whose parts are all as its manifest says."""

    def __init__(self, file: ZipFile, manifest: Manifest) -> None:
        self._file = file
        self.manifest = manifest

    def rows(self, table: str) -> Iterator[dict[str, Any]]:
        """The rows of a table, each by the names of its columns."""
        columns = self.manifest.parts[table].columns
        with self._file.open(_member(table)) as member:
            for line in member:
                yield dict(zip(columns, json.loads(line), strict=True))


@contextmanager
def reading(path: Path) -> Iterator[Reader]:
    """A backup, once every byte of it was compared with its manifest.

    Raises:
        InvalidInputError: it is no backup of ours, or not as it was written.
    """
    try:
        with ZipFile(path) as file:
            manifest = _manifest_of(file, path)
            for table, part in manifest.parts.items():
                _compare(file, table, part)
            yield Reader(file, manifest)
    except OSError as error:
        raise InvalidInputError(
            f"The backup {path} cannot be read: {error.strerror or 'it is cut short'}.", "Name another file."
        ) from error
    except (BadZipFile, zlib.error, EOFError) as error:
        raise _damaged(f"{path} is no whole backup") from error


def _manifest_of(file: ZipFile, path: Path) -> Manifest:
    foreign = InvalidInputError(f"{path} is no backup that this CommonTrace knows.", "Name a file of its own backup.")
    try:
        if file.getinfo(_MANIFEST).file_size > _LARGEST_MANIFEST:
            raise foreign
        return Manifest.model_validate_json(file.read(_MANIFEST))
    except (KeyError, ValidationError) as error:
        raise foreign from error


def _compare(file: ZipFile, table: str, part: PartSummary) -> None:
    digest, lines = hashlib.sha256(), 0
    try:
        with file.open(_member(table)) as member:
            while piece := member.read(_AT_ONCE):
                digest.update(piece)
                lines += piece.count(b"\n")
    except KeyError as error:
        raise _damaged(f"Its part {table} is gone") from error
    if (digest.hexdigest(), lines) != (part.sha256, part.rows):
        raise _damaged(f"Its part {table} is not as it was written")


@contextmanager
def of_part(table: str) -> Iterator[None]:
    """Loading a part: rows that are none, although their sum is right, are said as any other damage."""
    try:
        yield
    except (ValueError, TypeError, AttributeError, struct.error, SQLAlchemyError) as error:
        raise _damaged(f"Its part {table} has rows that no store has") from error


def _damaged(what: str) -> InvalidInputError:
    return InvalidInputError(f"The backup is damaged; nothing was restored. {what}.", "Use another copy of it.")


def _member(table: str) -> str:
    return f"rows/{table}.jsonl"
