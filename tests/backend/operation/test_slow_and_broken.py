"""Callers that are slow, send too much, or send what is no HTTP: a real server answers and goes on."""

import asyncio
import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import httpx2
import pytest

from commontrace_backend.database.engine import connect_database
from commontrace_backend.database.tenancy import EVERY_TENANT
from doors import People, Server, serving
from factories import contribution


@pytest.fixture
def hasty(url: str) -> Iterator[Server]:
    """A server with little patience."""
    with serving(url, request_seconds=0.6) as running:
        yield running


def say(server: Server, *parts: bytes) -> tuple[int, dict[str, str], dict[str, Any]]:
    """Say something over a bare socket and wait until the server has closed it: status, headers, problem."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        for part in parts:
            connection.sendall(part)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    return int(first.split()[1]), {k.lower(): v for k, v in (line.split(": ", 1) for line in lines)}, json.loads(body)


def head_of(key: str, *lines: str) -> bytes:
    said = ["POST /api/v1/traces/query HTTP/1.1", "Host: x", f"Authorization: Bearer {key}", *lines, "", ""]
    return "\r\n".join(said).encode()


@pytest.mark.parametrize("begun", [b"", b"GET /api/v1/me HTTP/1.1\r\nHost: x\r\nX-Slow: "])
def test_who_does_not_finish_the_headers_is_sent_away(hasty: Server, begun: bytes) -> None:
    status, headers, said = say(hasty, begun)
    assert (status, said["code"], headers["content-type"]) == (408, "slow_body", "application/problem+json")


async def test_a_body_that_stops_arriving_is_given_up(hasty: Server, people: People) -> None:
    head = head_of(
        await people.key("ann"), "Content-Type: application/json", "Content-Length: 100", "Connection: close"
    )
    status, _, said = say(hasty, head, b'{"query": ')
    assert (status, said["code"]) == (408, "slow_body")
    assert said["request_id"]


async def test_many_slow_callers_do_not_keep_the_others_waiting(hasty: Server, people: People) -> None:
    headers = {"Authorization": f"Bearer {await people.key('ann')}"}
    with ExitStack() as stack:
        for _ in range(100):
            slow = stack.enter_context(socket.create_connection(("127.0.0.1", hasty.port)))
            slow.sendall(b"GET /api/v1/me HTTP/1.1\r\n")
        async with httpx2.AsyncClient(base_url=hasty.url, headers=headers) as plain:
            assert (await plain.get("/api/v1/me")).status_code == 200


async def test_who_waits_in_vain_for_a_turn_is_sent_away_and_readers_go_on(url: str, people: People) -> None:
    headers = {"Authorization": f"Bearer {await people.key('ann')}"}
    other = connect_database(url)
    with serving(url, request_seconds=3, requests_at_once=1) as busy:
        async with httpx2.AsyncClient(base_url=f"{busy.url}/api/v1", headers=headers) as plain:
            bodies = [contribution(number).model_dump(mode="json") for number in range(4)]
            assert (await plain.post("/traces", json=bodies.pop())).status_code == 201  # its rules are loaded now
            async with other.writing(EVERY_TENANT):
                writes = [asyncio.ensure_future(plain.post("/traces", json=body)) for body in bodies]
                assert (await plain.get("/tags")).status_code == 200
                said = [answer.json()["detail"] for answer in await asyncio.gather(*writes)]
            vain = "The server has more to do than it can."
            assert sorted(said) == [vain, vain, "This took longer than 3 s."]
            assert (await plain.post("/traces", json=bodies[0])).status_code == 201
    await other.close()


def test_headers_over_the_limit_are_refused(server: Server) -> None:
    status, headers, said = say(server, b"GET /health HTTP/1.1\r\nHost: x\r\nX-Long: " + b"x" * 40_000)
    assert (status, said["code"], headers["content-type"]) == (431, "too_large", "application/problem+json")


@pytest.mark.parametrize(
    "noise",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"GET /health\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost: x\r\nContent-Length: many\r\n\r\n",
        b"GET /health HTTP/1.1\r\nbad header\r\n\r\n",
    ],
)
def test_what_is_no_http_is_refused(server: Server, noise: bytes) -> None:
    status, _, said = say(server, noise)
    assert (status, said["code"]) == (400, "invalid_input")


async def test_json_nested_without_end_is_refused(server: Server, people: People) -> None:
    headers = {"Authorization": f"Bearer {await people.key('ann')}", "Content-Type": "application/json"}
    async with httpx2.AsyncClient(base_url=server.url, headers=headers) as plain:
        for body in (
            b"[" * 200_000,
            b'{"query":' * 50_000,
            b'{"query": "x", "environment": ' + b"[" * 900 + b"]" * 900 + b"}",
        ):
            answer = await plain.post("/api/v1/traces/query", content=body)
            assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")
        assert (await plain.get("/health")).status_code == 200
