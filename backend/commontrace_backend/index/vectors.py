"""What an index of vectors does, whatever database it lives in, and the rows that all of them share."""

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Protocol

from sqlalchemy import Column, ColumnElement, Select, delete, func, insert, select, update

from commontrace_backend.database.session import ReadSession, WriteSession
from commontrace_backend.index.tables import embedding_models, trace_vectors

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vector = NDArray[np.float32]


class Part(IntEnum):
    """What of a trace a vector stands for; the one nearer to a query counts."""

    PROBLEM = 0
    SOLUTION = 1


@dataclass(frozen=True, slots=True)
class Model:
    """The model whose vectors an index holds."""

    model_id: int
    name: str
    dimension: int


@dataclass(frozen=True, slots=True)
class Near:
    """A trace and the cosine between a query and the nearer of its parts."""

    number: int
    cosine: float


class VectorIndex(Protocol):
    """Finds traces by the vectors of one model, of those that a filter leaves."""

    async def nearest(
        self, session: ReadSession, vector: "Vector", *, where: ColumnElement[bool], limit: int
    ) -> list[Near]:
        """The `limit` traces nearest to a vector of unit length among those that satisfy `where`, nearest first."""
        ...

    async def cosines(self, session: ReadSession, vector: "Vector", numbers: Collection[int]) -> dict[int, float]:
        """How near these traces are; those without vectors are missing."""
        ...

    async def store(self, session: WriteSession, model: Model, rows: Sequence["PartVector"]) -> None:
        """Add vectors, or replace those of the same trace and part."""
        ...


@dataclass(frozen=True, slots=True)
class PartVector:
    """The vector of one part of a trace, with the hash of the text it was made from."""

    number: int
    part: Part
    text_hash: str
    vector: "Vector"


def text_hash(text: str) -> str:
    """SHA-256 of an embedded text."""
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


async def find_model(session: ReadSession, name: str) -> Model | None:
    """The model of this name, if any vector of it was ever stored."""
    row = await session.first(select(embedding_models).where(embedding_models.c.name == name))
    return Model(row.model_id, row.name, row.dimension) if row else None


async def open_model(session: WriteSession, name: str, dimension: int) -> Model:
    """The model of this name; one whose dimension has changed loses the vectors it had."""
    known = await find_model(session, name)
    if known is not None and known.dimension == dimension:
        return known
    if known is not None:
        await session.write(delete(trace_vectors).where(trace_vectors.c.model_id == known.model_id))
        await session.write(delete(embedding_models).where(embedding_models.c.model_id == known.model_id))
    await session.write(
        insert(embedding_models).values(name=name, dimension=dimension, revision=0, created_at=datetime.now(UTC))
    )
    found = await find_model(session, name)
    assert found is not None
    return found


async def next_revision(session: WriteSession, model_id: int) -> int:
    """A number for a change to a model's vectors, higher than all before."""
    statement = (
        update(embedding_models)
        .where(embedding_models.c.model_id == model_id)
        .values(revision=embedding_models.c.revision + 1)
        .returning(embedding_models.c.revision)
    )
    return int((await session.execute(statement)).scalar_one())


async def replace_vectors(
    session: WriteSession, model: Model, rows: Sequence[PartVector], form: Callable[["Vector"], object]
) -> int:
    """Add vectors in the `form` their database keeps, or replace those of the same trace and part.

    One revision for all of them, which is returned.
    """
    revision = await next_revision(session, model.model_id)
    for row in rows:
        mine = (trace_vectors.c.number == row.number) & (trace_vectors.c.model_id == model.model_id)
        await session.write(delete(trace_vectors).where(mine, trace_vectors.c.part == row.part))
    await session.write(
        insert(trace_vectors),
        [
            {
                "number": row.number,
                "model_id": model.model_id,
                "part": row.part,
                "text_hash": row.text_hash,
                "vector": form(row.vector),
                "revision": revision,
            }
            for row in rows
        ],
    )
    return revision


async def outdate(session: WriteSession, number: int, hashes: Mapping[Part, str]) -> None:
    """Forget the vectors of a trace once any of its texts is not the one they were made from; they are made anew later.

    All of them: a trace with a current vector of its solution counts as embedded.
    """
    rows = await session.all(
        select(trace_vectors.c.model_id, trace_vectors.c.part, trace_vectors.c.text_hash).where(
            trace_vectors.c.number == number, trace_vectors.c.vector.is_not(None)
        )
    )
    made: dict[int, dict[Part, str]] = {}
    for row in rows:
        made.setdefault(row.model_id, {})[Part(row.part)] = row.text_hash
    for model_id, texts in made.items():
        if texts != hashes:
            await session.write(
                update(trace_vectors)
                .where(trace_vectors.c.number == number, trace_vectors.c.model_id == model_id)
                .values(vector=None, revision=await next_revision(session, model_id))
            )


async def unembedded(session: ReadSession, key: Column[int], model: Model | None, limit: int) -> list[int]:
    """Row numbers of traces that this model has no current vector of, oldest first."""
    return [row[0] for row in await session.all(_unembedded(key, model).order_by(key).limit(limit))]


async def count_unembedded(session: ReadSession, key: Column[int], model: Model | None) -> int:
    """How many those are."""
    return int(await session.scalar(select(func.count()).select_from(_unembedded(key, model).subquery())))


def _unembedded(key: Column[int], model: Model | None) -> Select[Any]:
    there = (
        select(trace_vectors.c.number)
        .where(
            trace_vectors.c.number == key,
            trace_vectors.c.model_id == (model.model_id if model else None),
            trace_vectors.c.part == Part.SOLUTION,
            trace_vectors.c.vector.is_not(None),
        )
        .exists()
    )
    return select(key).where(~there)
