"""The index of vectors: one suite for both databases, and the exactness of the scan in SQLite."""

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray
from sqlalchemy import func, insert, select, true

from commontrace_backend.database.engine import Database, connect_database
from commontrace_backend.database.tenancy import EVERY_TENANT
from commontrace_backend.index.any_index import vectors_for
from commontrace_backend.index.matrix import packed
from commontrace_backend.index.vectors import (
    Near,
    Part,
    PartVector,
    VectorIndex,
    find_model,
    open_model,
    outdate,
    unembedded,
)
from commontrace_backend.traces.tables import traces

pytestmark = pytest.mark.both_databases

Vector = NDArray[np.float32]

MODEL = "a-model"
TOLERANCE = 0.01  # int8 in SQLite, half precision in PostgreSQL


@pytest.fixture
def index(database: Database) -> VectorIndex:
    """The implementation of the protocol that goes with the database."""
    return vectors_for(database, traces.c.number, MODEL)


def unit(*numbers: float) -> Vector:
    vector = np.array(numbers, dtype=np.float32)
    return (vector / np.linalg.norm(vector)).astype(np.float32)


EAST, NORTH, UP = unit(1, 0, 0, 0), unit(0, 1, 0, 0), unit(0, 0, 1, 0)
NORTH_EAST = unit(1, 1, 0, 0)


def solution(number: int, vector: Vector, text: str = "text") -> PartVector:
    return PartVector(number, Part.SOLUTION, text, vector)


def problem(number: int, vector: Vector, text: str = "text") -> PartVector:
    return PartVector(number, Part.PROBLEM, text, vector)


async def put(database: Database, index: VectorIndex, *rows: PartVector) -> None:
    async with database.writing(EVERY_TENANT) as session:
        await index.store(session, await open_model(session, MODEL, len(rows[0].vector)), rows)


async def nearest(database: Database, index: VectorIndex, vector: Vector, limit: int = 10) -> list[Near]:
    async with database.reading(EVERY_TENANT) as session:
        return await index.nearest(session, vector, where=true(), limit=limit)


async def order(database: Database, index: VectorIndex, vector: Vector, limit: int = 10) -> list[int]:
    return [near.number for near in await nearest(database, index, vector, limit)]


async def waiting(database: Database) -> list[int]:
    async with database.reading(EVERY_TENANT) as session:
        return await unembedded(session, traces.c.number, await find_model(session, MODEL), 10)


async def test_an_index_without_vectors_finds_nothing(database: Database, index: VectorIndex) -> None:
    assert await nearest(database, index, EAST) == []
    async with database.reading(EVERY_TENANT) as session:
        assert await index.cosines(session, EAST, [1, 2]) == {}
    assert await waiting(database) == [1, 2, 3, 4, 5]


async def test_the_nearest_come_first_with_their_cosines(database: Database, index: VectorIndex) -> None:
    await put(database, index, solution(1, NORTH), solution(2, NORTH_EAST), solution(3, EAST), solution(4, -EAST))
    found = await nearest(database, index, EAST)
    assert [near.number for near in found][:3] == [3, 2, 1]
    assert [near.cosine for near in found][:3] == pytest.approx([1.0, 0.5**0.5, 0.0], abs=TOLERANCE)
    assert await order(database, index, EAST, limit=2) == [3, 2]


async def test_the_nearer_of_two_parts_counts_and_a_trace_is_found_once(database: Database, index: VectorIndex) -> None:
    await put(database, index, problem(1, UP), solution(1, EAST), problem(2, NORTH_EAST), solution(2, UP))
    for vector, cosines in ((EAST, {1: 1.0, 2: 0.5**0.5}), (UP, {1: 1.0, 2: 1.0}), (NORTH, {1: 0.0, 2: 0.5**0.5})):
        found = await nearest(database, index, vector)
        assert {near.number: near.cosine for near in found} == pytest.approx(cosines, abs=TOLERANCE)
        assert len(found) == 2
        async with database.reading(EVERY_TENANT) as session:
            assert await index.cosines(session, vector, [1, 2, 3]) == pytest.approx(cosines, abs=TOLERANCE)


async def test_a_filter_never_costs_a_hit(database: Database, index: VectorIndex) -> None:
    await fill(database, 300)
    near_by = [solution(number, unit(1, number / 1000, 0, 0)) for number in range(1, 301)]
    await put(database, index, *near_by)
    async with database.reading(EVERY_TENANT) as session:
        far = await index.nearest(session, EAST, where=traces.c.number > 290, limit=5)
        none = await index.nearest(session, EAST, where=traces.c.number > 300, limit=5)
        both = await index.nearest(session, EAST, where=traces.c.number.in_([2, 299]), limit=5)
    assert [near.number for near in far] == [291, 292, 293, 294, 295]
    assert none == []
    assert [near.number for near in both] == [2, 299]


async def fill(database: Database, total: int) -> None:
    """More rows, so that there are traces numbered up to `total`."""
    async with database.writing(EVERY_TENANT) as session:
        first = await session.first(select(traces).where(traces.c.number == 1))
        assert first is not None
        there = await session.scalar(select(func.max(traces.c.number)))
        rows = [
            {**first._asdict(), "number": number, "trace_id": f"{number:032}"} for number in range(there + 1, total + 1)
        ]
        await session.write(insert(traces), rows)


async def test_storing_again_replaces(database: Database, index: VectorIndex) -> None:
    await put(database, index, solution(1, EAST), solution(2, NORTH))
    assert await order(database, index, EAST) == [1, 2]
    await put(database, index, solution(1, UP))
    (first, *_) = await nearest(database, index, UP)
    assert first.number == 1
    assert first.cosine == pytest.approx(1.0, abs=TOLERANCE)
    assert (await order(database, index, NORTH))[0] == 2
    async with database.reading(EVERY_TENANT) as session:
        assert (await index.cosines(session, EAST, [1]))[1] == pytest.approx(0.0, abs=TOLERANCE)


async def test_a_vector_of_another_text_is_hidden_until_it_is_made_anew(database: Database, index: VectorIndex) -> None:
    await put(database, index, *(solution(number, EAST, "old") for number in range(1, 6)))
    assert await waiting(database) == []
    async with database.writing(EVERY_TENANT) as session:
        await outdate(session, 3, {Part.SOLUTION: "new"})
        await outdate(session, 4, {Part.SOLUTION: "old"})
    assert sorted(await order(database, index, EAST)) == [1, 2, 4, 5]
    async with database.reading(EVERY_TENANT) as session:
        assert (await index.cosines(session, EAST, [3, 4])).keys() == {4}
    assert await waiting(database) == [3]
    await put(database, index, solution(3, UP, "new"))
    assert (await order(database, index, UP))[0] == 3
    assert await waiting(database) == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({Part.PROBLEM: "old", Part.SOLUTION: "same"}, {Part.PROBLEM: "new", Part.SOLUTION: "same"}),
        ({Part.SOLUTION: "same"}, {Part.PROBLEM: "added", Part.SOLUTION: "same"}),
    ],
)
async def test_a_trace_of_which_any_part_changed_waits_to_be_embedded(
    database: Database, index: VectorIndex, before: dict[Part, str], after: dict[Part, str]
) -> None:
    await put(database, index, *(solution(number, EAST) for number in range(2, 6)))
    await put(database, index, *(PartVector(1, part, text, EAST) for part, text in before.items()))
    async with database.writing(EVERY_TENANT) as session:
        await outdate(session, 1, after)
    assert await waiting(database) == [1]
    await put(database, index, *(PartVector(1, part, text, UP) for part, text in after.items()))
    assert await waiting(database) == []


async def test_a_part_that_is_gone_is_found_no_more_and_nothing_waits_for_it(
    database: Database, index: VectorIndex
) -> None:
    await put(database, index, *(solution(number, EAST) for number in range(1, 6)), problem(1, UP))
    async with database.writing(EVERY_TENANT) as session:
        await outdate(session, 1, {Part.SOLUTION: "text"})
    async with database.reading(EVERY_TENANT) as session:
        assert (await index.cosines(session, UP, [1])).get(1, 0.0) == pytest.approx(0.0, abs=TOLERANCE)
    await put(database, index, solution(1, EAST))
    assert await waiting(database) == []


async def test_another_process_sees_what_was_stored_meanwhile(database: Database, index: VectorIndex, url: str) -> None:
    await put(database, index, solution(1, EAST))
    other = connect_database(url)
    await other.open()
    theirs = vectors_for(other, traces.c.number, MODEL)
    assert await order(other, theirs, EAST) == [1]
    await put(database, index, solution(2, NORTH))
    assert await order(other, theirs, NORTH) == [2, 1]
    await put(other, theirs, solution(3, UP))
    assert (await order(database, index, UP))[0] == 3
    async with database.writing(EVERY_TENANT) as session:
        await outdate(session, 3, {Part.SOLUTION: "new"})
    assert 3 not in await order(other, theirs, UP)
    await other.close()


async def test_a_model_whose_dimension_has_changed_begins_anew(database: Database, index: VectorIndex) -> None:
    await put(database, index, solution(1, EAST), solution(2, NORTH))
    assert await order(database, index, EAST) == [1, 2]
    wide = unit(0, 0, 0, 0, 1, 0, 0, 0)
    await put(database, index, solution(4, wide))
    assert await order(database, index, wide) == [4]
    assert await waiting(database) == [1, 2, 3, 5]


async def test_models_share_nothing(database: Database, index: VectorIndex) -> None:
    await put(database, index, solution(1, EAST))
    other = vectors_for(database, traces.c.number, "another")
    assert await nearest(database, other, EAST) == []
    async with database.writing(EVERY_TENANT) as session:
        model = await open_model(session, "another", 2)
        assert await open_model(session, "another", 2) == model
        await other.store(session, model, [solution(1, unit(1, 0)), solution(2, unit(0, 1))])
    assert await order(database, other, unit(0, 1)) == [2, 1]
    assert await order(database, index, EAST) == [1]


async def test_many_vectors_are_ordered_as_brute_force_orders_them(database: Database, index: VectorIndex) -> None:
    random = np.random.default_rng(7)
    await fill(database, 200)
    rows = [random.standard_normal(32) for _ in range(400)]
    vectors = [unit(*row) for row in rows]
    await put(database, index, *(made(place, vector) for place, vector in enumerate(vectors)))
    for seed in range(5):
        asked = unit(*np.random.default_rng(seed).standard_normal(32))
        exact = brute_force(asked, vectors)
        found = await nearest(database, index, asked, limit=20)
        cosines = [near.cosine for near in found]
        assert len(found) == 20
        assert cosines == sorted(cosines, reverse=True)
        assert cosines == pytest.approx([exact[near.number] for near in found], abs=TOLERANCE)
        # Only what lies as near as the twentieth, within the rounding, may be missing.
        last = sorted(exact.values(), reverse=True)[19]
        assert {number for number, cosine in exact.items() if cosine > last + 2 * TOLERANCE} <= {
            near.number for near in found
        }


def made(place: int, vector: Vector) -> PartVector:
    return PartVector(place // 2 + 1, Part(place % 2), "text", vector)


def brute_force(asked: Vector, vectors: Sequence[Vector]) -> dict[int, float]:
    found: dict[int, float] = {}
    for place, vector in enumerate(vectors):
        found[place // 2 + 1] = max(found.get(place // 2 + 1, -1.0), float(asked @ vector))
    return found


@pytest.mark.parametrize("seed", range(20))
def test_a_packed_vector_is_off_by_half_a_step_at_most(seed: int) -> None:
    vector = unit(*np.random.default_rng(seed).standard_normal(384))
    stored = packed(vector)
    scale = np.frombuffer(stored, dtype="<f4", offset=384)[0]
    numbers = np.frombuffer(stored, dtype=np.int8, count=384)
    assert len(stored) == 384 + 4
    assert np.abs(numbers * scale - vector).max() <= scale / 2 * 1.001
    assert float(numbers * scale @ vector) == pytest.approx(1.0, abs=0.002)


def test_a_vector_of_nothing_can_be_packed() -> None:
    assert packed(np.zeros(4, dtype=np.float32))[:4] == bytes(4)
