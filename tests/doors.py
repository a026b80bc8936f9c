"""Ways in for tests: people with keys of their own, and a real server."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from typing import Any

import uvicorn

from commontrace import AsyncClient
from commontrace.models.contributors import NewApiKey, Scope
from commontrace_backend.app import create_app
from commontrace_backend.operation.protocol import HEADER_BYTES, PatientProtocol
from commontrace_backend.settings import BackendSettings
from http_servers import serving_http


@dataclass
class People:
    """Makes callers with keys of their own on the store that `owner` owns."""

    owner: AsyncClient
    keyed: AsyncClient

    async def key(
        self, name: str, organization: str | None = None, scopes: tuple[Scope, ...] = ("read", "contribute", "vote")
    ) -> str:
        """A key for `name`, of the owner's organization unless another one is named."""
        wanted = NewApiKey(contributor=name, organization=organization, scopes=list(scopes))
        return (await self.owner.contributors.create_key(wanted)).key

    async def stranger(self, name: str, organization: str) -> AsyncClient:
        """A client of an organization that nobody vouches for, as who signs up without being known."""
        wanted = NewApiKey(contributor=name, organization=organization, stranger=True)
        return self.keyed.acting_as((await self.owner.contributors.create_key(wanted)).key)

    async def __call__(
        self, name: str, organization: str | None = None, scopes: tuple[Scope, ...] = ("read", "contribute", "vote")
    ) -> AsyncClient:
        """A client that acts as `name`."""
        return self.keyed.acting_as(await self.key(name, organization, scopes))


@dataclass(frozen=True)
class Server:
    """A server that runs."""

    url: str
    port: int


@contextmanager
def serving(url: str, port: int = 0, **settings: Any) -> Iterator[Server]:
    """Run a real server on a port, a free one unless said."""
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", port))
        listening.listen(128)  # whoever connects before the server is up waits in the queue
        port = listening.getsockname()[1]
        app = create_app(BackendSettings(database_url=url, **settings))
        config = uvicorn.Config(
            app,
            http=PatientProtocol,
            h11_max_incomplete_event_size=HEADER_BYTES,
            log_level="error",
            ws="none",
            proxy_headers=False,
            timeout_graceful_shutdown=5,
        )
        running = uvicorn.Server(config)
        thread = threading.Thread(target=running.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield Server(f"http://127.0.0.1:{port}", port)
        finally:
            running.should_exit = True
            thread.join()


@contextmanager
def answering(answers: dict[str, bytes]) -> Iterator[str]:
    """A server that says the same whatever it is asked, by the end of the path; gives its URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            body = answers[self.path.partition("?")[0].rpartition("/")[2]]
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815 - named so by http.server

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    with serving_http(Handler) as url:
        yield url
