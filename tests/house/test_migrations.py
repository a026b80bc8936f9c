"""The migrations, and not the table definitions, are what a store is made of: both must say the same."""

import importlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, Table, create_engine, inspect, make_url
from sqlalchemy.ext.asyncio import create_async_engine

from commontrace_backend.database import schema, sqlite_schema
from commontrace_backend.database.lock import WriterLock
from commontrace_backend.database.tables import metadata
from house.sources import ROOT, python_files

BACKEND = ROOT / "backend" / "commontrace_backend"
MIGRATIONS = BACKEND / "database" / "migrations"
# Alembic's own, ours about the schema, what the indexes keep, and what FTS5 keeps behind its tables.
BESIDES = (
    "alembic_version",
    "schema_info",
    "trace_search",
    "trace_terms",
    "trace_words",
    "search_terms",
    "search_totals",
)

for concept in BACKEND.glob("*/tables.py"):
    importlib.import_module(f"commontrace_backend.{concept.parent.name}.tables")


def ours(name: str | None, kind: str, _parents: Any) -> bool:
    return kind != "table" or not str(name).startswith(BESIDES)


@pytest.fixture
async def fresh(tmp_path: Path) -> Path:
    path = tmp_path / "store.db"
    await sqlite_schema.bring_up_to_date(path, WriterLock(path.with_suffix(".lock"), 5.0))
    return path


@pytest.fixture
def migrated(fresh: Path) -> Iterator[Connection]:
    engine = create_engine(f"sqlite:///{fresh}")
    with engine.connect() as connection:
        yield connection
    engine.dispose()


@pytest.fixture
def declared(tmp_path: Path) -> Iterator[Connection]:
    engine = create_engine(f"sqlite:///{tmp_path / 'declared.db'}")
    with engine.connect() as connection:
        metadata.create_all(connection)
        yield connection
    engine.dispose()


def differences(connection: Connection, wanted: MetaData) -> list[Any]:
    options = {"compare_type": True, "include_name": ours}
    steps: list[Any] = compare_metadata(MigrationContext.configure(connection, opts=options), wanted)
    return steps


def keys(connection: Connection) -> dict[str, list[Any]]:
    """What compare_metadata does not look at: primary keys, and checks."""
    look = inspect(connection)
    return {
        name: [look.get_pk_constraint(name)["constrained_columns"], look.get_check_constraints(name)]
        for name in look.get_table_names()
        if not name.startswith(BESIDES)
    }


def test_migrating_an_empty_store_gives_the_tables_that_the_code_declares(migrated: Connection) -> None:
    assert differences(migrated, metadata) == []


def test_primary_keys_and_checks_are_those_that_the_code_declares(migrated: Connection, declared: Connection) -> None:
    assert keys(migrated) == keys(declared)


@pytest.mark.filterwarnings("ignore:Did not recognize type .halfvec.")  # pgvector's, which SQLAlchemy does not know
async def test_the_same_holds_in_postgresql(postgres_url: str) -> None:
    engine = create_async_engine(make_url(postgres_url).set(drivername="postgresql+asyncpg"))
    async with engine.connect() as connection:
        assert await connection.run_sync(differences, metadata) == []
        migrated = await connection.run_sync(keys)
        await connection.run_sync(metadata.drop_all)
        await connection.run_sync(metadata.create_all)
        assert migrated == await connection.run_sync(keys)
    await engine.dispose()


def test_a_table_without_a_migration_is_noticed(migrated: Connection) -> None:
    more = MetaData(naming_convention=metadata.naming_convention)
    for table in metadata.tables.values():
        table.to_metadata(more)
    Table("forgotten", more)
    assert [step[0] for step in differences(migrated, more)] == ["add_table"]


def test_there_is_one_head_and_the_code_knows_it() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    scripts = ScriptDirectory.from_config(config)
    assert scripts.get_heads() == [str(schema.CURRENT)]
    assert len(list(scripts.walk_revisions())) == schema.CURRENT


def test_a_store_says_what_its_schema_is_and_who_may_still_read_it(fresh: Path) -> None:
    with sqlite3.connect(fresh) as connection:
        found = connection.execute("SELECT version_num, min_reader FROM alembic_version, schema_info").fetchall()
    connection.close()
    assert found == [(str(schema.CURRENT), schema.MIN_READER)]


@pytest.mark.parametrize("path", python_files(MIGRATIONS / "versions"), ids=lambda path: path.name)
def test_a_migration_is_frozen_and_reads_no_table_of_today(path: Path) -> None:
    assert ".tables" not in path.read_text(encoding="utf-8")
