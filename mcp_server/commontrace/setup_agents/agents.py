"""The agents that can be wired: where they keep their servers, and what we put there."""

import shutil
import sys
from pathlib import Path
from typing import Any, Final, Literal

from platformdirs import user_config_path

import commontrace
from commontrace.errors import InvalidInputError
from commontrace.setup_agents.files import Change, read_file, with_server, without_server

Agent = Literal["claude-code", "claude-desktop"]
Scope = Literal["project", "user"]
AGENTS: Final[tuple[Agent, ...]] = ("claude-code", "claude-desktop")


def config_file(agent: Agent, scope: Scope, folder: Path) -> Path:
    r"""The file in which an agent looks for its servers.

    `.mcp.json` of a project and `~/.claude.json` of a user are Claude Code's; Claude Desktop has one file, in
    `~/Library/Application Support/Claude`, `%APPDATA%\Claude` or `~/.config/Claude`.
    """
    if agent == "claude-desktop":
        return user_config_path("Claude", appauthor=False, roaming=True) / "claude_desktop_config.json"
    return folder / ".mcp.json" if scope == "project" else Path.home() / ".claude.json"


def plan(agent: Agent, scope: Scope, folder: Path, *, url: str | None, uninstall: bool) -> list[Change]:
    """Every file that wiring an agent touches, or that unwiring it does.

    Args:
        agent: whom to wire.
        scope: for Claude Code, this project or every project of the user.
        folder: the project.
        url: the backend to write into the entry; None leaves it to the settings.
        uninstall: take away what was put there, and nothing else.
    """
    path = config_file(agent, scope, folder)
    changes = [without_server(path) if uninstall else with_server(path, _entry(agent, url))]
    if agent == "claude-code":
        home = folder if scope == "project" else Path.home()
        changes += [_command(source, home / ".claude" / "commands", uninstall=uninstall) for source in _shipped()]
    return changes


def _entry(agent: Agent, url: str | None) -> dict[str, Any]:
    """How the server is started; Claude Code also loads its tools' descriptions at once."""
    entry: dict[str, Any] = {"command": _program(), "args": ["mcp"]}
    if agent == "claude-code":
        entry = {"type": "stdio", **entry, "alwaysLoad": True}
    return {**entry, "env": {"COMMONTRACE_URL": url}} if url else entry


def _program() -> str:
    """The absolute path of the installed command: agents start it from anywhere, without a shell."""
    found = shutil.which("commontrace", path=str(Path(sys.executable).parent)) or shutil.which("commontrace")
    if found is None:
        raise InvalidInputError(
            "The command commontrace is not installed where agents could start it.",
            "Install it with `uv tool install commontrace`, then run setup again.",
        )
    return str(Path(found).absolute())


def _shipped() -> list[Path]:
    """The slash commands: beside the code in an installation, in the repository in a checkout."""
    here = Path(commontrace.__file__).parent
    places = (here / "commands", here.parents[1] / ".claude" / "commands")
    return sorted(next((place for place in places if place.is_dir()), places[0]).glob("*.md"))


def _command(source: Path, folder: Path, *, uninstall: bool) -> Change:
    """A slash command put there; or taken away, unless somebody made it their own."""
    target, ours = folder / source.name, read_file(source)
    before = read_file(target)
    if uninstall:
        return Change(target, before, None if before == ours else before)
    return Change(target, before, ours)
