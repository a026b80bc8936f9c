"""Several processes on one store, and processes that die."""

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from textwrap import dedent

import pytest

from commontrace import Client, connect
from commontrace.models.search import Query
from factories import contribution

TESTS = Path(__file__).parents[2]


def start(script: str, *arguments: str) -> subprocess.Popen[str]:
    """A Python of its own that runs `script`, with the tests' factories at hand."""
    path = os.pathsep.join([str(TESTS), os.environ.get("PYTHONPATH", "")])
    return subprocess.Popen(
        [sys.executable, "-c", dedent(script), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
    )


def sound(store: Path) -> bool:
    """Whether rows and index are whole and agree."""
    with closing(sqlite3.connect(store)) as connection:
        connection.execute("INSERT INTO trace_search (trace_search) VALUES ('integrity-check')")
        return bool(
            connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            and connection.execute("PRAGMA foreign_key_check").fetchone() is None
            and connection.execute("SELECT count(*) FROM traces").fetchone()
            == connection.execute("SELECT count(*) FROM trace_search").fetchone()
        )


def all_there(client: Client, acknowledged: list[str]) -> bool:
    """Whether every acknowledged trace is kept."""
    return set(acknowledged) <= {trace.trace_id for trace in client.traces.all()}


WRITER = """
    import sys
    from commontrace import connect
    from commontrace.errors import CommonTraceError
    from factories import contribution

    if len(sys.argv) > 2:
        import resource
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), int(sys.argv[2])))
    with connect(sys.argv[1]) as client:
        try:
            for number in range(10_000):
                stored = client.traces.contribute(contribution(title=f"Trace {number}", insist=True))
                print(stored.trace_id, flush=True)
        except CommonTraceError as error:
            print(error.code, error, flush=True)
"""


def test_a_writer_that_is_killed_loses_nothing_it_acknowledged(store: Path, url: str) -> None:
    writer = start(WRITER, url)
    assert writer.stdout
    acknowledged = [writer.stdout.readline().strip() for _ in range(12)]
    writer.kill()
    rest, _ = writer.communicate()
    acknowledged += [line for line in rest.splitlines() if len(line) == 32]
    with connect(url) as client:
        assert all_there(client, acknowledged)
        assert client.traces.contribute(contribution(1)).stored  # the dead left no lock behind
    assert sound(store)


def test_a_full_disk_is_said_and_what_was_acknowledged_is_kept(store: Path, url: str) -> None:
    output, errors = start(WRITER, url, str(store.stat().st_size + 400_000)).communicate()
    *acknowledged, last = output.splitlines()
    assert last.startswith("store_unusable "), (last, errors)
    assert "nothing was written" in last
    assert len(acknowledged) > 3
    with connect(url) as client:
        assert all_there(client, acknowledged)
        assert client.traces.contribute(contribution(1)).stored
    assert sound(store)


def test_the_commit_has_happened_when_the_answer_starts(store: Path, url: str) -> None:
    killed = start(
        """
        import asyncio, os, signal, sys
        from commontrace_backend.app import create_app
        from commontrace_backend.settings import BackendSettings
        from factories import contribution

        async def main():
            app = create_app(BackendSettings(database_url=sys.argv[1], local_owner=True))
            body = contribution().model_dump_json().encode()
            scope = {
                "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http",
                "path": "/api/v1/traces", "raw_path": b"/api/v1/traces", "query_string": b"", "root_path": "",
                "headers": [(b"content-type", b"application/json")], "server": ("here", 80), "client": ("here", 1),
            }

            async def receive():
                return {"type": "http.request", "body": body, "more_body": False}

            async def send(message):
                print(message["type"], message.get("status"), flush=True)
                os.kill(os.getpid(), signal.SIGKILL)

            async with app.router.lifespan_context(app):
                await app(scope, receive, send)

        asyncio.run(main())
        """,
        url,
    )
    output, errors = killed.communicate()
    assert (killed.returncode, output.strip()) == (-signal.SIGKILL, "http.response.start 201"), errors
    with connect(url) as client:
        answer = client.traces.query(Query(error="sqlite3.OperationalError: database is locked"))
        assert [hit.title for hit in answer.hits] == [contribution().title]
    assert sound(store)


OPENER = """
        import sys
        from commontrace import connect
        from factories import contribution

        client = connect(sys.argv[1])
        client.url
        import commontrace_backend.app, alembic.command  # what takes long, before the race
        print("ready", flush=True)
        sys.stdin.readline()
        with client:
            me = client.contributors.me()
            stored = client.traces.contribute(contribution(title=sys.argv[2], insist=True))
            print(me.contributor_id, stored.trace_id)
"""


@pytest.mark.parametrize("processes", [2])
def test_processes_that_open_a_new_store_at_once_share_it(tmp_path: Path, processes: int) -> None:
    url = f"sqlite:///{tmp_path}/shared/new.db"
    path = os.pathsep.join([str(TESTS), os.environ.get("PYTHONPATH", "")])
    racing = [
        subprocess.Popen(
            [sys.executable, "-c", dedent(OPENER), url, f"From process {number}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": path},
        )
        for number in range(processes)
    ]
    assert [process.stdout.readline() for process in racing if process.stdout] == ["ready\n"] * processes
    for process in racing:
        assert process.stdin
        process.stdin.write("go\n")
        process.stdin.flush()
    results = [process.communicate() for process in racing]
    assert [process.returncode for process in racing] == [0] * processes, results
    owners, stored = zip(*(output.split() for output, _ in results), strict=True)
    assert len(set(owners)) == 1
    with connect(url) as client:
        assert client.contributors.me().contributor_id == owners[0]
        assert all_there(client, list(stored))
    assert sound(tmp_path / "shared" / "new.db")
