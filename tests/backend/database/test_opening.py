"""What happens when a store is opened: made, reused, upgraded, or refused and left as it is."""

import asyncio
import os
import shutil
import sqlite3
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from commontrace import connect, connect_async
from commontrace.errors import CommonTraceError, InvalidInputError, NewerSchemaError, StoreUnusableError
from commontrace.models.search import Query
from factories import contribution

NOBODY = 65534


async def test_a_new_store_is_made_with_its_folders_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "traces.db"
    async with connect_async(f"sqlite:///{path}") as client:
        me = await client.contributors.me()
    assert (me.name, me.organization_name, me.scopes) == ("owner", "home", ["admin", "contribute", "read", "vote"])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


async def test_what_was_stored_is_there_when_the_store_is_opened_again(url: str) -> None:
    async with connect_async(url) as client:
        stored = await client.traces.contribute(contribution())
        before = await client.contributors.me()
    async with connect_async(url) as client:
        assert (await client.traces.get(str(stored.trace_id))).content == stored.content
        assert await client.contributors.me() == before


async def test_closing_folds_everything_into_the_one_file(store: Path, url: str) -> None:
    async with connect_async(url) as client:
        await client.traces.contribute(contribution())
    assert not store.with_name("store.db-wal").exists()
    with closing(sqlite3.connect(store)) as connection:
        assert connection.execute("SELECT count(*) FROM traces").fetchone() == (1,)


@pytest.mark.parametrize("name", ["with space.db", "naïve 😀.db", "100%25.db", "semi;colon'quote.db"])
async def test_a_store_may_have_any_name(tmp_path: Path, name: str) -> None:
    async with connect_async(f"sqlite:///{tmp_path / name.replace('%', '%25')}") as client:
        await client.contributors.me()
    assert (tmp_path / name).exists()


def content(path: Path) -> bytes:
    return path.read_bytes()


def rewrite(path: Path, whole: bytes) -> None:
    path.write_bytes(whole)


def modes(wanted: dict[Path, int]) -> None:
    for path, mode in wanted.items():
        path.chmod(mode)


def newer(path: Path, schema: int, min_reader: int) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (str(schema),))
        connection.execute("UPDATE schema_info SET min_reader = ?", (min_reader,))


async def test_a_newer_schema_is_refused_and_the_file_stays_as_it_is(store: Path, url: str) -> None:
    newer(store, 99, 99)
    before = content(store)
    async with connect_async(url) as client:
        with pytest.raises(NewerSchemaError, match=r"schema 99.*left untouched.*Upgrade CommonTrace"):
            await client.contributors.me()
    assert content(store) == before
    assert {path.name for path in store.parent.iterdir()} <= {"store.db", "home"}


async def test_a_newer_schema_that_is_only_additive_is_used(store: Path, url: str) -> None:
    newer(store, 99, 1)
    async with connect_async(url) as client:
        assert (await client.traces.contribute(contribution())).stored


def _text(path: Path) -> None:
    path.write_text("These are my notes, and no database at all.\n" * 50)


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:5000])


def _scribbled(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:100] + b"\x00\xff" * 4000 + path.read_bytes()[8100:])


def _foreign(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE recipes (name TEXT)")


def _nonsense_version(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = 'soup'")


@pytest.mark.parametrize("spoil", [_text, _cut, _scribbled, _foreign, _nonsense_version])
async def test_a_file_that_is_no_sound_store_is_refused_and_left_as_it_is(
    store: Path, url: str, spoil: Callable[[Path], None]
) -> None:
    spoil(store)
    before = content(store)
    async with connect_async(url) as client:
        with pytest.raises(StoreUnusableError, match=r"damaged or not a CommonTrace store.*left as it is"):
            await client.contributors.me()
    assert content(store) == before


async def test_damage_deep_in_a_store_is_said_when_it_is_met(store: Path, url: str) -> None:
    async with connect_async(url) as client:
        for number in range(5):
            await client.traces.contribute(contribution(number))
    with closing(sqlite3.connect(store)) as connection:
        page = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'traces'").fetchone()[0]
        size = connection.execute("PRAGMA page_size").fetchone()[0]
    with store.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)
    async with connect_async(url) as client:
        with pytest.raises(StoreUnusableError, match="damaged"):
            await client.traces.page()


async def test_an_older_store_is_backed_up_before_it_is_upgraded(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    with closing(sqlite3.connect(path)) as connection:  # pages, but nothing of ours yet
        connection.executescript("PRAGMA user_version = 7; VACUUM;")
    async with connect_async(f"sqlite:///{path}") as client:
        assert (await client.traces.contribute(contribution())).stored
    backup = path.with_name("old.db.schema-0.bak")
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    with closing(sqlite3.connect(backup)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (7,)
        assert connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)


async def test_an_upgrade_that_fails_changes_nothing_and_keeps_the_backup(store: Path, url: str) -> None:
    with closing(sqlite3.connect(store)) as connection, connection:
        connection.execute("DELETE FROM alembic_version")  # claims to be older than it is
        before = list(connection.iterdump())
    async with connect_async(url) as client:
        with pytest.raises(CommonTraceError):
            await client.contributors.me()
    for path in (store, store.with_name("store.db.schema-0.bak")):
        with closing(sqlite3.connect(path)) as connection:
            assert list(connection.iterdump()) == before


async def test_without_a_backup_there_is_no_upgrade(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript("PRAGMA user_version = 7; VACUUM;")
    before = content(path)
    path.with_name("old.db.schema-0.bak").mkdir()  # in the way
    async with connect_async(f"sqlite:///{path}") as client:
        with pytest.raises(StoreUnusableError, match="cannot be opened"):
            await client.contributors.me()
    assert content(path) == before


async def test_an_opening_that_failed_is_tried_again_with_the_next_request(store: Path, url: str) -> None:
    whole = content(store)
    _text(store)
    async with connect_async(url) as client:
        with pytest.raises(StoreUnusableError):
            await client.contributors.me()
        rewrite(store, whole)
        assert (await client.contributors.me()).name == "owner"


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("sqlite:store.db", "is not the URL of a database"),
        ("sqlite://", "needs a file"),
        ("sqlite:///:memory:", "needs a file"),
    ],
)
async def test_a_url_that_names_no_file_is_refused_with_what_to_write_instead(url: str, said: str) -> None:
    async with connect_async(url) as client:
        with pytest.raises(InvalidInputError, match=f"{said}.*sqlite:///"):
            await client.contributors.me()


async def test_a_store_in_a_place_that_cannot_be_made_is_refused_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    async with connect_async(f"sqlite:///{tmp_path}/file/traces.db") as client:
        with pytest.raises(StoreUnusableError, match=r"cannot be opened: .*COMMONTRACE_URL"):
            await client.contributors.me()


async def test_a_folder_is_no_store(tmp_path: Path) -> None:
    async with connect_async(f"sqlite:///{tmp_path}") as client:
        with pytest.raises(StoreUnusableError, match="cannot be opened"):
            await client.contributors.me()


@pytest.fixture
def outside(template: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of a store in a folder that every user can reach, who then looks there for settings as well."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder))
    yield Path(shutil.copy(template, folder / "store.db"))
    folder.chmod(0o755)
    shutil.rmtree(folder)


@contextmanager
def unprivileged() -> Iterator[None]:
    """Without the superuser's right to write everywhere."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


async def test_a_read_only_file_can_be_searched_and_every_write_is_refused(outside: Path) -> None:
    url = f"sqlite:///{outside}"
    async with connect_async(url) as client:
        known = await client.traces.contribute(contribution())
        # Once with every right, so that nothing is left to import.
        await client.traces.query("database is locked")
        await client.traces.query(Query(query="unheard of"))
    modes({outside: 0o444, outside.parent: 0o777, outside.with_name("store.db.lock"): 0o666})
    with unprivileged():
        async with connect_async(url) as client:
            with pytest.raises(StoreUnusableError, match=r"read-only; nothing was written.*write permission"):
                await client.traces.contribute(contribution(1))
            answer = await client.traces.query("another unheard of thing")
            assert "could not be recorded" in answer.notes[-1]
            assert (await client.traces.query("database is locked")).hits[0].trace_id == known.trace_id


async def test_a_read_only_folder_is_refused_with_what_to_do(outside: Path) -> None:
    url = f"sqlite:///{outside}"
    async with connect_async(url) as client:
        await client.traces.contribute(contribution())
    outside.with_name("store.db.lock").unlink()
    outside.parent.chmod(0o555)
    with unprivileged():
        async with connect_async(url) as client:
            with pytest.raises(StoreUnusableError, match=r"permission|write"):
                await client.traces.contribute(contribution(1))


async def test_a_lock_file_that_may_not_be_written_is_named(outside: Path) -> None:
    outside.with_name("store.db.lock").touch()
    modes({outside.parent: 0o777, outside: 0o666, outside.with_name("store.db.lock"): 0o400})
    with unprivileged():
        async with connect_async(f"sqlite:///{outside}") as client:
            with pytest.raises(StoreUnusableError, match=r"lock file .*store\.db\.lock cannot be opened"):
                await client.traces.contribute(contribution())


async def test_many_first_requests_open_the_store_once(tmp_path: Path) -> None:
    async with connect_async(f"sqlite:///{tmp_path}/new.db") as client:
        callers = await asyncio.gather(*(client.contributors.me() for _ in range(5)))
    assert len({caller.contributor_id for caller in callers}) == 1


def test_a_blocking_client_says_the_same_of_a_store_that_cannot_be_opened(tmp_path: Path) -> None:
    with connect(f"sqlite:///{tmp_path}") as client, pytest.raises(StoreUnusableError, match="cannot be opened"):
        client.contributors.me()
