"""A repository to commit to, and the same seen from a second working copy."""

import pytest

from commontrace import AsyncClient
from commontrace._async.contexts import AsyncContextRepository


@pytest.fixture
def repo(client: AsyncClient) -> AsyncContextRepository:
    """The owner's repository; nothing is in it yet."""
    return client.contexts.open("parser")


@pytest.fixture
def other(client: AsyncClient) -> AsyncContextRepository:
    """The same repository from another working copy of the owner's."""
    return client.acting_as("", "other").contexts.open("parser")
