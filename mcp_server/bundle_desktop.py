"""Packs the bundle for Claude Desktop into a folder (dist unless one is named): same files, same bytes."""

import hashlib
import json
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NAMED = (".python-version", "LICENSE", "README.md", "uv.lock")
FOLDERS = (
    "mcp_server/commontrace",
    "backend/commontrace_backend",
    ".claude/commands",
    ".claude/skills",
    ".claude/hooks",
)
WITH_DEV = 'default-groups = ["dev"]'


def contents() -> Iterator[tuple[str, bytes]]:
    """Each file of the bundle: its name there, and what it holds."""
    here = ROOT / "deploy" / "claude-desktop"
    yield "manifest.json", (here / "manifest.json").read_bytes()
    yield "icon.png", (ROOT / ".claude-plugin" / "icon.png").read_bytes()
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    if WITH_DEV not in project:
        raise SystemExit(f"pyproject.toml no longer says {WITH_DEV}: the bundle would install what only tests need.")
    yield "pyproject.toml", project.replace(WITH_DEV, "default-groups = []").encode()
    for name in NAMED:
        yield name, (ROOT / name).read_bytes()
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.is_file() and path.suffix != ".pyc":
                yield path.relative_to(ROOT).as_posix(), path.read_bytes()


def pack(folder: Path) -> Path:
    """Write the bundle into a folder; returns its path."""
    version = json.loads((ROOT / "deploy" / "claude-desktop" / "manifest.json").read_text(encoding="utf-8"))["version"]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"commontrace-{version}.mcpb"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, data in contents():
            # A fixed date: who packs the same files gets the same hash, which the registry's entry names.
            entry = zipfile.ZipInfo(name, date_time=(2026, 1, 1, 0, 0, 0))
            entry.external_attr = 0o644 << 16
            bundle.writestr(entry, data, zipfile.ZIP_DEFLATED)
    return path


if __name__ == "__main__":
    made = pack(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "dist")
    print(f"{made}  {made.stat().st_size:,} bytes  sha256 {hashlib.sha256(made.read_bytes()).hexdigest()}")
