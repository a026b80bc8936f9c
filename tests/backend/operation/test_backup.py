"""A backup is what the store was at one moment, and a restored one does all that the first one did."""

import asyncio
import json
import stat
import zipfile
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from commontrace import AsyncClient, Client, connect, connect_async
from commontrace._transport import beside_the_data
from commontrace.errors import ConflictError, InvalidInputError, NotFoundError, StoreUnusableError
from commontrace.models.operation import BackupReport
from commontrace.models.search import Query
from commontrace.models.traces import AmendmentProposal
from commontrace_backend.database.engine import connect_database, engine_of
from commontrace_backend.database.schema import CURRENT
from commontrace_backend.database.tables import metadata
from commontrace_backend.database.tenancy import EVERY_TENANT
from commontrace_backend.operation.archive import Manifest, Progress
from commontrace_backend.operation.rows import kept_columns
from conversations import refs, said, say
from doors import People
from embeddings import settled
from factories import contributed, contribution, use
from postgres import Postgres

INDEX = {
    "alembic_version",
    "schema_info",
    "search_terms",
    "search_totals",
    "trace_search",
    "trace_terms",
    "trace_words",
}
QUERIES = ("several processes write to sqlite", "docker registry", "exit code 137", "pgbouncer connection slots")


def back_up(url: str, file: Path, told: Progress = lambda _done, _more: None) -> BackupReport:
    made: BackupReport = asyncio.run(beside_the_data(url).back_up(file, told))
    return made


def restore(url: str, file: Path, told: Progress = lambda _done, _more: None) -> None:
    asyncio.run(beside_the_data(url).restore(file, told))


def told(_done: int, _more: int) -> None:
    """Nobody looks on."""


@pytest.fixture
def empty(postgres: Postgres) -> Iterator[Callable[[], str]]:
    """Makes databases without any table; returns the URL of each."""
    made: list[str] = []

    def make() -> str:
        made.append(postgres.create())
        return made[-1]

    yield make
    for url in made:
        postgres.drop(url)


async def fill(client: AsyncClient, people: People) -> str:
    """A store with a bit of everything; returns the key of somebody of another organization."""
    known = [await contributed(client, number, visibility="team") for number in range(5)]
    mate, eve = await people("ann"), await people("eve", "elsewhere")
    await use(mate, known[0])
    await client.traces.publish(known[1])
    await use(eve, known[1], "worked_with_changes", "another resolver")
    await client.traces.amend(known[0], AmendmentProposal(title="SQLite is locked by writers", reason="shorter"))
    await client.traces.withdraw(known[2], "wrong")
    await client.traces.link(known[3], "extends", known[4])
    repo = client.contexts.open("parser")
    for number in range(3):
        await say(repo, f"Move part {number} of the importer to streaming, naïve 😀.")
    await repo.branch("else")
    await repo.tag("first", "HEAD~1")
    await settled(client)
    return await people.key("bob", "elsewhere")


async def story(client: AsyncClient, key: str) -> Any:
    """What callers see of a store: rankings, contexts, keys, whether all of it is as it was logged."""
    repo = client.contexts.open("parser")
    async with connect_async(client.url, api_key=key) as eve:
        seen = [hit.title for hit in (await eve.traces.query(Query(query="docker registry", silence=False))).hits]
        person = await eve.contributors.me()
    audit = await client.log.audit()
    assert audit.problems == []
    assert (await repo.verify(full=True)).problems == []
    window = await repo.window()
    return {
        "ranked": [
            [hit.title for hit in (await client.traces.query(Query(query=query, silence=False))).hits]
            for query in QUERIES
        ],
        "traces": [await client.traces.get(trace.trace_id) async for trace in client.traces.all()],
        "log": (audit.leaves, audit.checkpoint.verifier),
        "window": (window.state_id, await said(repo)),
        "commits": [one.commit_id for one in (await repo.log()).commits],
        "refs": await refs(repo),
        "person": person,
        "seen": seen,
        "index": await client.traces.index_state(),
    }


@pytest.mark.usefixtures("hashed")
async def test_restored_into_either_database_from_either_a_store_is_what_it_was(
    client: AsyncClient, people: People, tmp_path: Path, empty: Callable[[], str]
) -> None:
    key = await fill(client, people)
    before = await story(client, key)
    sources = (client.url, client.url, second := empty(), second)
    for number, source in enumerate(sources):
        target = (second, f"sqlite:///{tmp_path}/a.db", empty(), f"sqlite:///{tmp_path}/b.db")[number]
        file = tmp_path / f"{number}.backup"
        await beside_the_data(source).back_up(file, told)
        await beside_the_data(target).restore(file, told)
        async with connect_async(target) as restored:
            assert await story(restored, key) == before
            if source == second:
                await goes_on(restored)


async def goes_on(client: AsyncClient) -> None:
    """What is new gets numbers behind those that were restored, words and vectors."""
    new = await contributed(client, title="Kangaroos jump over the fence", insist=True)
    await say(client.contexts.open("kangaroos"), "hop")
    await settled(client)
    found = await client.traces.query("kangaroos fence")
    assert (found.mode, found.hits[0].trace_id) == ("hybrid", new)


@pytest.mark.both_databases
def test_what_is_written_meanwhile_is_not_in_it_and_what_is_in_it_is_whole(blocking: Client, tmp_path: Path) -> None:
    blocking.traces.contribute(contribution(0))

    def write(done: int, _more: int) -> None:
        if done == 0:  # the view is taken, no row is read
            blocking.traces.contribute(contribution(1))
            blocking.contexts.open("parser").user("hello")

    made = back_up(blocking.url, tmp_path / "one.backup", write)
    assert (made.rows["traces"], made.rows["trace_versions"]) == (1, 1)
    restore(f"sqlite:///{tmp_path}/new.db", tmp_path / "one.backup")
    with connect(f"sqlite:///{tmp_path}/new.db") as restored:
        assert restored.log.audit().problems == []
        assert [trace.content.title for trace in restored.traces.all()] == [contribution(0).title]
    assert len(list(blocking.traces.all())) == 2


@pytest.mark.both_databases
async def test_nothing_is_ever_restored_over_data(client: AsyncClient, tmp_path: Path) -> None:
    file = tmp_path / "one.backup"
    await contributed(client, 0)
    await beside_the_data(client.url).back_up(file, told)
    with pytest.raises(ConflictError, match=r"not empty: it has .*left as it is.*--into"):
        await beside_the_data(client.url).restore(file, told)
    assert len([trace async for trace in client.traces.all()]) == 1


@pytest.mark.both_databases
async def test_a_store_that_nobody_has_used_yet_takes_a_backup(url: str, tmp_path: Path) -> None:
    async with connect_async(f"sqlite:///{tmp_path}/from.db") as source:
        await contributed(source, 0)
        owner = await source.contributors.me()
        await beside_the_data(source.url).back_up(tmp_path / "one.backup", told)
    await beside_the_data(url).restore(tmp_path / "one.backup", told)
    async with connect_async(url) as restored:
        assert await restored.contributors.me() == owner


@pytest.fixture
def backup(blocking: Client, tmp_path: Path) -> Path:
    """A backup of one trace."""
    blocking.traces.contribute(contribution(0))
    back_up(blocking.url, tmp_path / "one.backup")
    return tmp_path / "one.backup"


def test_a_backup_is_for_its_owner_alone(backup: Path) -> None:
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    assert [path.name for path in backup.parent.iterdir() if "backup" in path.name] == ["one.backup"]


def flipped(path: Path) -> None:
    whole = bytearray(path.read_bytes())
    name = b"rows/traces.jsonl"
    whole[whole.index(name) + len(name) + 60] ^= 1
    path.write_bytes(whole)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def text(path: Path) -> None:
    path.write_text("These are my notes.")


def foreign(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("manifest.json", "{}")


def changed(path: Path, change: Callable[[dict[str, Any], dict[str, bytes]], None]) -> None:
    """Rewrite a backup, as somebody would who knows how it is made."""
    with zipfile.ZipFile(path) as file:
        members = {name: file.read(name) for name in file.namelist()}
    manifest = json.loads(members.pop("manifest.json"))
    change(manifest, members)
    with zipfile.ZipFile(path, "w") as file:
        for name, content in members.items():
            file.writestr(name, content)
        file.writestr("manifest.json", json.dumps(manifest))


def other_rows(path: Path) -> None:
    def change(_manifest: dict[str, Any], members: dict[str, bytes]) -> None:
        members["rows/traces.jsonl"] = members["rows/traces.jsonl"].replace(b"database", b"databank")

    changed(path, change)


def one_part_less(path: Path) -> None:
    def change(_manifest: dict[str, Any], members: dict[str, bytes]) -> None:
        del members["rows/traces.jsonl"]

    changed(path, change)


def newer(path: Path) -> None:
    changed(path, lambda manifest, _members: manifest.update(schema_number=99))


def unknown_column(path: Path) -> None:
    changed(path, lambda manifest, _members: manifest["parts"]["traces"]["columns"].append("x) VALUES (1); --"))


def other_lines(change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    def harm(manifest: dict[str, Any], members: dict[str, bytes]) -> None:
        lines = members["rows/traces.jsonl"] = change(members["rows/traces.jsonl"])
        manifest["parts"]["traces"] |= {"rows": lines.count(b"\n"), "sha256": sha256(lines).hexdigest()}

    return lambda path: changed(path, harm)


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (other_lines(lambda _: b"{\n"), "rows that no store has"),
        (other_lines(lambda line: line * 2), "rows that no store has"),
        (flipped, "damaged; nothing was restored"),
        (cut, "damaged; nothing was restored"),
        (text, "damaged; nothing was restored"),
        (Path.unlink, "cannot be read: No such file"),
        (foreign, "no backup that this CommonTrace knows"),
        (other_rows, "part traces is not as it was written"),
        (one_part_less, "part traces is gone"),
        (newer, "schema 99.*Upgrade CommonTrace"),
        (unknown_column, "Upgrade CommonTrace"),
    ],
)
def test_what_is_no_whole_backup_is_refused_before_anything_is_made(
    backup: Path, tmp_path: Path, harm: Callable[[Path], None], said: str
) -> None:
    harm(backup)
    with pytest.raises(InvalidInputError, match=said):
        restore(f"sqlite:///{tmp_path}/new.db", backup)
    assert not list(tmp_path.glob("*new.db*"))


def test_a_backup_that_cannot_be_written_leaves_nothing(blocking: Client, backup: Path) -> None:
    before = backup.read_bytes()
    with pytest.raises(InvalidInputError, match="is there already"):
        back_up(blocking.url, backup)
    with pytest.raises(StoreUnusableError, match=r"cannot be written: No such file.*Make room"):
        back_up(blocking.url, backup.parent / "no" / "one.backup")
    with pytest.raises(RuntimeError, match="stopped"):
        back_up(blocking.url, backup.parent / "two.backup", stopped)
    assert [path.name for path in backup.parent.glob("*backup*")] == ["one.backup"]
    assert backup.read_bytes() == before


def stopped(_done: int, _more: int) -> None:
    raise RuntimeError("stopped")


def test_a_restore_that_is_stopped_leaves_nothing(backup: Path, tmp_path: Path, postgres_url: str) -> None:
    for url in (f"sqlite:///{tmp_path}/new.db", postgres_url):
        with pytest.raises(RuntimeError, match="stopped"):
            restore(url, backup, lambda done, _: stopped(0, 0) if done else None)
    assert not list(tmp_path.glob("*new.db*"))
    with connect(postgres_url) as client:
        assert list(client.traces.all()) == []


def test_where_there_is_no_store_there_is_nothing_to_back_up(tmp_path: Path, empty: Callable[[], str]) -> None:
    for url in (f"sqlite:///{tmp_path}/none.db", empty()):
        with pytest.raises(NotFoundError, match=r"no store at the URL"):
            back_up(url, tmp_path / "one.backup")
    assert [path.name for path in tmp_path.iterdir()] == ["home"]


@pytest.mark.both_databases
async def test_a_backup_holds_every_table_of_the_store(url: str, tmp_path: Path) -> None:
    database = connect_database(url)
    async with database.reading(EVERY_TENANT) as session:
        kept = await kept_columns(session, engine_of(database))
    await database.close()
    made = await beside_the_data(url).back_up(tmp_path / "one.backup", told)
    assert made.rows.keys() == kept.keys() == metadata.tables.keys()
    assert {name: set(columns) for name, columns in kept.items()} == {
        name: set(table.c.keys()) for name, table in metadata.tables.items()
    }


async def test_a_backup_of_every_older_schema_becomes_a_store_of_today(
    client: AsyncClient, people: People, tmp_path: Path, empty: Callable[[], str]
) -> None:
    key = await fill(client, people)
    before = await story(client, key)
    for schema in range(1, CURRENT):
        file = tmp_path / f"{schema}.backup"
        await beside_the_data(client.url).back_up(file, told)
        await aged(file, schema, tmp_path)
        target = empty() if schema < CURRENT - 1 else f"sqlite:///{tmp_path}/{schema}.db"
        await beside_the_data(target).restore(file, told)
        async with connect_async(target) as restored:
            await settled(restored)
            after = await story(restored, key)
        kept = ("ranked", "window", "commits", "refs", "person", "seen", "index")
        assert {name: after[name] for name in kept} == {name: before[name] for name in kept}


async def aged(backup: Path, schema: int, folder: Path) -> None:
    """Leave of a backup what a store of an older schema would have held."""
    old = connect_database(f"sqlite:///{folder}/old-{schema}.db")
    await old.build(schema)
    async with old.reading(EVERY_TENANT) as session:
        kept = await kept_columns(session, "sqlite")
    await old.close()

    def change(manifest: dict[str, Any], members: dict[str, bytes]) -> None:
        manifest["schema_number"] = schema
        parts = Manifest.model_validate(manifest).parts
        manifest["parts"] = {}
        for name, part in parts.items():
            lines = [
                dict(zip(part.columns, json.loads(line), strict=True))
                for line in members.pop(f"rows/{name}.jsonl").splitlines()
            ]
            if name in kept:
                content = b"".join(
                    json.dumps([line[column] for column in kept[name]]).encode() + b"\n" for line in lines
                )
                members[f"rows/{name}.jsonl"] = content
                digest = sha256(content).hexdigest()
                manifest["parts"][name] = {"columns": kept[name], "rows": len(lines), "sha256": digest}

    changed(backup, change)
