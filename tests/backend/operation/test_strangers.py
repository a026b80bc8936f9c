"""Bodies of callers without a good key: the answer comes before the body, and nothing waits for the rest of it."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from commontrace import Client
from commontrace.models.contributors import NewApiKey
from doors import Server, serving
from factories import contribution

LARGE = 15 * 1024 * 1024


@contextmanager
def asked(server: Server, path: str, key: str, length: int = LARGE) -> Iterator[socket.socket]:
    """A request of which only the headers and one byte of the body were sent."""
    head = (
        f"POST /api/v1{path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{{"
    )
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        connection.sendall(head.encode())
        yield connection


def answer_of(connection: socket.socket) -> bytes:
    """The whole of an answer that has a length."""
    told = b""
    while b"\r\n\r\n" not in told:
        told += connection.recv(65536) or pytest.fail("no answer")
    head, _, body = told.partition(b"\r\n\r\n")
    length = int(next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")).split()[1])
    while len(body) < length:
        body += connection.recv(65536) or pytest.fail("half an answer")
    return head + body


def trickle(connection: socket.socket) -> None:
    """Go on with a body, never pausing for as long as a connection may rest."""
    for _ in range(LARGE - 1):
        connection.sendall(b" ")


@pytest.mark.parametrize("path", ["/sync/traces", "/traces/query", "/contexts/x/bundle", "/contexts/x/commits"])
def test_a_stranger_is_refused_by_the_headers_alone(server: Server, path: str) -> None:
    with asked(server, path, "ct_live_wrong_key_0") as connection:
        said = answer_of(connection)
    assert said.startswith(b"HTTP/1.1 401 ")
    assert b'"unauthenticated"' in said
    assert b"www-authenticate: Bearer" in said


def test_a_stranger_who_goes_on_sending_is_cut_off(url: str) -> None:
    with (
        serving(url, request_seconds=0.6) as impatient,
        asked(impatient, "/sync/traces", "ct_live_wrong_key_0") as connection,
    ):
        assert answer_of(connection).startswith(b"HTTP/1.1 401 ")
        with pytest.raises(OSError, match=r"reset|[Bb]roken pipe"):
            trickle(connection)


def test_whoever_sends_all_of_it_reads_the_answer_and_asks_again_over_the_same_connection(
    server: Server, blocking: Client
) -> None:
    key = blocking.contributors.create_key(NewApiKey(contributor="ann")).key
    body = contribution().model_dump_json().encode()
    with asked(server, "/traces", "ct_live_wrong_key_0", 1 + LARGE // 5) as connection:
        connection.sendall(b" " * (LARGE // 5))
        assert answer_of(connection).startswith(b"HTTP/1.1 401 ")
        connection.sendall(
            f"POST /api/v1/traces HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
        assert answer_of(connection).startswith(b"HTTP/1.1 201 ")
