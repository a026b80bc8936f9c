"""The application over plain HTTP: problem details for whatever goes wrong, limits, health."""

import json
import logging
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx2
import pytest

from commontrace import AsyncClient
from commontrace.errors import InvalidInputError
from commontrace_backend.app import create_app
from commontrace_backend.settings import BackendSettings
from doors import People, Server
from factories import contributed, contribution

MEMBERS = {"type", "title", "status", "code", "detail", "hint", "extra", "request_id"}


def problem(response: httpx2.Response, status: int, code: str) -> dict[str, Any]:
    """The problem details of an answer, which must be whole."""
    assert response.headers["content-type"] == "application/problem+json"
    said: dict[str, Any] = response.json()
    assert said.keys() == MEMBERS
    assert (response.status_code, said["status"], said["code"]) == (status, status, code)
    assert said["detail"].endswith((".", "?", "!"))
    assert said["hint"]
    return said


async def test_a_healthy_store_says_so(http: httpx2.AsyncClient) -> None:
    response = await http.get("/health")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


async def test_an_unknown_route_is_a_problem(http: httpx2.AsyncClient) -> None:
    assert "no such route" in problem(await http.get("/api/v1/nonsense"), 404, "not_found")["detail"]


async def test_a_method_that_a_route_lacks_names_those_it_has(http: httpx2.AsyncClient) -> None:
    response = await http.delete("/api/v1/tags")
    problem(response, 405, "bad_request")
    assert response.headers["allow"] == "GET"


@pytest.mark.parametrize("body", ['{"query": ', "", "{'query': 1}", "nonsense", '{"query": "x",}'])
async def test_broken_json_is_said_in_one_line(http: httpx2.AsyncClient, body: str) -> None:
    response = await http.post("/api/v1/traces/query", content=body, headers={"Content-Type": "application/json"})
    said = problem(response, 422, "invalid_input")
    assert said["detail"] in {"The body is not valid JSON.", "the body: field required."}


@pytest.mark.parametrize("body", [b'{"query": "\xff\xfe"}', b"[" * 100_000])
async def test_bytes_that_no_parser_takes_are_refused(http: httpx2.AsyncClient, body: bytes) -> None:
    response = await http.post("/api/v1/traces/query", content=body, headers={"Content-Type": "application/json"})
    assert response.status_code in {400, 422}
    assert response.json()["code"] in {"bad_request", "invalid_input"}


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ([], "the body: input should be a valid dictionary"),
        ({"query": 7}, "query: input should be a valid string."),
        ({"nonsense": 1}, "nonsense: extra inputs are not permitted."),
        ({"query": "x", "limit": 1000}, "limit: input should be less than or equal to 50."),
        ({"query": "x", "limit": "many", "tags": "no"}, "(1 more)."),
        ({"query": "\ud800"}, "half a character"),
        ({"limit": None}, "limit: input should be a valid integer."),
        ({"environment": {"packages": [{"versions": "1"}]}}, "environment.packages.0.name: field required."),
    ],
)
async def test_a_body_of_the_wrong_shape_names_the_field(http: httpx2.AsyncClient, body: object, detail: str) -> None:
    content = json.dumps(body)
    response = await http.post("/api/v1/traces/query", content=content, headers={"Content-Type": "application/json"})
    assert detail in problem(response, 422, "invalid_input")["detail"]


async def test_half_a_character_is_refused_or_replaced_and_never_stored(http: httpx2.AsyncClient) -> None:
    wanted = contribution(1).model_dump(mode="json")
    headers = {"Content-Type": "application/json"}
    title = json.dumps(wanted | {"title": "Half \ud800"})
    problem(await http.post("/api/v1/traces", content=title, headers=headers), 422, "invalid_input")
    versions = json.dumps(wanted | {"evidence": {"versions": {"\ud800x": "\udfff1"}}})
    response = await http.post("/api/v1/traces", content=versions, headers=headers)
    assert response.status_code == 201
    assert list(response.json()["content"]["evidence"]["versions"].values()) != ["\udfff1"]


async def test_a_defect_of_ours_is_answered_and_logged_without_what_anybody_wrote(
    client: AsyncClient, http: httpx2.AsyncClient, store: Path, caplog: pytest.LogCaptureFixture
) -> None:
    known = await contributed(client)
    with closing(sqlite3.connect(store)) as connection, connection:
        connection.execute('UPDATE trace_versions SET content = \'{"title": "private words"}\'')
    with caplog.at_level(logging.ERROR):
        response = await http.get(f"/api/v1/traces/{known}")
    assert "our side" in problem(response, 500, "internal")["detail"]
    (record,) = [record for record in caplog.records if record.name == "commontrace"]
    assert "route=/api/v1/traces/{trace_id} error=ValidationError where=" in record.getMessage()
    assert "private words" not in caplog.text


async def test_a_server_does_not_log_what_anybody_wrote_either(
    client: AsyncClient, people: People, server: Server, store: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    known = await contributed(client, visibility="team")
    with closing(sqlite3.connect(store)) as connection, connection:
        connection.execute('UPDATE trace_versions SET content = \'{"title": "private words"}\'')
    headers = {"Authorization": f"Bearer {await people.key('ann')}"}
    async with httpx2.AsyncClient(base_url=server.url, headers=headers) as plain:
        problem(await plain.get(f"/api/v1/traces/{known}"), 500, "internal")
    assert "private words" not in "".join(capfd.readouterr())


OVER = 512 * 1024 + 1


async def test_a_body_over_the_limit_is_refused(http: httpx2.AsyncClient) -> None:
    body = b'{"query": "' + b"x" * OVER + b'"}'
    response = await http.post("/api/v1/traces/query", content=body, headers={"Content-Type": "application/json"})
    assert "512 KiB" in problem(response, 413, "too_large")["detail"]


async def test_a_contribution_that_json_makes_long_is_within_the_limit(http: httpx2.AsyncClient) -> None:
    wanted = contribution(problem="ошибка из-за блокировки " * 1000).model_dump(mode="json")
    body = json.dumps(wanted, ensure_ascii=True)
    assert len(body) > 64 * 1024
    response = await http.post("/api/v1/traces", content=body, headers={"Content-Type": "application/json"})
    assert response.status_code == 201


def _raw(server: Server, head: str, chunks: Iterator[bytes]) -> bytes:
    """Say something over a bare socket; returns the answer's beginning."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        try:
            connection.sendall(head.encode())
            for chunk in chunks:
                connection.sendall(chunk)
        except (BrokenPipeError, ConnectionResetError):
            pass  # the server need not listen to the end
        return connection.recv(4096)


@pytest.mark.parametrize("declared", [True, False])
async def test_a_server_refuses_a_body_over_the_limit_declared_or_in_chunks(
    people: People, server: Server, *, declared: bool
) -> None:
    key = await people.key("ann")
    size = 2 * 1024 * 1024
    length = f"Content-Length: {size}" if declared else "Transfer-Encoding: chunked"
    head = (
        f"POST /api/v1/traces/query HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: application/json\r\n{length}\r\n\r\n"
    )
    part = b"x" * 65536
    chunk = part if declared else b"10000\r\n" + part + b"\r\n"
    answer = _raw(server, head, iter([chunk] * (size // len(part))))
    assert answer.startswith(b"HTTP/1.1 413 ")


async def test_headers_that_are_no_key_are_refused(server: Server) -> None:
    async with httpx2.AsyncClient(base_url=server.url) as plain:
        for value in ("Basic YTpi", "Bearer", "ct_live_x"):
            problem(await plain.get("/api/v1/me", headers={"Authorization": value}), 401, "unauthenticated")


def test_a_database_that_cannot_be_served_is_refused_when_the_app_is_made() -> None:
    with pytest.raises(InvalidInputError, match="needs a file"):
        create_app(BackendSettings(database_url="sqlite://"))


def test_the_backend_reads_its_settings_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMMONTRACE_DATABASE_URL", "sqlite:///x.db")
    monkeypatch.setenv("COMMONTRACE_LOCK_WAIT", "2.5")
    settings = BackendSettings()
    assert (settings.database_url, settings.lock_wait, settings.local_owner) == ("sqlite:///x.db", 2.5, False)


async def test_a_page_of_another_origin_may_neither_ask_nor_read(server: Server, people: People) -> None:
    key = await people.key("ann")
    page = {"Origin": "https://evil.example"}
    asking = {**page, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    async with httpx2.AsyncClient(base_url=server.url) as web:
        preflight = await web.options("/api/v1/traces/query", headers=asking)
        without = await web.get("/api/v1/tags", headers={**page, "Host": "rebound.example"})
        known = await web.get("/api/v1/tags", headers={**page, "Authorization": f"Bearer {key}"})
    assert (preflight.status_code, without.status_code, known.status_code) == (405, 401, 200)
    for answer in (preflight, without, known):
        assert not [name for name in answer.headers if name.startswith("access-control-")]
        assert "set-cookie" not in answer.headers
