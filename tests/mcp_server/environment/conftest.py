"""What tests of reading an environment share: a checkout to write files into."""

from pathlib import Path

import pytest

from checkouts import Checkout


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """An empty checkout."""
    return Checkout(tmp_path / "checkout")
