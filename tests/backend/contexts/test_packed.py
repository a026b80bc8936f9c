"""How objects lie in the store: smaller than they are, and read back as they were."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from commontrace._async.contexts import AsyncContextRepository
from commontrace.errors import InternalError

LONG = "the parser stops at the second line of the file\n" * 100


async def stored(store: Path, table: str) -> bytes:
    with closing(sqlite3.connect(store)) as database:
        return bytes(database.execute(f"SELECT encoded FROM {table}").fetchone()[0])


def put(store: Path, table: str, encoded: bytes) -> None:
    with closing(sqlite3.connect(store)) as database, database:
        database.execute(f"UPDATE {table} SET encoded = ?", [encoded])


async def test_a_long_message_takes_less_room_than_its_text_and_comes_back_as_it_was(
    repo: AsyncContextRepository, store: Path
) -> None:
    repo.user(LONG)
    await repo.commit("first")
    assert len(await stored(store, "blobs")) < len(LONG) / 10
    assert ((await repo.window(format="openai")).messages or [])[0]["content"] == LONG


async def test_a_commit_takes_less_than_half_of_what_it_says(repo: AsyncContextRepository, store: Path) -> None:
    repo.user("short")
    made = await repo.commit("first")
    assert len(await stored(store, "commits")) < 190
    assert (await repo.log()).commits[0].commit_id == made.commit_id


async def test_a_short_message_lies_there_as_it_is(repo: AsyncContextRepository, store: Path) -> None:
    repo.user("short")
    await repo.commit("first")
    assert await stored(store, "blobs") == b'{"parts":[{"text":"short","type":"text"}],"role":"user"}'


async def test_what_was_stored_before_anything_was_compressed_is_read(
    repo: AsyncContextRepository, store: Path
) -> None:
    repo.user(LONG)
    await repo.commit("first")
    plain = '{"parts":[{"text":"as it was","type":"text"}],"role":"user"}'
    put(store, "blobs", plain.encode())
    assert ((await repo.window(format="openai")).messages or [])[0]["content"] == "as it was"


async def test_what_was_damaged_is_never_shown(repo: AsyncContextRepository, store: Path) -> None:
    repo.user(LONG)
    await repo.commit("first")
    encoded = await stored(store, "blobs")
    put(store, "blobs", encoded[:-1] + bytes([encoded[-1] ^ 1]))
    with pytest.raises(InternalError):
        await repo.window()
