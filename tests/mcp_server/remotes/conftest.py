"""A second store, which the first one knows as `origin`, and a team's server."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from commontrace import AsyncClient, connect_async
from commontrace.models.contributors import NewApiKey
from crowding import Team
from doors import serving


@pytest.fixture
async def other(template: Path, tmp_path: Path) -> AsyncIterator[AsyncClient]:
    """The owner of another store."""
    async with connect_async(f"sqlite:///{shutil.copy(template, tmp_path / 'other.db')}") as owner:
        yield owner


@pytest.fixture
def joined(client: AsyncClient, other: AsyncClient) -> AsyncClient:
    """A store whose remote `origin` is the other one."""
    client.remotes.add("origin", other.url)
    return client


@pytest.fixture
async def team(template: Path, tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Team]:
    """A team's server; what a test gives as parameter are its settings."""
    store = f"sqlite:///{shutil.copy(template, tmp_path / 'team.db')}"
    async with connect_async(store) as owner:
        key = (await owner.contributors.create_key(NewApiKey(contributor="ana"))).key
    with serving(store, **getattr(request, "param", {})) as server:
        yield Team(server.url, key, store)
