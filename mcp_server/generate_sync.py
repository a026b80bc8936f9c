"""Writes commontrace/_sync from commontrace/_async; with --check only compares, and exits 1 on a difference."""

import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent / "commontrace"
RULES = [
    (r"\basync def\b", "def"),
    (r"\basync with\b", "with"),
    (r"\basync for\b", "for"),
    (r"\bawait ", ""),
    (r"\b_async\b", "_sync"),
    (r"\bconnect_async\b", "connect"),
    (r"\basync_transport\b", "sync_transport"),
    (r"\basync_redacted\b", "sync_redacted"),
    (r"\basync_gathered\b", "sync_gathered"),
    (r"\basync_pause\b", "sync_pause"),
    (r"\bAsyncClient\b", "Client"),
    (r"\bAsyncIterator\b", "Iterator"),
    (r"\bAwaitable\[(\w+)\]", r"\1"),
    (r"Awaitable, ", ""),
    (r"\bAsync(?=[A-Z])", ""),
    (r"\b__aenter__\b", "__enter__"),
    (r"\b__aexit__\b", "__exit__"),
    (r"\baclose\b", "close"),
    (r"\basynccontextmanager\b", "contextmanager"),
    (
        r"The asynchronous client; the blocking one is generated from it by generate_sync.py.",
        "The blocking client, generated from the asynchronous one by generate_sync.py.",
    ),
]


def generated() -> dict[str, str]:
    """File name to the text it must have."""
    texts = {}
    for source in sorted((HERE / "_async").rglob("*.py")):
        name = source.relative_to(HERE / "_async").as_posix()
        text = source.read_text(encoding="utf-8")
        for pattern, replacement in RULES:
            text = re.sub(pattern, replacement, text)
        texts[name] = _formatted(text, name)
    return texts


def _formatted(text: str, name: str) -> str:
    for command in (["check", "--select", "I", "--fix-only", "--quiet"], ["format", "--quiet"]):
        text = subprocess.run(  # noqa: S603 - our own linter on our own text
            [sys.executable, "-m", "ruff", *command, "--stdin-filename", str(HERE / "_sync" / name), "-"],
            input=text,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    return text


def main() -> int:
    """Write, or with --check compare."""
    wanted = generated()
    target = HERE / "_sync"
    found = {path.relative_to(target).as_posix(): path.read_text(encoding="utf-8") for path in target.rglob("*.py")}
    if "--check" in sys.argv:
        stale = sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))
        if stale:
            print(f"_sync is stale: {', '.join(stale)}. Run `uv run poe sync`.")
        return 1 if stale else 0
    for name in found.keys() - wanted.keys():
        (target / name).unlink()
    for name, text in wanted.items():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (target / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
