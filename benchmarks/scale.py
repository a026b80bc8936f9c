"""What a store costs as it grows: ingest, CPU a query, memory and bytes on disk, for each database and size.

The first 200 traces come one by one through the SDK, the others unscreened through the service in transactions of a
thousand. With `--copies` each is there so many times in PostgreSQL, under other ids and with vectors beside its own,
which makes a million in the time of ten thousand. Texts are drawn from the words of this repository by Zipf's law and
are the same in every run. Vectors of traces are random, around some real ones: a query pays for the model that embeds
it and for the scan over all.
"""

import argparse
import asyncio
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from itertools import accumulate, islice
from pathlib import Path
from typing import Any

import asyncpg
import numpy as np
from sqlalchemy import make_url, select, text

from commontrace import connect
from commontrace.models.search import Query
from commontrace.models.traces import Contribution, TraceContent
from commontrace_backend.contributors.service import open_keyring
from commontrace_backend.database.engine import Database, connect_database
from commontrace_backend.database.tenancy import EVERY_TENANT
from commontrace_backend.embedding.choose import choose_embedder
from commontrace_backend.embedding.protocol import Embedder
from commontrace_backend.index.any_index import index_for, vectors_for
from commontrace_backend.index.vectors import PartVector, open_model
from commontrace_backend.settings import BackendSettings
from commontrace_backend.traces.embedding import hashes_of
from commontrace_backend.traces.service import contribute, prepare
from commontrace_backend.traces.tables import trace_versions, traces

ROOT = Path(__file__).resolve().parents[1]
BY_SDK = 200
AT_ONCE = 1_000
SHORT, LONG = 6, 32  # words of a query
CLUSTERS, SPREAD = 64, 1.0  # traces whose own vectors are the centres, and how far others lie from these
COMPOUNDS = 0.04  # share of words that are an identifier nobody else may have
MIB = 2**20


class Writer:
    """Texts that look like traces to an index: common words are common, rare ones rare, identifiers in between."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        counts = Counter(word for path in sorted(_sources()) for word in re.findall(r"[A-Za-z]{2,}", path.read_text()))
        self._words: list[str] = [word for word, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0]))]
        self._shares = list(accumulate(1 / rank for rank in range(1, len(self._words) + 1)))

    def words(self, number: int) -> list[str]:
        """Some words as they come."""
        drawn: list[str] = self._random.choices(self._words, cum_weights=self._shares, k=number)
        return [f"{word}{self._rare().title()}" if self._random.random() < COMPOUNDS else word for word in drawn]

    def _rare(self) -> str:
        word: str = self._random.choice(self._words)
        return word

    def trace(self) -> dict[str, Any]:
        """A contribution of about 290 to 600 characters."""
        title, problem, solution = self.words(8), self.words(self._random.randint(16, 36)), self.words(20)
        solution += self.words(self._random.randint(0, 16))
        tags = [word.lower() for word in self._random.choices(self._words[:200], k=2)]
        return {
            "title": " ".join(title)[:200],
            "problem": f"{' '.join(problem)} fails.",
            "solution": f"Run `{solution[0]} {solution[1]}`: {' '.join(solution[2:])}.",
            "tags": sorted(set(tags)),
        }

    def queries(self, known: list[dict[str, Any]], number: int, length: int) -> list[str]:
        """Questions about some of these traces: half of the words are the trace's own, half are not."""
        found = []
        for trace in self._random.choices(known, k=number):
            own = re.findall(r"[A-Za-z]+", f"{trace['title']} {trace['problem']}")
            mixed = self._random.sample(own, min(len(own), length // 2))
            found.append(" ".join([*mixed, *self.words(length - len(mixed))]))
        return found


def _sources() -> Iterator[Path]:
    yield from (ROOT / "docs").rglob("*.md")
    yield from (ROOT / "backend").rglob("*.py")
    yield from (ROOT / "mcp_server").rglob("*.py")
    yield ROOT / "backend/commontrace_backend/starter/traces.jsonl"


def by_sdk(url: str, items: list[dict[str, Any]]) -> float:
    """Contribute as an agent does; the traces a second."""
    with connect(url) as client:
        client.traces.query(Query(query="opens the store"))
        began = time.perf_counter()
        for item in items:
            client.traces.contribute(Contribution(**item))
        return round(len(items) / (time.perf_counter() - began), 1)


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Database]:
    database = connect_database(url)
    await database.open()
    try:
        yield database
    finally:
        await database.close()


async def in_bulk(url: str, items: Iterator[dict[str, Any]]) -> float:
    """Contribute in large transactions, neither screened nor compared with others; the traces a second."""
    began, stored = time.perf_counter(), 0
    harmless = prepare(Contribution(**Writer(seed=0).trace()))
    async with opened(url) as database:
        keyring = await open_keyring(database, BackendSettings(database_url=url, local_owner=True), None)
        assert keyring.owner is not None
        index = index_for(database, traces.c.number)
        while some := list(islice(items, AT_ONCE)):
            wanted = [Contribution(**item, insist=True) for item in some]
            async with database.writing(EVERY_TENANT) as writer:
                for one in wanted:
                    content = TraceContent.model_validate(one.model_dump(include=set(TraceContent.model_fields)))
                    await contribute(writer, keyring.owner, index, one, replace(harmless, content=content))
            stored += len(some)
        async with database.writing() as writer:
            if database_kind(url) == "postgresql":
                await writer.execute(text("ANALYZE"))
    return round(stored / (time.perf_counter() - began), 1)


async def with_vectors(url: str, embedder: Embedder) -> None:
    """Give every trace the vectors it would have, under the model's name: random ones around some that are real."""
    generator = np.random.default_rng(1)
    async with opened(url) as database:
        vectors = vectors_for(database, traces.c.number, embedder.name)
        async with database.reading(EVERY_TENANT) as session:
            titles = [row.title for row in await session.all(select(traces.c.title).limit(CLUSTERS))]
        centres = await embedder.documents(titles)
        dimension, after = centres.shape[1], 0
        while True:
            async with database.writing(EVERY_TENANT) as writer:
                rows = await writer.all(_served(after))
                if not rows:
                    return
                made = []
                for row in rows:
                    for part, digest in hashes_of(TraceContent.model_validate(row.content)).items():
                        noise = generator.standard_normal(dimension, dtype=np.float32) * np.float32(dimension**-0.5)
                        vector = centres[generator.integers(len(centres))] + SPREAD * noise
                        made.append(PartVector(row.number, part, digest, vector / np.linalg.norm(vector)))
                await vectors.store(writer, await open_model(writer, embedder.name, dimension), made)
                after = rows[-1].number


SPREAD_OVER = 4096  # vectors that copies are moved by
_NUMBERS = "INSERT INTO {0} SELECT {1} FROM {0} AS one CROSS JOIN generate_series(1, {2}) AS copy"
_AS_ANOTHER = {"trace_id": "md5(one.trace_id || copy * {0})", "number": "one.number + copy * {0}"}
_COPIED = ("traces", "trace_versions", "trace_tags", "trace_search")


async def multiply(url: str, copies: int) -> None:
    """Have every trace so many times, by SQL alone; their vectors lie around its own."""
    connection = await asyncpg.connect(url)
    highest = await connection.fetchval("SELECT max(number) FROM traces")
    await connection.execute("SET maintenance_work_mem = '6GB'")
    for table in _COPIED:
        columns = [
            row["attname"]
            for row in await connection.fetch(
                "SELECT attname FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped",
                table,
            )
        ]
        # A version counts those of its trace.
        told = _AS_ANOTHER | ({"number": "one.number"} if table == "trace_versions" else {})
        values = ", ".join(told.get(name, f"one.{name}").format(highest) for name in columns)
        await connection.execute(_NUMBERS.format(table, values, copies - 1))
        print(f"{table}: {await connection.fetchval(f'SELECT count(*) FROM {table}')}", file=sys.stderr, flush=True)
    await connection.execute(f"UPDATE search_terms SET documents = documents * {copies}")
    await connection.execute(f"UPDATE search_totals SET documents = documents * {copies}, length = length * {copies}")
    await _multiply_vectors(connection, copies, highest)
    await connection.execute(
        "SELECT setval(pg_get_serial_sequence('traces', 'number'), (SELECT max(number) FROM traces))"
    )
    await connection.execute("VACUUM ANALYZE")
    await connection.close()


async def _multiply_vectors(connection: Any, copies: int, highest: int) -> None:
    indexes = await connection.fetch(
        "SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS made FROM pg_index"
        " WHERE indrelid = 'trace_vectors'::regclass AND pg_get_indexdef(indexrelid) LIKE '%hnsw%'"
    )
    for index in indexes:  # which is made some ten times as fast of all at once
        await connection.execute(f"DROP INDEX {index['name']}")
    dimension = await connection.fetchval("SELECT max(dimension) FROM embedding_models")
    generator = np.random.default_rng(2)
    moves = generator.standard_normal((SPREAD_OVER, dimension or 1)) * (dimension or 1) ** -0.5
    await connection.execute("CREATE TEMPORARY TABLE moves (place int PRIMARY KEY, by halfvec)")
    await connection.executemany(
        "INSERT INTO moves VALUES ($1, $2::text::halfvec)",
        [(place, f"[{','.join(f'{number:.4g}' for number in move)}]") for place, move in enumerate(moves)],
    )
    await connection.execute(
        "INSERT INTO trace_vectors SELECT one.number + copy * $1, one.model_id, one.part, one.text_hash,"
        " l2_normalize(one.vector + by), one.revision FROM trace_vectors AS one"
        " CROSS JOIN generate_series(1, $2) AS copy"
        f" JOIN moves ON place = (one.number * 31 + copy * 7 + one.part) % {SPREAD_OVER}",
        highest,
        copies - 1,
    )
    for index in indexes:
        began = time.perf_counter()
        await connection.execute(index["made"])
        print(f"{index['name']}: {time.perf_counter() - began:.0f} s", file=sys.stderr, flush=True)


def _served(after: int) -> Any:
    same = (trace_versions.c.trace_id == traces.c.trace_id) & (trace_versions.c.version_id == traces.c.version_id)
    columns = select(traces.c.number, trace_versions.c.content).join(trace_versions, same)
    return columns.where(traces.c.number > after).order_by(traces.c.number).limit(AT_ONCE)


class Backends:
    """The CPU that a PostgreSQL server on this machine has used; 0 for SQLite, which runs in this process."""

    def __init__(self, url: str) -> None:
        self._postmaster = asyncio.run(_postmaster(url)) if database_kind(url) == "postgresql" else None

    def seconds(self) -> float:
        """Of all its processes that live now; 0 where /proc does not say."""
        if self._postmaster is None:
            return 0.0
        total = 0
        children = Path(f"/proc/{self._postmaster}/task/{self._postmaster}/children")
        for process in children.read_text().split() if children.exists() else ():
            scheduled = Path(f"/proc/{process}/schedstat")
            total += int(scheduled.read_text().split()[0]) if scheduled.exists() else 0
        return total / 1e9


async def _postmaster(url: str) -> int | None:
    async with opened(url) as database, database.reading(EVERY_TENANT) as session:
        return parent_of(int(await session.scalar(text("SELECT pg_backend_pid()"))))


def parent_of(process: int) -> int | None:
    """The process that started another one, where /proc has that one."""
    state = Path(f"/proc/{process}/stat")
    return int(state.read_text().rpartition(")")[2].split()[1]) if state.exists() else None


def measure(url: str, questions: dict[str, list[str]]) -> dict[str, Any]:
    """Ask all for five hits each, the first half to warm up; in a process of its own, whose memory is reported."""
    found: dict[str, Any] = {}
    backends = Backends(url)
    with connect(url) as client:
        began = time.perf_counter()
        mode = client.traces.query(Query(query=questions["short"][0])).mode
        found["first query ms"] = round((time.perf_counter() - began) * 1000, 1)
        for kind, asked in questions.items():
            half = len(asked) // 2
            for question in asked[:half]:
                client.traces.query(Query(query=question, silence=False))
            cpu, wall = [], []
            for question in asked[half:]:
                before = time.perf_counter(), time.process_time(), backends.seconds()
                client.traces.query(Query(query=question, silence=False))
                after = time.perf_counter(), time.process_time(), backends.seconds()
                wall.append(after[0] - before[0])
                cpu.append(after[1] - before[1] + after[2] - before[2])
            found |= {f"{kind} cpu p50": at(cpu, 0.5), f"{kind} cpu p95": at(cpu, 0.95), f"{kind} wall": at(wall, 0.5)}
    resident = re.search(r"VmRSS:\s+(\d+)", Path("/proc/self/status").read_text())
    return {"mode": mode, **found, "rss MiB": round(int(resident[1]) / 1024) if resident else 0}


def at(values: list[float], share: float) -> float:
    """The value below which that share of these seconds lies, in milliseconds."""
    place = min(len(values) - 1, int(share * len(values)))
    return round(sorted(values)[place] * 1000, 2)


def apart(url: str, embedder: str, questions: dict[str, list[str]]) -> dict[str, Any]:
    """`measure` in a new process, so that loading leaves no mark on its memory."""
    done = subprocess.run(
        [sys.executable, __file__, "--measure", url],
        env={**os.environ, "COMMONTRACE_EMBEDDER": embedder},
        input=json.dumps(questions),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def database_kind(url: str) -> str:
    kind: str = make_url(url).get_backend_name()
    return kind


def bytes_on_disk(url: str) -> int:
    if database_kind(url) == "sqlite":
        return Path(str(make_url(url).database)).stat().st_size
    return asyncio.run(_bytes_in_postgres(url))


async def _bytes_in_postgres(url: str) -> int:
    async with opened(url) as database, database.reading() as session:
        return int(await session.scalar(text("SELECT pg_database_size(current_database())")))


@contextmanager
def new_store(engine: str) -> Iterator[str]:
    """The URL of an empty store that is gone afterwards."""
    if engine == "sqlite":
        with tempfile.TemporaryDirectory() as folder:
            yield f"sqlite:///{Path(folder) / 'store.db'}"
        return
    server = subprocess.Popen([sys.executable, str(ROOT / "tests/postgres.py")], stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        yield server.stdout.readline().strip()
    finally:
        server.terminate()
        server.wait()


def figures(engine: str, size: int, embedder: str, queries: int, copies: int) -> list[dict[str, Any]]:
    """Fill one store and ask it: a row by words and, with an embedder, a row by both."""
    writer = Writer(seed=size)
    first = [writer.trace() for _ in range(min(size, BY_SDK))]
    questions = {kind: writer.queries(first, queries, words) for kind, words in (("short", SHORT), ("long", LONG))}
    os.environ["COMMONTRACE_EMBEDDER"] = "none"
    with new_store(engine) as url:
        model = choose_embedder(BackendSettings(database_url=url, embedder=embedder))
        loaded: dict[str, Any] = {"sdk traces/s": by_sdk(url, first)}
        loaded["bulk traces/s"] = asyncio.run(in_bulk(url, (writer.trace() for _ in range(size - len(first)))))
        if copies > 1:
            if model is not None:
                asyncio.run(with_vectors(url, model))
            asyncio.run(multiply(url, copies))
        found = [{**loaded, **apart(url, "none", questions), "disk MiB": round(bytes_on_disk(url) / MIB)}]
        if model is not None:
            if copies == 1:
                asyncio.run(with_vectors(url, model))
            asked = apart(url, embedder, questions)
            found.append({**loaded, **asked, "disk MiB": round(bytes_on_disk(url) / MIB)})
    return [{"engine": engine, "traces": size * copies, **row} for row in found]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--traces", default="1000,10000,100000", help="sizes, separated by commas")
    parser.add_argument("--engine", default="sqlite,postgres", help="databases, separated by commas")
    parser.add_argument("--embedder", default="local", choices=["in-memory", "local", "none"])
    parser.add_argument("--queries", type=int, default=200, help="of each length; the first half warms up")
    parser.add_argument("--copies", type=int, default=1, help="how many times each trace is there; PostgreSQL alone")
    parser.add_argument("--measure", metavar="URL", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure:
        sys.stdout.write(json.dumps(measure(given.measure, json.load(sys.stdin))))
        return
    rows: list[dict[str, Any]] = []
    for engine in given.engine.split(","):
        for size in map(int, given.traces.split(",")):
            for row in figures(engine, size, given.embedder, given.queries, given.copies):
                rows.append(row)
                print("\n".join(f"{name:16} {value:>12}" for name, value in row.items()), "\n", flush=True)
    print(json.dumps({"benchmark": "scale", "embedder": given.embedder, "queries": given.queries, "rows": rows}))


if __name__ == "__main__":
    main()
