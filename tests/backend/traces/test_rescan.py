"""After the rules changed, what is stored is screened again: labels anew, and what leaks hidden and reported."""

import sqlite3
from contextlib import closing
from pathlib import Path

from commontrace import AsyncClient, connect_async
from commontrace.models.search import Query
from commontrace.safety import RULES_VERSION
from factories import contributed
from outdated import age


async def fill(url: str) -> list[str]:
    async with connect_async(url) as client:
        return [await contributed(client, number) for number in range(5)]


def stored(store: Path, columns: str) -> list[tuple[str, ...]]:
    with closing(sqlite3.connect(store)) as connection:
        return list(connection.execute(f"SELECT {columns} FROM trace_versions ORDER BY trace_id"))


async def rescanned(client: AsyncClient, limit: int) -> list[int]:
    """How many versions are screened after each step."""
    steps: list[int] = []
    while not steps or steps[-1] < 5:
        steps.append((await client.traces.rescan(limit)).screened)
    return steps


async def test_labels_are_made_anew_and_what_leaks_is_hidden_and_listed(url: str, store: Path) -> None:
    traces = await fill(url)
    age(store, traces[2])
    async with connect_async(url) as client:
        await rescanned(client, 2)
        state = await client.traces.rescan()
        assert state.done
        assert [(leak.trace_id, leak.types) for leak in state.leaks] == [(traces[2], ["secret:github-token"])]
        assert (await client.traces.get(traces[2])).state == "hidden"
        assert {(await client.traces.get(trace)).state for trace in traces if trace != traces[2]} == {"active"}
        hits = (await client.traces.query(Query(query="database is locked", limit=10))).hits
        assert traces[2] not in {hit.trace_id for hit in hits}
        assert "turns certificate checks off" in {label.reason for label in (await client.traces.get(traces[2])).labels}
    assert {version for (version,) in stored(store, "scanner_version")} == {RULES_VERSION}


async def test_a_second_run_changes_nothing(url: str, store: Path) -> None:
    traces = await fill(url)
    age(store, traces[0])
    async with connect_async(url) as client:
        await rescanned(client, 500)
        before = stored(store, "*")
        await client.traces.rescan()
    assert stored(store, "*") == before


async def test_what_leaks_stays_hidden_when_a_flag_on_it_is_undone(url: str, store: Path) -> None:
    traces = await fill(url)
    age(store, traces[1])
    async with connect_async(url) as client:
        await rescanned(client, 500)
        flag = await client.traces.flag(traces[1], "secret", note="It holds a token.")
        await client.traces.unflag(flag.flag_id)
        assert (await client.traces.get(traces[1])).state == "hidden"
