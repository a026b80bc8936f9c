"""A store of the first schema, with what its code kept in it, opened by the code of today."""

import shutil
import sqlite3
import stat
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine

import commontrace_backend.database
from commontrace import connect_async
from commontrace.models.search import Query
from commontrace_backend.database.schema import CURRENT
from embeddings import background, settled
from factories import contributed, contribution, found, use

MIGRATIONS = Path(commontrace_backend.database.__file__).parent / "migrations"
INDEX = ("trace_search", "trace_terms", "alembic_version", "schema_info", "sqlite_")


def make_first(path: Path) -> None:
    """An empty store of the first schema."""
    engine = create_engine(f"sqlite:///{path}")
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "1")
        connection.commit()
    engine.dispose()


def rows(path: Path, only: dict[str, str] | None = None) -> dict[str, list[Any]]:
    """Everything that is not an index, by table; or only some columns."""
    with closing(sqlite3.connect(path)) as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        wanted = dict.fromkeys(names, "*") if only is None else only
        return {
            name: sorted(connection.execute(f"SELECT {wanted[name]} FROM {name}").fetchall(), key=repr)
            for name in names
            if not name.startswith(INDEX) and name in wanted
        }


def columns(path: Path) -> dict[str, str]:
    """The columns of every table, as SQL names them."""
    with closing(sqlite3.connect(path)) as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {
            name: ", ".join(row[1] for row in connection.execute(f"PRAGMA table_info({name})"))
            for name in names
            if not name.startswith(INDEX)
        }


def fill_from(path: Path, current: Path) -> None:
    """What a store of today holds, as the first code would have written it."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("ATTACH ? AS today", (str(current),))
        for name in rows(path):
            columns = ", ".join(row[1] for row in connection.execute(f"PRAGMA main.table_info({name})"))
            connection.execute(f"INSERT INTO main.{name} ({columns}) SELECT {columns} FROM today.{name}")
        connection.execute(
            "INSERT INTO trace_search (rowid, title, problem, solution, tags, errors)"
            " SELECT t.number, t.title, v.content ->> 'problem', v.content ->> 'solution', '', v.content ->> 'errors'"
            " FROM traces t JOIN trace_versions v ON v.trace_id = t.trace_id AND v.version_id = t.version_id"
        )
        assert connection.execute("SELECT count(*) FROM trace_search WHERE trace_search MATCH 'locked'").fetchone() == (
            1,
        )


@pytest.fixture
async def first(store: Path, tmp_path: Path) -> Path:
    """A store of the first schema with five traces, one of them read and voted for."""
    async with connect_async(f"sqlite:///{store}") as client:
        known = [await contributed(client, number) for number in range(5)]
        await use(client, known[0])
    path = tmp_path / "first.db"
    make_first(path)
    fill_from(path, store)
    return path


async def test_what_a_store_of_the_first_schema_holds_is_kept_and_found(first: Path) -> None:
    before, had = rows(first), columns(first)
    assert len(before["traces"]) == 5
    async with connect_async(f"sqlite:///{first}") as client:
        assert (await settled(client)).words == 5
        for number, words in enumerate(
            ("several processes write to sqlite", "docker registry", "borrow checker", "exit code 137", "pgbouncer")
        ):
            assert (await found(client, words))[0] == contribution(number).title
    after = rows(first, had)
    assert {name: after[name] for name in before if name != "receipts"} == {
        name: before[name] for name in before if name != "receipts"
    }
    assert set(before["receipts"]) <= set(after["receipts"])
    with closing(sqlite3.connect(first)) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == (str(CURRENT),)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []


async def test_its_copy_is_kept_beside_it_as_it_was(first: Path) -> None:
    before = rows(first)
    async with connect_async(f"sqlite:///{first}") as client:
        await client.contributors.me()
    copy = first.with_name("first.db.schema-1.bak")
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert rows(copy) == before
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == ("1",)
        assert connection.execute("SELECT rowid FROM trace_search WHERE trace_search MATCH 'locked'").fetchall() == [
            (1,)
        ]
    again = Path(shutil.copy(copy, first.with_name("again.db")))
    async with connect_async(f"sqlite:///{again}") as client:
        await settled(client)
        assert len(await found(client, "database is locked")) == 1


@pytest.mark.usefixtures("hashed")
async def test_its_words_and_vectors_are_made_in_the_background_and_errors_are_found_at_once(first: Path) -> None:
    async with connect_async(f"sqlite:///{first}") as client:
        answer = await client.traces.query(Query(error="sqlite3.OperationalError: database is locked"))
        assert [hit.title for hit in answer.hits] == [contribution(0).title]
        assert (await background(client, lambda state: state.done)).embedded == 5
        assert (await client.traces.query("docker registry")).mode == "hybrid"
        new = await contributed(client, title="Kangaroos jump over the fence", insist=True)
        await client.traces.query(Query(ids=[new]))
        assert await found(client, "kangaroos fence") == ["Kangaroos jump over the fence"]
