"""Where agents keep what is theirs: in the user's home, unless they are told otherwise."""

import os
from pathlib import Path


def claude_folder() -> Path:
    """Claude Code's settings and sessions: `CLAUDE_CONFIG_DIR`, else `~/.claude`."""
    return _folder("CLAUDE_CONFIG_DIR", ".claude")


def codex_folder() -> Path:
    """Codex's settings and sessions: `CODEX_HOME`, else `~/.codex`."""
    return _folder("CODEX_HOME", ".codex")


def _folder(variable: str, name: str) -> Path:
    given = os.environ.get(variable)
    return Path(given).expanduser() if given else Path.home() / name
