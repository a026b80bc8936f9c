"""Runs commands as a shell would, in this process."""

import json
from collections.abc import Callable
from typing import Any

from click.testing import CliRunner, Result

from commontrace.cli.app import app

Run = Callable[..., str]
"""Runs something that prints; returns what it prints."""


class Cli:
    """The command line. What is not ours to word is raised."""

    def __call__(self, *arguments: str, stdin: str | bytes | None = None) -> Result:
        return CliRunner().invoke(app, arguments, input=stdin, catch_exceptions=False)

    def good(self, *arguments: str, stdin: str | bytes | None = None) -> str:
        """What a command that succeeds prints."""
        result = self(*arguments, stdin=stdin)
        assert result.exit_code == 0, result.output
        return result.stdout

    def json(self, *arguments: str, stdin: str | bytes | None = None) -> Any:
        """The document that a command that succeeds prints with --json."""
        return json.loads(self.good(*arguments, "--json", stdin=stdin))

    def failed(self, *arguments: str, stdin: str | bytes | None = None, code: int = 1) -> str:
        """The one line that a command that fails prints."""
        result = self(*arguments, stdin=stdin)
        assert result.exit_code == code, result.output
        assert result.stdout == ""
        assert code == 2 or len(result.stderr.splitlines()) == 1
        # Usage errors stand in a box that is as wide as the terminal.
        return " ".join(result.stderr.replace("│", " ").split())
