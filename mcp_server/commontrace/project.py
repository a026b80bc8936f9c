"""The folder one works in: which repository its contexts go to, and whose HEAD it is. Standard library only."""

import hashlib
import re
from pathlib import Path

FILE = ".commontrace.toml"


def top_level(folder: Path) -> Path:
    """The nearest folder upwards that holds `.commontrace.toml` or `.git`, else the folder itself."""
    folder = folder.resolve()
    for place in (folder, *folder.parents):
        if (place / FILE).exists() or (place / ".git").exists():
            return place
    return folder


def default_repository(folder: Path) -> str:
    """`repository` in `.commontrace.toml`, else the name of the git checkout, else `default`."""
    top = top_level(folder)
    named = _configured(top / FILE)
    if named:
        return named
    if not (top / ".git").exists():
        return "default"
    return re.sub(r"[^a-z0-9._-]+", "-", top.name.lower()).strip("-._") or "default"


def _configured(path: Path) -> str | None:
    import tomllib  # hooks, which have no time, only ask where a folder belongs

    try:
        value = tomllib.loads(path.read_text(encoding="utf-8")).get("repository")
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        return None
    return value if isinstance(value, str) and value else None


def remember(folder: Path, repository: str) -> bool:
    """Name the repository of a folder in `.commontrace.toml`; returns False, and writes nothing, if one is there."""
    path = folder / FILE
    if path.exists():
        return False
    path.write_text(f'repository = "{repository}"\n', encoding="utf-8")
    return True


def working_copy(folder: Path) -> str:
    """A stable name for a folder that does not tell its path."""
    return "dir:" + hashlib.sha256(str(top_level(folder)).encode()).hexdigest()[:16]
