"""A second store, which the first one knows as `origin`."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from commontrace import AsyncClient, connect_async


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
