"""Errors and spans that leave the server: only where a setting says so, and without a word that anybody wrote."""

import gzip
import http.server
import json
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from commontrace import AsyncClient
from commontrace.errors import InvalidInputError
from commontrace_backend.app import create_app
from commontrace_backend.operation.extras import installed
from commontrace_backend.settings import BackendSettings
from doors import People
from factories import contributed


class Collector(http.server.ThreadingHTTPServer):
    """Keeps what it is sent."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Keep)
        self.got: list[tuple[str, bytes]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Keep(http.server.BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        whole = gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body
        self.server.got.append((self.path, whole))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@contextmanager
def broken(store: Path) -> Iterator[None]:
    """The first version stored cannot be read, and its text says so."""
    with closing(sqlite3.connect(store)) as connection, connection:
        connection.execute('UPDATE trace_versions SET content = \'{"title": "canary words"}\'')
    yield


async def test_a_span_tells_route_status_and_whose_it_is_and_no_word(
    client: AsyncClient, people: People, collector: Collector
) -> None:
    await contributed(client)
    key = await people.key("ann")
    app = create_app(BackendSettings(database_url=client.url, otlp_endpoint=collector.url))
    headers = {
        "Authorization": f"Bearer {key}",
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "X-Request-Id": "run-7",
    }
    transport = httpx2.ASGITransport(app)
    async with app.router.lifespan_context(app), httpx2.AsyncClient(transport=transport, base_url="http://x") as plain:
        await plain.post("/api/v1/traces/query?canary=1", json={"query": "canary words"}, headers=headers)
        await plain.get("/api/v1/contexts/canary/grep?pattern=canary", headers=headers)
    spans = [span for path, body in collector.got for span in _spans(path, body)]
    assert [span.name for span in spans] == ["POST /api/v1/traces/query", "GET /api/v1/contexts/{repository}/grep"]
    assert spans[0].trace_id.hex() == "0af7651916cd43dd8448eb211c80319c"
    assert spans[0].parent_span_id.hex() == "b7ad6b7169203331"
    known = {one.key: one.value for one in spans[1].attributes}
    assert known["http.response.status_code"].int_value == 404
    assert known["commontrace.request_id"].string_value == "run-7"
    sent = b"".join(body for _, body in collector.got)
    assert b"canary" not in sent
    assert key.encode() not in sent


def _spans(path: str, body: bytes) -> Iterator[Any]:
    assert path == "/v1/traces"
    for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
        for scope in resource.scope_spans:
            yield from scope.spans


async def test_an_unexpected_error_is_told_by_kind_and_place_and_no_word(
    client: AsyncClient, people: People, store: Path, collector: Collector
) -> None:
    known = await contributed(client, visibility="team")
    key = await people.key("ann")
    dsn = collector.url.replace("http://", "http://public@") + "/1"
    app = create_app(BackendSettings(database_url=client.url, sentry_dsn=dsn))
    headers = {"Authorization": f"Bearer {key}", "X-Request-Id": "run-7"}
    transport = httpx2.ASGITransport(app)
    with broken(store):
        async with (
            app.router.lifespan_context(app),
            httpx2.AsyncClient(transport=transport, base_url="http://x", headers=headers) as plain,
        ):
            assert (await plain.get(f"/api/v1/traces/{known}?canary=1")).status_code == 500
            assert (await plain.get("/api/v1/traces/canary")).status_code == 422
    ((path, envelope),) = collector.got
    assert path == "/api/1/envelope/"
    event = next(part for part in map(json.loads, envelope.splitlines()) if "exception" in part)
    assert event["transaction"] == "GET /api/v1/traces/{trace_id}"
    assert event["tags"]["request_id"] == "run-7"
    raised = event["exception"]["values"][-1]
    assert (raised["type"], raised["value"]) == ("ValidationError", "")
    assert [frame for frame in raised["stacktrace"]["frames"] if "vars" in frame] == []
    assert "canary" not in envelope.decode()
    assert key not in envelope.decode()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sentry_dsn", "https://hunter2@host/notanumber"),
        ("sentry_dsn", "hunter2"),
        ("otlp_endpoint", "hunter2:4318"),
        ("embed_url", "hunter2/v1"),
    ],
)
def test_an_address_that_is_none_is_named_and_not_repeated(url: str, name: str, value: str) -> None:
    with pytest.raises(InvalidInputError, match=f"COMMONTRACE_{name.upper()} is") as refused:
        create_app(BackendSettings.given(database_url=url, **{name: value}))
    assert "hunter2" not in str(refused.value)


def test_nothing_of_it_is_loaded_where_no_setting_asks_for_it(tmp_path: Path) -> None:
    code = (
        "import sys; from commontrace_backend.app import create_app;"
        "from commontrace_backend.settings import BackendSettings;"
        f"create_app(BackendSettings(database_url='sqlite:///{tmp_path}/x.db'));"
        "parts = {'sentry_sdk', 'opentelemetry.sdk', 'prometheus_client', 'requests'};"
        "print(sorted(parts & set(sys.modules)))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout == "[]\n"


def test_a_setting_whose_extra_is_missing_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sentry_sdk", None)
    monkeypatch.delitem(sys.modules, "commontrace_backend.operation.sentry", raising=False)
    with pytest.raises(InvalidInputError, match=r"pip install 'commontrace\[sentry\]'"):
        installed("sentry", "sentry")
