"""Where agents keep what is theirs: in the user's home, unless they are told otherwise."""

import os
from pathlib import Path


def claude_folder() -> Path:
    """Claude Code's settings and sessions: `CLAUDE_CONFIG_DIR`, else `~/.claude`."""
    return _told_claude() or Path.home() / ".claude"


def claude_servers() -> Path:
    """Claude Code's own file, with the user's servers: in the same folder if it was told one, else in the home."""
    return (_told_claude() or Path.home()) / ".claude.json"


def codex_folder() -> Path:
    """Codex's settings and sessions: `CODEX_HOME`, else `~/.codex`."""
    given = os.environ.get("CODEX_HOME")
    return Path(given).expanduser() if given else Path.home() / ".codex"


def _told_claude() -> Path | None:
    given = os.environ.get("CLAUDE_CONFIG_DIR")
    return Path(given).expanduser() if given else None
