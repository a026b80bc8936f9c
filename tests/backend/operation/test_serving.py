"""The server as a process: several workers on one port, an orderly end, and none left behind."""

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import uvicorn
from uvicorn.server import ServerState

from commontrace import Client
from commontrace.models.contributors import NewApiKey
from commontrace_backend.app import create_app
from commontrace_backend.operation.protocol import PatientProtocol
from commontrace_backend.settings import BackendSettings
from factories import contribution

TOKEN = {"Authorization": "Bearer scrape"}
SLOW = """import sys, time
if "multiprocessing.spawn" in " ".join(sys.orig_argv):
    time.sleep(6)
"""


@contextmanager
def process(url: str, *options: str, log: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """`commontrace_backend` as a process, which sees modules beside its log: itself, and where it listens."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(log.parent),
        "COMMONTRACE_DATABASE_URL": url,
        "COMMONTRACE_METRICS_TOKEN": "scrape",
        "COMMONTRACE_LOG_FORMAT": "json",
        "COMMONTRACE_LOG_LEVEL": "INFO",
    }
    line = [sys.executable, "-m", "commontrace_backend", "--port", "0", *options]
    with log.open("wb") as told, subprocess.Popen(line, env=environment, stderr=told) as running:
        try:
            until(lambda: b"listens on" in log.read_bytes())
            found = re.search(r"http://127\.0\.0\.1:\d+", log.read_text())
            assert found
            yield running, found[0]
        finally:
            running.kill()


def until(holds: Callable[[], bool]) -> None:
    """Wait for another process; a test that waits in vain fails."""
    deadline = time.monotonic() + 90
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def refuses(address: str) -> bool:
    port = int(address.rpartition(":")[2])
    with socket.socket() as knocking:
        return knocking.connect_ex(("127.0.0.1", port)) != 0


def test_workers_share_a_port_and_their_figures_and_none_outlives_the_first(
    blocking: Client, url: str, tmp_path: Path
) -> None:
    key = blocking.contributors.create_key(NewApiKey(contributor="ann")).key
    log = tmp_path / "log"
    (tmp_path / "sitecustomize.py").write_text(SLOW)  # a worker on a busy machine takes long to come up
    with process(url, "--workers", "2", log=log) as (parent, address):
        until(lambda: log.read_bytes().count(b"Application startup complete") == 2)
        assert b"died" not in log.read_bytes()
        for _ in range(12):  # each over a connection of its own
            answer = httpx2.post(
                f"{address}/api/v1/traces/query",
                json={"query": "canaryword"},
                headers={"Authorization": f"Bearer {key}"},
            )
            assert answer.status_code == 200
        page = httpx2.get(f"{address}/metrics", headers=TOKEN).text
        assert 'commontrace_requests_total{method="POST",route="/api/v1/traces/query",status="200"} 12.0' in page
        assert "commontrace_requests_running 1.0" in page
        parent.send_signal(signal.SIGKILL)
        until(lambda: refuses(address))
    lines = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
    asked = [line for line in lines if line["event"] == "request" and line["route"] == "/api/v1/traces/query"]
    assert len(asked) == 12
    assert {line["key"] for line in asked} == {key.split("_")[2]}
    assert "canaryword" not in log.read_text()


def test_a_server_that_is_told_to_stop_answers_what_it_was_asked(blocking: Client, url: str, tmp_path: Path) -> None:
    key = blocking.contributors.create_key(NewApiKey(contributor="ann")).key
    body = contribution(1, visibility="team").model_dump_json().encode()
    head = (
        f"POST /api/v1/traces HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    log = tmp_path / "log"
    with process(url, log=log) as (running, address):
        port = int(address.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
            connection.sendall(head.encode() + body[:10])
            until(lambda: httpx2.get(f"{address}/health").status_code == 200)
            running.terminate()
            until(lambda: b"Shutting down" in log.read_bytes())
            connection.sendall(body[10:])
            answer = b"".join(iter(lambda: connection.recv(65536), b""))
        assert running.wait(timeout=30) == 0
    assert answer.startswith(b"HTTP/1.1 201 ")
    stored = json.loads(answer.partition(b"\r\n\r\n")[2])["trace_id"]
    assert blocking.traces.get(stored).content.title == contribution(1).title
    assert "Application shutdown complete" in log.read_text()


class Watched(PatientProtocol):
    """Keeps the sockets that it speaks over."""

    sockets: list[socket.socket] = []  # noqa: RUF012 - one for the test

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.sockets.append(transport.get_extra_info("socket"))


async def test_no_answer_waits_for_its_first_part_to_be_acknowledged(url: str) -> None:
    config = uvicorn.Config(create_app(BackendSettings(database_url=url)), proxy_headers=False, log_config=None)
    config.load()
    listener = socket.create_server(("127.0.0.1", 0))
    loop = asyncio.get_running_loop()
    async with (
        await loop.create_server(lambda: Watched(config, ServerState(), {}), sock=listener),
        httpx2.AsyncClient(base_url=f"http://127.0.0.1:{listener.getsockname()[1]}") as plain,
    ):
        assert (await plain.get("/health")).status_code == 200
        (spoken,) = Watched.sockets
        assert spoken.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
