"""What was asked in vain: how questions are grouped, who sees them, and when they are gone."""

import random
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from commontrace import AsyncClient, Client
from commontrace.errors import CommonTraceError
from commontrace.models.search import Query
from commontrace_backend.search.wanted import Group, Miss, grouped
from doors import People
from factories import contributed

pytestmark = pytest.mark.both_databases

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
MOON = "MoonError: the moon is full"


def miss(number: int, words: str = "", *, error: str | None = None, by: str = "ann", day: int = 0) -> Miss:
    return Miss(f"{number:032x}", by, BEGIN + timedelta(days=day or number), error, frozenset(words.split()))


def ids(groups: list[Group]) -> list[list[int]]:
    return [[int(item.miss_id, 16) for item in group.misses] for group in groups]


def test_the_same_error_is_one_question_whatever_the_words() -> None:
    asked = [miss(1, "a b c", error="x"), miss(2, "d e f", error="x"), miss(3, "a b c", error="y")]
    assert ids(grouped(asked)) == [[1, 2], [3]]


def test_nearly_the_same_words_are_one_question_and_others_are_not() -> None:
    asked = [
        miss(1, "docker build fail dns resolver"),
        miss(2, "docker build dns resolver"),  # 4 of 5
        miss(3, "docker build fail slow"),  # 2 of 7
        miss(4, "docker dns build resolver hang"),  # 4 of 6
        miss(5, "resolver"),
        miss(6, "resolver"),
        miss(7, ""),
    ]
    assert ids(grouped(asked)) == [[1, 2, 4], [5, 6], [3]]


def test_a_question_joins_the_nearest_group() -> None:
    asked = [miss(1, "a b c d"), miss(2, "a b c e f"), miss(3, "a b c e")]  # 3 of 5, and 4 of 5
    assert ids(grouped(asked)) == [[2, 3], [1]]


def test_most_people_come_first_then_most_times_then_who_asked_last() -> None:
    asked = [
        miss(1, "a"), miss(2, "a"), miss(3, "a"),
        miss(4, "b"), miss(5, "b", by="bo"),
        miss(6, "c"), miss(7, "d"), miss(8, "e", day=7),
    ]  # fmt: skip
    groups = grouped(asked)
    assert ids(groups) == [[4, 5], [1, 2, 3], [8], [7], [6]]
    assert (groups[0].people, groups[1].people, groups[1].newest.created_at) == (2, 1, BEGIN + timedelta(days=3))


misses = st.lists(
    st.builds(
        miss,
        st.integers(0, 10_000),
        st.lists(st.sampled_from("abcdefgh"), max_size=6).map(" ".join),
        error=st.none() | st.sampled_from(["x", "y"]),
        by=st.sampled_from(["ann", "bo"]),
        day=st.integers(1, 5),
    ),
    max_size=30,
    unique_by=lambda item: item.miss_id,
)


@given(misses, st.randoms(use_true_random=False))
def test_groups_do_not_depend_on_the_order_and_every_question_with_words_is_in_one(
    asked: list[Miss], order: random.Random
) -> None:
    shuffled = list(asked)
    order.shuffle(shuffled)
    groups = grouped(shuffled)
    assert groups == grouped(asked)
    said = [item.miss_id for group in groups for item in group.misses]
    assert sorted(said) == sorted(item.miss_id for item in asked if item.fingerprint or item.stems)
    assert [group.people for group in groups] == sorted((group.people for group in groups), reverse=True)


@given(misses)
def test_two_founders_are_never_near_each_other(asked: list[Miss]) -> None:
    founders = [group.misses[0].stems for group in grouped(asked) if group.misses[0].fingerprint is None]
    for number, ours in enumerate(founders):
        assert all(len(ours & theirs) / len(ours | theirs) < 0.6 for theirs in founders[:number])


async def test_questions_without_an_answer_are_listed_with_how_often_and_by_how_many(
    client: AsyncClient, people: People
) -> None:
    ann = await people("ann")
    await client.traces.query("kangaroo migration stalls")
    await client.traces.query("a kangaroo migration stalled")
    await ann.traces.query("why does the kangaroo's migration stall?")
    await ann.traces.query("penguins in the basement")
    await client.traces.query(error=MOON)
    await client.traces.query(Query(query="what is this", error=f"Traceback\n{MOON}"))
    first, second, third = await client.traces.wanted()
    assert (first.people, first.times, first.example) == (2, 3, "why does the kangaroo's migration stall?")
    assert (second.people, second.times) == (1, 2)
    assert second.fingerprint is not None
    assert second.example.endswith(MOON)
    assert (third.example, third.fingerprint) == ("penguins in the basement", None)
    assert first.last_asked > datetime.now(UTC) - timedelta(minutes=5)
    assert [item.example for item in await client.traces.wanted(limit=1)] == [first.example]
    assert await ann.traces.wanted() == [first, second, third]


async def test_the_blocking_client_and_plain_http_answer_alike(client: AsyncClient, http: httpx2.AsyncClient) -> None:
    await client.traces.query("kangaroo migration stalls")
    [wanted] = await client.traces.wanted()
    said = await http.get("/api/v1/wanted", params={"limit": 5})
    assert said.json() == [wanted.model_dump(mode="json")]
    assert (await http.get("/api/v1/wanted", params={"limit": 0})).status_code == 422
    assert (await http.get("/api/v1/wanted", params={"limit": 101})).status_code == 422


def test_the_blocking_client_lists_too(blocking: Client) -> None:
    blocking.traces.query("kangaroo migration stalls")
    assert [item.example for item in blocking.traces.wanted(5)] == ["kangaroo migration stalls"]


async def test_another_organization_sees_its_own_questions_only(client: AsyncClient, people: People) -> None:
    eve = await people("eve", "elsewhere")
    await client.traces.query("kangaroo migration stalls")
    await eve.traces.query("penguins in the basement")
    assert [item.example for item in await client.traces.wanted()] == ["kangaroo migration stalls"]
    assert [item.example for item in await eve.traces.wanted()] == ["penguins in the basement"]


async def test_a_key_that_may_not_read_sees_none(people: People) -> None:
    voter = await people("vic", scopes=("vote",))
    with pytest.raises(CommonTraceError, match="may not read"):
        await voter.traces.wanted()


async def test_a_question_is_gone_once_a_trace_bears_its_error(client: AsyncClient) -> None:
    await client.traces.query(error=MOON)
    assert len(await client.traces.wanted()) == 1
    await contributed(client, title="Quite another subject", errors=[MOON])
    assert await client.traces.wanted() == []


async def test_a_question_is_gone_once_asking_it_again_finds_something(client: AsyncClient) -> None:
    await client.traces.query("database is locked when processes write")
    await client.traces.query("penguins in the basement")
    trace_id = await contributed(client)
    assert [item.example for item in await client.traces.wanted()] == ["penguins in the basement"]
    await client.traces.withdraw(trace_id, "wrong")
    assert len(await client.traces.wanted()) == 2


async def test_what_one_may_not_see_answers_nothing(client: AsyncClient, people: People) -> None:
    await client.traces.query(error=MOON)
    await client.traces.query("database is locked when processes write")
    ann = await people("ann")
    await contributed(ann, errors=[MOON])  # private
    assert len(await client.traces.wanted()) == 2
    assert await ann.traces.wanted() == []


async def test_looking_at_the_list_keeps_nothing(client: AsyncClient, store: Path) -> None:
    await contributed(client)
    await client.traces.query("penguins in the basement")
    before = rows(store)
    await client.traces.wanted()
    assert rows(store) == before == (1, 0)


def rows(store: Path) -> tuple[int, int]:
    """How many misses and receipts there are."""
    with closing(sqlite3.connect(store)) as connection:
        [found] = connection.execute("SELECT (SELECT count(*) FROM misses), (SELECT count(*) FROM receipts)")
    return found[0], found[1]


async def test_secrets_and_the_middle_of_a_long_question_are_not_shown(client: AsyncClient) -> None:
    await client.traces.query("kangaroo ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8 " + "jumping " * 300 + "finally")
    [wanted] = await client.traces.wanted()
    assert wanted.example.startswith("kangaroo [redacted secret:github-token] jumping")
    assert " … " in wanted.example
    assert wanted.example.endswith("finally")
    assert len(wanted.example) < 1010


async def test_what_was_last_asked_half_a_year_ago_is_wanted_no_more(client: AsyncClient, store: Path) -> None:
    await client.traces.query("kangaroo migration stalls")
    await client.traces.query("penguins in the basement")
    with closing(sqlite3.connect(store)) as connection, connection:
        old = (datetime.now(UTC) - timedelta(days=181)).replace(tzinfo=None).isoformat(sep=" ")
        connection.execute("UPDATE misses SET created_at = ? WHERE query LIKE 'kangaroo%'", (old,))
    assert [item.example for item in await client.traces.wanted()] == ["penguins in the basement"]


async def test_only_the_newest_of_very_many_are_looked_at(client: AsyncClient, store: Path) -> None:
    await client.traces.query("the oldest question of all: kangaroos")
    with closing(sqlite3.connect(store)) as connection, connection:
        [(tenant, contributor)] = connection.execute("SELECT tenant_id, contributor_id FROM misses").fetchall()
        later = (datetime.now(UTC) + timedelta(seconds=5)).replace(tzinfo=None).isoformat(sep=" ")
        connection.executemany(
            "INSERT INTO misses (miss_id, tenant_id, contributor_id, query, created_at) VALUES (?, ?, ?, ?, ?)",
            [
                (f"{number:032x}", tenant, contributor, f"penguin{number % 50} in basement{number % 7}", later)
                for number in range(10_000)
            ],
        )
    found = await client.traces.wanted(limit=20)
    assert sum(item.times for item in found) <= 2_000
    assert "kangaroos" not in str(found)
    assert len(found) == 20
