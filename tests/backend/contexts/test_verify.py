"""Verify: finds every changed byte and every name that leads nowhere, and nothing in a store that is sound."""

import asyncio
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from commontrace import AsyncClient, connect_async
from commontrace._async.contexts import AsyncContextRepository
from commontrace.errors import NotFoundError
from commontrace.models.contexts import VerifyResult
from commontrace.objects import identify
from conversations import say
from tampering import changed, unpacked

pytestmark = pytest.mark.both_databases

CALL = {"id": "a", "type": "function", "function": {"name": "run", "arguments": '{"n": 1}'}}
PARTS = ("blobs", "commits")


async def lived_in(repo: AsyncContextRepository) -> None:
    """A history with every kind of operation in it."""
    repo.system("Be brief.")
    await say(repo, "one", "two", trace_ids=["ab" * 16])
    repo.add({"role": "assistant", "content": "Let me see.", "tool_calls": [CALL]})
    repo.add({"role": "tool", "tool_call_id": "a", "content": "line\n" * 80})
    await repo.commit("looked")
    slots = [item.slot_id for item in (await repo.window(explain=True)).explanation]
    await repo.tag("looked")
    await repo.branch("try")
    await repo.edit(slots[1], "uno")
    await repo.skip(slots[2])
    await repo.switch("main")
    await repo.edit(slots[1], "eins")
    await repo.compress("type:tool")
    await repo.notes(tools=[{"name": "run", "description": "Run it."}], keep=["uno"])
    await repo.merge("try")
    await repo.undo()
    await repo.redo()


@pytest.fixture
async def full(repo: AsyncContextRepository) -> AsyncContextRepository:
    """The repository, lived in."""
    await lived_in(repo)
    return repo


@pytest.fixture
async def at_rest(url: str, store: Path) -> Path:
    """The file of a store with a lived-in repository that nobody has open."""
    async with connect_async(url) as client:
        await lived_in(client.contexts.open("parser"))
    return store


def stored(path: Path, table: str) -> list[tuple[str, bytes]]:
    key = "blob_id" if table == "blobs" else "commit_id"
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(f"SELECT {key}, encoded FROM {table} ORDER BY 1").fetchall()


def places(content: bytes, wanted: bytes) -> Iterator[int]:
    at = content.find(wanted)
    while at >= 0:
        yield at
        at = content.find(wanted, at + 1)


async def checked(path: Path, content: bytes) -> VerifyResult:
    await asyncio.to_thread(path.write_bytes, content)
    async with connect_async(f"sqlite:///{path}") as client:
        return await client.contexts.open("parser").verify()


async def test_a_sound_repository_has_no_problems(full: AsyncContextRepository) -> None:
    found = await full.verify(full=True)
    assert (found.problems, found.sound, found.full) == ([], True, True)
    assert found.windows == found.commits
    assert (found.refs, found.calls, found.purged) == (3, 0, 0)
    assert found.blobs > 5
    assert found.operations == len(await full.operations())
    assert 0 < (await full.verify()).windows <= found.commits


@pytest.mark.parametrize("table", PARTS)
async def test_a_changed_byte_of_any_object_is_found(at_rest: Path, table: str, tmp_path: Path) -> None:
    content = await asyncio.to_thread(at_rest.read_bytes)
    for number, (object_id, encoded) in enumerate(stored(at_rest, table)):
        assert encoded in content
        at = content.index(encoded) + (number * 37) % len(encoded)
        changed = content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]
        found = await checked(tmp_path / f"{table}-{number}.db", changed)
        problem = next(one for one in found.problems if one.name == object_id)
        assert not found.sound
        assert problem.kind == table[:-1]
        assert "not those that its id stands for" in problem.detail
        assert "backup" in problem.hint


@pytest.mark.parametrize("table", PARTS)
async def test_a_changed_byte_of_an_id_is_found_in_the_table_and_in_its_index(
    at_rest: Path, table: str, tmp_path: Path
) -> None:
    content = await asyncio.to_thread(at_rest.read_bytes)
    object_id = stored(at_rest, table)[0][0].encode()
    found = list(places(content, object_id))
    assert len(found) > 1
    for number, at in enumerate(found):
        changed = content[:at] + (b"0" if content[at : at + 1] != b"0" else b"1") + content[at + 1 :]
        assert not (await checked(tmp_path / f"{number}.db", changed)).sound


@pytest.mark.parametrize(
    ("statement", "kind", "said"),
    [
        ("DELETE FROM blobs WHERE blob_id = (SELECT min(blob_id) FROM blobs)", "blob", "names it"),
        ("DELETE FROM commits WHERE generation = 0", "commit", "Its parent"),
        ("DELETE FROM commits WHERE generation = 0", "operation", "It names the commit"),
        ("UPDATE refs SET commit_id = 'ab' WHERE kind = 'tag'", "ref", "not there"),
        ("UPDATE commits SET generation = generation + 1 WHERE generation > 0", "commit", "deep, and is"),
        ("UPDATE commits SET window_tokens = window_tokens + 1", "window", "and shows"),
        ("UPDATE commits SET window_messages = 0", "window", "and shows"),
        ("UPDATE blobs SET tokens = tokens + 1", "blob", "number of tokens"),
        ("DELETE FROM commit_traces", "link", "is not listed"),
        ("UPDATE commit_traces SET trace_id = 'cd'", "link", "is listed and not in the commit"),
    ],
)
async def test_what_does_not_fit_together_is_found(
    url: str, full: AsyncContextRepository, statement: str, kind: str, said: str
) -> None:
    await changed(url, statement)
    found = await full.verify(full=True)
    assert not found.sound
    assert [one for one in found.problems if one.kind == kind and said in one.detail]
    assert all(one.hint for one in found.problems)


async def test_a_window_whose_message_is_gone_is_a_problem_and_no_failure(
    url: str, full: AsyncContextRepository
) -> None:
    await changed(url, "DELETE FROM blobs")
    assert {one.kind for one in (await full.verify()).problems} == {"blob", "window"}


async def test_a_circle_of_commits_is_found(url: str, store: Path, client: AsyncClient) -> None:
    repo = client.contexts.open("parser")
    commit_id = await say(repo, "one", message="the secret plan")
    await repo.purge("the secret plan")
    with closing(sqlite3.connect(store, isolation_level=None)) as connection:
        encoded = json.loads(unpacked(connection.execute("SELECT encoded FROM commits").fetchone()[0]))
        circle = json.dumps({**encoded, "parents": [commit_id]}, sort_keys=True, separators=(",", ":")).encode()
        connection.execute("UPDATE commits SET encoded = ?", (circle,))
        connection.execute("UPDATE purged_objects SET replacement = ?", (identify("commit", circle),))
    found: list[Any] = (await repo.verify()).problems
    assert [(one.kind, one.detail) for one in found] == [("commit", "It leads to itself, or to a commit that does.")]


async def test_verifying_needs_a_repository(client: AsyncClient) -> None:
    with pytest.raises(NotFoundError):
        await client.contexts.open("nowhere").verify()
