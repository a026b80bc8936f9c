"""The agents that can be wired: where they keep their servers, and what we put there."""

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from platformdirs import user_config_path

from commontrace.errors import InvalidInputError
from commontrace.homes import claude_folder, claude_servers, codex_folder
from commontrace.setup_agents import claude_code
from commontrace.setup_agents.files import Change, has_server, with_entry, without_entry

Agent = Literal["claude-code", "claude-desktop", "cursor", "codex", "gemini", "vscode", "windsurf", "opencode"]
Scope = Literal["project", "user"]


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an agent looks for its servers."""

    project: str
    """Its file in a project; empty where it has none."""
    servers: str
    """The name that its servers stand under."""
    program: str
    """The command that starts it."""
    home: str = ""
    """Its file under the user's home folder; empty for one that lies elsewhere."""


_PLACES: Final[dict[Agent, _Place]] = {
    "claude-code": _Place(".mcp.json", "mcpServers", "claude"),
    "claude-desktop": _Place("", "mcpServers", "claude-desktop"),
    "cursor": _Place(".cursor/mcp.json", "mcpServers", "cursor", ".cursor/mcp.json"),
    "codex": _Place(".codex/config.toml", "mcp_servers", "codex"),
    "gemini": _Place(".gemini/settings.json", "mcpServers", "gemini", ".gemini/settings.json"),
    "vscode": _Place(".vscode/mcp.json", "servers", "code"),
    "windsurf": _Place("", "mcpServers", "windsurf", ".codeium/windsurf/mcp_config.json"),
    "opencode": _Place("opencode.json", "mcp", "opencode", ".config/opencode/opencode.json"),
}
AGENTS: Final[tuple[Agent, ...]] = tuple(_PLACES)


def config_file(agent: Agent, scope: Scope, folder: Path) -> Path:
    r"""The file in which an agent looks for its servers: the project's, or the user's where it has no other.

    Claude Desktop and Visual Studio Code have theirs in `~/Library/Application Support`, `%APPDATA%` or `~/.config`;
    the others in the user's home folder on every system, unless Claude Code or Codex was told otherwise.
    """
    place = _PLACES[agent]
    if scope == "project" and place.project:
        return _existing(folder / place.project)
    if agent == "claude-desktop":
        return user_config_path("Claude", appauthor=False, roaming=True) / "claude_desktop_config.json"
    if agent == "vscode":
        return user_config_path("Code", appauthor=False, roaming=True) / "User" / "mcp.json"
    if agent == "claude-code":
        return claude_servers()
    return codex_folder() / "config.toml" if agent == "codex" else _existing(Path.home() / place.home)


def _existing(path: Path) -> Path:
    """The file that is there: opencode reads opencode.jsonc too."""
    other = path.with_suffix(".jsonc")
    return other if path.name == "opencode.json" and other.exists() and not path.exists() else path


def detected() -> list[Agent]:
    """The agents that this user has: their folder of settings is there, or the command that starts them."""
    return [agent for agent in AGENTS if shutil.which(_PLACES[agent].program) or _home(agent).is_dir()]


def _home(agent: Agent) -> Path:
    return claude_folder() if agent == "claude-code" else config_file(agent, "user", Path()).parent


def is_wired(agent: Agent, scope: Scope, folder: Path) -> bool:
    """Whether an agent's file has an entry of ours."""
    return has_server(config_file(agent, scope, folder), _PLACES[agent].servers)


def plan(agent: Agent, scope: Scope, folder: Path, *, url: str | None, uninstall: bool) -> list[Change]:
    """Every file that wiring an agent touches, or that unwiring it does.

    Claude Code with the plugin needs nothing: the plugin brings all of it.

    Args:
        agent: whom to wire.
        scope: this project or every project of the user; agents without a file for projects have one for both.
        folder: the project.
        url: the backend to write into the entry; None leaves it to the settings.
        uninstall: take away what was put there, and nothing else.
    """
    path, servers = config_file(agent, scope, folder), _PLACES[agent].servers
    if uninstall:
        changes = [without_entry(path, servers)]
    elif agent == "claude-code" and claude_code.has_plugin():
        return []
    else:
        changes = [with_entry(path, servers, _entry(agent, url))]
    if agent == "claude-code":
        home = folder / ".claude" if scope == "project" else claude_folder()
        settings = "settings.local.json" if scope == "project" else "settings.json"
        changes += claude_code.files(home, uninstall=uninstall)
        changes.append(claude_code.hooks(home / settings, None if uninstall else program(), url))
    return changes


def _entry(agent: Agent, url: str | None) -> dict[str, Any]:
    """How the server is started; Claude Code also loads its tools' descriptions at once."""
    environment = {"COMMONTRACE_URL": url} if url else {}
    if agent == "opencode":
        entry: dict[str, Any] = {"type": "local", "command": [program(), "mcp"], "enabled": True}
        return {**entry, "environment": environment} if environment else entry
    entry = {"command": program(), "args": ["mcp"]}
    if agent in {"claude-code", "vscode"}:
        entry = {"type": "stdio", **entry}
    if agent == "claude-code":
        entry["alwaysLoad"] = True
    return {**entry, "env": environment} if environment else entry


def program() -> str:
    """The absolute path of the installed command: agents start it from anywhere, without a shell.

    Raises:
        InvalidInputError: it is installed nowhere.
    """
    found = shutil.which("commontrace", path=str(Path(sys.executable).parent)) or shutil.which("commontrace")
    if found is None:
        raise InvalidInputError(
            "The command commontrace is not installed where agents could start it.",
            "Install it with `uv tool install commontrace`, then run setup again.",
        )
    return str(Path(found).absolute())
