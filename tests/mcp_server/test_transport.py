"""Reaching a backend: by a socket or in this process, and what is said when it cannot be reached."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

import commontrace
from commontrace import AsyncClient, Client, connect, connect_async
from commontrace.errors import (
    AuthenticationError,
    BackendError,
    CommonTraceError,
    InvalidInputError,
    NotFoundError,
    UnavailableError,
)
from commontrace.models.contributors import NewApiKey
from doors import People, Server
from factories import contributed, contribution
from http_servers import certificate, serving_http


@pytest.mark.parametrize("url", ["", "ftp://host", "store.db", "/tmp/store.db", "mysql://host/db", "HTTPS//x"])
def test_a_url_of_no_known_kind_is_refused_at_once(url: str) -> None:
    for opener in (connect, connect_async):
        with pytest.raises(InvalidInputError, match=r"is not the URL of a backend.*sqlite:///path"):
            opener(url)


@pytest.mark.parametrize("url", ["postgres://ann:hun/t@xy@host/db", "pg://host/db?password=hun/t@xy&sslmode=require"])
def test_no_part_of_a_password_is_repeated(url: str) -> None:
    with pytest.raises(InvalidInputError, match="is not the URL of a backend") as caught:
        connect(url)
    assert "host/db" in str(caught.value)
    assert not [part for part in ("hun", "t@", "xy") if part in str(caught.value)]


async def test_a_server_that_is_down_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, and nobody listens
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        async with connect_async(url, api_key="k") as client:
            with pytest.raises(UnavailableError, match=f"{url} cannot be reached.*COMMONTRACE_URL"):
                await client.contributors.me()
        with connect(url, api_key="k") as blocking, pytest.raises(UnavailableError):
            blocking.contributors.me()


@pytest.fixture
def certified(tmp_path: Path) -> Iterator[str]:
    """The URL of a server with a certificate that nobody signed."""
    with serving_http(BaseHTTPRequestHandler, certificate(tmp_path / "both.pem")) as url:
        yield url


async def test_a_server_whose_certificate_is_not_trusted_is_told_from_one_that_is_down(certified: str) -> None:
    async with connect_async(certified, api_key="k") as client:
        with pytest.raises(UnavailableError, match=r"not trusted \(self-signed certificate\).*SSL_CERT_FILE"):
            await client.contributors.me()


async def test_a_server_that_speaks_no_tls_is_told_from_one_that_is_down(server: Server) -> None:
    async with connect_async(server.url.replace("http", "https"), api_key="k") as client:
        with pytest.raises(UnavailableError, match="does not speak TLS"):
            await client.contributors.me()


@pytest.mark.parametrize("url", ["http://", "http://[", "https://no-such-host.invalid", "http://two words/"])
async def test_an_address_that_leads_nowhere_is_named(url: str) -> None:
    async with connect_async(url, api_key="k") as client:
        with pytest.raises(UnavailableError, match="cannot be reached"):
            await client.contributors.me()


async def test_a_server_that_does_not_answer_is_given_up_after_the_timeout() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        async with connect_async(f"http://127.0.0.1:{silent.getsockname()[1]}", api_key="k", timeout=0.1) as client:
            with pytest.raises(UnavailableError, match=r"did not answer in time.*COMMONTRACE_TIMEOUT"):
                await client.contributors.me()
        with (
            connect(f"http://127.0.0.1:{silent.getsockname()[1]}", api_key="k", timeout=0.1) as blocking,
            pytest.raises(UnavailableError, match="did not answer in time"),
        ):
            blocking.contributors.me()


@contextmanager
def something_else(status: int, body: bytes, **headers: str) -> Iterator[str]:
    """A web server that is not CommonTrace; its URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with serving_http(Handler) as url:
        yield url


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, b"<html>Welcome</html>", BackendError),
        (200, b'{"hello": "world"}', BackendError),
        (404, b'{"detail": "Not Found"}', NotFoundError),
        (401, b"Unauthorized", AuthenticationError),
        (502, b"<html>Bad Gateway</html>", UnavailableError),
        (302, b"", BackendError),
    ],
)
async def test_a_server_of_another_kind_is_told_apart(status: int, body: bytes, kind: type[CommonTraceError]) -> None:
    with something_else(status, body, Location="/elsewhere") as url:
        async with connect_async(url, api_key="k") as client:
            with pytest.raises(kind, match="URL"):
                await client.contributors.me()


async def test_a_server_wants_a_good_key(server: Server) -> None:
    for key in (None, "", "nonsense"):
        async with connect_async(server.url, api_key=key) as client:
            with pytest.raises(AuthenticationError):
                await client.contributors.me()


async def test_a_server_takes_the_key_from_the_environment(
    people: People, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMMONTRACE_API_KEY", await people.key("ann"))
    async with connect_async(server.url + "/") as client:
        assert (await client.contributors.me()).name == "ann"


async def test_a_server_and_a_local_client_share_one_store(client: AsyncClient, people: People, server: Server) -> None:
    async with connect_async(server.url, api_key=await people.key("ann")) as ann:
        known = await contributed(ann, visibility="team")
        assert (await client.traces.get(known)).contributor.name == "ann"
        both = [contribution(title=f"Number {number}", insist=True) for number in range(10)]
        await asyncio.gather(
            *(ann.traces.contribute(item) for item in both[::2]),
            *(client.traces.contribute(item) for item in both[1::2]),
        )
        assert len([trace async for trace in client.traces.all()]) == 6  # Ann's others are private
        assert len([trace async for trace in ann.traces.all()]) == 6


def test_a_blocking_connection_acts_for_others_and_keeps_its_bounds(blocking: Client) -> None:
    created = blocking.contributors.create_key(NewApiKey(contributor="ann"))
    assert blocking.acting_as(created.key).contributors.me().name == "ann"
    assert blocking.acting_as(created.key, "elsewhere").traces.query("anything").hits == []
    assert blocking.contributors.me().name == "owner"
    with pytest.raises(InvalidInputError, match="This API key holds characters"):
        blocking.acting_as("ключ")


async def test_a_client_can_be_closed_unused_and_twice(url: str) -> None:
    client = connect_async(url)
    await client.aclose()
    await client.aclose()
    blocking = connect(url)
    blocking.close()


def test_a_blocking_client_serves_many_threads(blocking: Client) -> None:
    results: list[bool] = []
    threads = [
        threading.Thread(
            target=lambda number=number: results.append(
                blocking.traces.contribute(contribution(title=f"Thread {number}", insist=True)).stored
            )
        )
        for number in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [True] * 8


def test_the_public_face_names_everything_that_it_has() -> None:
    assert dir(commontrace) == sorted(commontrace.__all__)
    assert {"AsyncClient", "Client", "connect", "connect_async"} <= set(dir(commontrace))
    assert all(getattr(commontrace, name) for name in commontrace.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = commontrace.nonsense
