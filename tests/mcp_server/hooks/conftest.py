"""What the tests of the hooks share: the command line."""

import pytest

from commandline import Cli


@pytest.fixture
def cli(url: str, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """The command line on a fresh store."""
    monkeypatch.setenv("COMMONTRACE_URL", url)
    return Cli()
