"""Vectors in SQLite: int8 rows in the same file, and an exact scan over a matrix of them in memory.

Every process keeps its own matrix and asks before each query whether the file holds newer vectors: one SELECT of a
counter. Filters are applied before the cut, so no hit is lost to them.
"""

import asyncio
from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Column, ColumnElement, Row, select

from commontrace_backend.database.session import ReadSession, WriteSession
from commontrace_backend.index.tables import embedding_models, trace_vectors
from commontrace_backend.index.vectors import Model, Near, PartVector, replace_vectors

if TYPE_CHECKING:
    from commontrace_backend.index.vectors import Vector

_LARGEST: Final = 127
_CHUNK: Final = 512  # rows turned to float32 at a time: they stay in the processor's cache
_WIDER: Final = 4  # looked at for each trace wanted, before everything is filtered
_NOBODY: Final = -1


class MatrixVectors:
    """The vectors of one model, by name."""

    def __init__(self, key: Column[int], model_name: str) -> None:
        self._key = key
        self._name = model_name
        self._lock = asyncio.Lock()
        self._matrix = _Matrix()

    async def nearest(
        self, session: ReadSession, vector: "Vector", *, where: ColumnElement[bool], limit: int
    ) -> list[Near]:
        """Every vector is compared: no approximation, and no hit lost to the filter."""
        async with self._lock:
            await self._catch_up(session)
            matrix = self._matrix
            cosines = await asyncio.to_thread(matrix.cosines, vector)
        best = matrix.best(cosines, limit * _WIDER)
        visible = await self._visible(session, where, best)
        if len(visible) < limit and len(best) == limit * _WIDER:
            rows = await session.all(select(self._key).where(where))
            return matrix.best(matrix.only(cosines, [row[0] for row in rows]), limit)
        return [near for near in best if near.number in visible][:limit]

    async def cosines(self, session: ReadSession, vector: "Vector", numbers: Collection[int]) -> dict[int, float]:
        """Of the matrix as the last search saw it."""
        del session
        return self._matrix.cosines_of(vector, numbers)

    async def store(self, session: WriteSession, model: Model, rows: Sequence[PartVector]) -> None:
        """As int8 numbers and their scale."""
        await replace_vectors(session, model, rows, packed)

    async def _visible(self, session: ReadSession, where: ColumnElement[bool], best: Iterable[Near]) -> set[int]:
        numbers = [near.number for near in best]
        rows = await session.all(select(self._key).where(self._key.in_(numbers), where)) if numbers else []
        return {row[0] for row in rows}

    async def _catch_up(self, session: ReadSession) -> None:
        row = await session.first(select(embedding_models).where(embedding_models.c.name == self._name))
        if row is None:
            return
        model = Model(row.model_id, row.name, row.dimension)
        if model != self._matrix.model:  # SQLite gives the number of a model that is gone to the next one
            self._matrix = _Matrix(model)
        if row.revision == self._matrix.revision:
            return
        rows = await session.all(
            select(trace_vectors.c.number, trace_vectors.c.part, trace_vectors.c.vector).where(
                trace_vectors.c.model_id == model.model_id, trace_vectors.c.revision > self._matrix.revision
            )
        )
        self._matrix.take(rows, row.revision)


class _Matrix:
    """Rows of int8 numbers with their scale and the trace each belongs to."""

    def __init__(self, model: Model | None = None) -> None:
        import numpy as np

        self.model = model
        self.revision = 0
        self._dimension = model.dimension if model else 0
        self._places: dict[tuple[int, int], int] = {}
        self._by_number: dict[int, list[int]] = {}
        self._used = 0
        self._numbers = np.full(0, _NOBODY, dtype=np.int64)
        self._scales = np.zeros(0, dtype=np.float32)
        self._rows = np.zeros((0, self._dimension), dtype=np.int8)

    def take(self, rows: Sequence[Row[Any]], revision: int) -> None:
        """Add, replace or drop rows as the database has them."""
        import numpy as np

        self._make_room(len(rows))
        for row in rows:
            place = self._places.get((row.number, row.part))
            if row.vector is None:
                if place is not None:
                    self._numbers[place] = _NOBODY
                continue
            if place is None:
                place = self._places[row.number, row.part] = self._used
                self._by_number.setdefault(row.number, []).append(place)
                self._used += 1
            self._numbers[place] = row.number
            self._rows[place] = np.frombuffer(row.vector, dtype=np.int8, count=self._dimension)
            self._scales[place] = np.frombuffer(row.vector, dtype="<f4", offset=self._dimension)[0]
        self.revision = revision

    def _make_room(self, more: int) -> None:
        import numpy as np

        wanted, there = self._used + more, len(self._numbers)
        if wanted <= there:
            return
        room = max(wanted, there + there // 4) - there
        self._numbers = np.concatenate([self._numbers, np.full(room, _NOBODY, dtype=np.int64)])
        self._scales = np.concatenate([self._scales, np.zeros(room, dtype=np.float32)])
        self._rows = np.concatenate([self._rows, np.zeros((room, self._dimension), dtype=np.int8)])

    def cosines(self, vector: "Vector") -> "Vector":
        """The cosine of every row, -1 for those that are gone."""
        import numpy as np

        found = np.empty(self._used, dtype=np.float32)
        chunk = np.empty((min(_CHUNK, self._used), self._dimension), dtype=np.float32)
        for start in range(0, self._used, _CHUNK):
            rows = self._rows[start : min(start + _CHUNK, self._used)]
            np.copyto(chunk[: len(rows)], rows)
            # Row by row: a product of matrices would wake BLAS's threads, which go on burning CPU while they wait.
            np.vecdot(chunk[: len(rows)], vector, out=found[start : start + len(rows)])
        found *= self._scales[: self._used]
        found[self._numbers[: self._used] == _NOBODY] = -1
        return found

    def cosines_of(self, vector: "Vector", numbers: Collection[int]) -> dict[int, float]:
        """The cosine of the nearer part of each of these traces."""
        found: dict[int, float] = {}
        for number in numbers:
            places = [place for place in self._by_number.get(number, ()) if self._numbers[place] != _NOBODY]
            if places:
                found[number] = float(max((self._rows[places] @ vector) * self._scales[places]))
        return found

    def only(self, cosines: "Vector", numbers: Collection[int]) -> "Vector":
        """The cosines with everyone else's at -1."""
        import numpy as np

        return np.where(np.isin(self._numbers[: len(cosines)], list(numbers)), cosines, np.float32(-1))

    def best(self, cosines: "Vector", limit: int) -> list[Near]:
        """The nearest traces, each once, nearest first; a trace has two rows at most."""
        import numpy as np

        wanted = min(2 * limit, len(cosines))
        places = np.argpartition(-cosines, wanted - 1)[:wanted] if wanted else np.zeros(0, dtype=np.int64)
        order: np.ndarray[Any, Any] = places[np.lexsort((self._numbers[places], -cosines[places]))]
        found: dict[int, float] = {}
        for place in order:
            if cosines[place] > -1:
                found.setdefault(int(self._numbers[place]), float(cosines[place]))
        return [Near(number, cosine) for number, cosine in list(found.items())[:limit]]


def packed(vector: "Vector") -> bytes:
    """A vector as int8 numbers and the scale that undoes it: a byte a dimension, and four."""
    import numpy as np

    largest = float(np.abs(vector).max()) or 1.0
    numbers = np.round(vector * (_LARGEST / largest)).astype(np.int8)
    scale: bytes = np.float32(largest / _LARGEST).astype("<f4").tobytes()
    return numbers.tobytes() + scale
