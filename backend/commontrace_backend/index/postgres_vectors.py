"""Vectors in PostgreSQL: pgvector's half-precision type under an HNSW index of each model's own."""

from collections.abc import Collection, Sequence
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import (
    Column,
    ColumnElement,
    Double,
    Select,
    and_,
    bindparam,
    cast,
    func,
    literal_column,
    select,
    text,
)

from commontrace_backend.database.one_of import OneOf
from commontrace_backend.database.session import ReadSession, WriteSession
from commontrace_backend.database.types import HalfVector, HalfVectorText
from commontrace_backend.index.tables import embedding_models, trace_vectors
from commontrace_backend.index.vectors import Model, Near, PartVector, find_model, replace_vectors

if TYPE_CHECKING:
    from commontrace_backend.index.vectors import Vector

_WIDER: Final = 4  # rows looked at for each trace wanted: a trace has two, and some are filtered
_MOST_LOOKED_AT: Final = 1000  # by pgvector in one go
_LARGEST_INDEXED: Final = 4000  # dimensions of a halfvec that HNSW can index; more are scanned

_SEARCHING: Final = text(
    "SELECT set_config('hnsw.iterative_scan', 'strict_order', true), set_config('hnsw.ef_search', :looked_at, true)"
)
_GOOD: Final = text("SELECT indexrelid::regclass::text FROM pg_index WHERE indisvalid")


class PostgresVectors:
    """The vectors of one model, by name."""

    def __init__(self, key: Column[int], model_name: str) -> None:
        self._key = key
        self._name = model_name

    async def nearest(
        self, session: ReadSession, vector: "Vector", *, where: ColumnElement[bool], limit: int
    ) -> list[Near]:
        """By the HNSW index, which goes on until enough of what it finds satisfies `where`."""
        model = await find_model(session, self._name)
        if model is None:
            return []
        looked_at = limit * _WIDER
        await session.execute(_SEARCHING, {"looked_at": str(min(_MOST_LOOKED_AT, looked_at))})
        rows = await session.all(_nearest(self._key, model, where, looked_at), {"asked": vector})
        best: dict[int, float] = {}
        for row in rows:
            best.setdefault(row.number, row.cosine)
        return [Near(number, cosine) for number, cosine in best.items()][:limit]

    async def cosines(self, session: ReadSession, vector: "Vector", numbers: Collection[int]) -> dict[int, float]:
        """Computed for each of these traces."""
        if not numbers:
            return {}
        asked = {"asked": vector, "numbers": numbers, "model": self._name, "dimension": len(vector)}
        return {row.number: row.cosine for row in await session.all(_cosines(len(vector)), asked)}

    async def store(self, session: WriteSession, model: Model, rows: Sequence[PartVector]) -> None:
        """One revision for all of them; the model's first vectors bring its index with them."""
        revision = await replace_vectors(session, model, rows, lambda vector: vector)
        if revision == 1:
            await add_index(session, model)


async def add_index(session: WriteSession, model: Model) -> None:
    """The model's own HNSW index, where its vectors are not too long for one."""
    if model.dimension <= _LARGEST_INDEXED:
        await session.execute(text(_index(model)))


async def unindexed(session: ReadSession) -> list[Model]:
    """The models whose index is gone, or was never finished."""
    good = {row[0] for row in await session.all(_GOOD)}
    models = [Model(row.model_id, row.name, row.dimension) for row in await session.all(select(embedding_models))]
    return [one for one in models if one.dimension <= _LARGEST_INDEXED and index_of(one) not in good]


def index_of(model: Model) -> str:
    """The name of a model's index."""
    return f"ix_trace_vectors_hnsw_{model.model_id}"


def _index(model: Model) -> str:
    return (
        f"CREATE INDEX IF NOT EXISTS {index_of(model)} ON trace_vectors "
        f"USING hnsw ((vector::halfvec({model.dimension})) halfvec_cosine_ops) WHERE model_id = {model.model_id}"
    )


def _distance(dimension: int) -> ColumnElement[float]:
    """Cosine distance to the vector given as `asked`, written as the index has it."""
    own: ColumnElement[Any] = literal_column(f"(trace_vectors.vector::halfvec({dimension}))")
    # As a query of its own, so that the text is read once and not for every row.
    asked = select(cast(bindparam("asked", type_=HalfVectorText()), HalfVector(dimension))).scalar_subquery()
    return own.op("<=>", return_type=Double())(asked)


# Built once a filter: to build such a statement costs more than to run it.
@lru_cache(maxsize=256)
def _nearest(key: Column[int], model: Model, where: ColumnElement[bool], limit: int) -> Select[Any]:
    distance = _distance(model.dimension)
    return (
        select(trace_vectors.c.number, (1 - distance).label("cosine"))
        .join(key.table, key == trace_vectors.c.number)
        # As a number of its own, so that the planner knows whose index this is.
        .where(trace_vectors.c.model_id == literal_column(str(model.model_id)), where)
        .where(trace_vectors.c.vector.is_not(None))
        .order_by(distance)
        .limit(literal_column(str(limit)))
    )


@cache
def _cosines(dimension: int) -> Select[Any]:
    # A model whose dimension has changed meanwhile has no vector to compare.
    same = and_(embedding_models.c.name == bindparam("model"), embedding_models.c.dimension == bindparam("dimension"))
    return (
        select(trace_vectors.c.number, func.max(1 - _distance(dimension)).label("cosine"))
        .join(embedding_models, embedding_models.c.model_id == trace_vectors.c.model_id)
        .where(same, OneOf(trace_vectors.c.number, "numbers"), trace_vectors.c.vector.is_not(None))
        .group_by(trace_vectors.c.number)
    )
