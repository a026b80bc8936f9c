"""What tests share: an empty home, a fresh store, its owner, other people, and a real server."""

import os
import shutil
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
import uvicorn
from commontrace_backend.app import create_app
from commontrace_backend.settings import BackendSettings

from commontrace import AsyncClient, Client, connect, connect_async
from commontrace._transport import LOCAL_BASE, async_transport
from commontrace.models.contributors import NewApiKey, Scope


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of the test's own: nothing of the machine's settings or stores is read or written."""
    for name in [name for name in os.environ if name.startswith("COMMONTRACE_")]:
        monkeypatch.delenv(name)
    place = tmp_path / "home"
    place.mkdir()
    monkeypatch.setenv("HOME", str(place))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(place / "config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(place / "data"))
    return place


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty store, made once; copying it is faster than making another."""
    path = tmp_path_factory.mktemp("template") / "store.db"
    with connect(f"sqlite:///{path}") as client:
        client.contributors.me()
    return path


@pytest.fixture
def store(template: Path, tmp_path: Path) -> Path:
    """The file of a fresh, empty store."""
    return Path(shutil.copy(template, tmp_path / "store.db"))


@pytest.fixture
def url(store: Path) -> str:
    """The URL of a fresh, empty store."""
    return f"sqlite:///{store}"


@pytest.fixture
async def client(url: str) -> AsyncIterator[AsyncClient]:
    """The owner of the store."""
    async with connect_async(url) as owner:
        yield owner


@pytest.fixture
def blocking(url: str) -> Iterator[Client]:
    """The owner of the store, for code that blocks."""
    with connect(url) as owner:
        yield owner


@pytest.fixture
async def http(url: str) -> AsyncIterator[httpx2.AsyncClient]:
    """Plain HTTP to the store, as its owner."""
    async with httpx2.AsyncClient(transport=async_transport(url, 30, owner=True), base_url=LOCAL_BASE) as plain:
        yield plain


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

    async def __call__(
        self, name: str, organization: str | None = None, scopes: tuple[Scope, ...] = ("read", "contribute", "vote")
    ) -> AsyncClient:
        """A client that acts as `name`."""
        return self.keyed.acting_as(await self.key(name, organization, scopes))


@pytest.fixture
async def people(client: AsyncClient) -> AsyncIterator[People]:
    """A factory of further callers: `ann = await people("ann")`, `eve = await people("eve", "evil corp")`."""
    async with connect_async(client.url, api_key="") as keyed:
        yield People(client, keyed)


@dataclass(frozen=True)
class Server:
    """A server that runs."""

    url: str
    port: int


@pytest.fixture
def server(url: str) -> Iterator[Server]:
    """A real server on a free port, on the store of `client`; it wants keys."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(128)  # whoever connects before the server is up waits in the queue
        port = listening.getsockname()[1]
        app = create_app(BackendSettings(database_url=url))
        running = uvicorn.Server(uvicorn.Config(app, log_level="error", ws="none", timeout_graceful_shutdown=5))
        thread = threading.Thread(target=running.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield Server(f"http://127.0.0.1:{port}", port)
        finally:
            running.should_exit = True
            thread.join()
