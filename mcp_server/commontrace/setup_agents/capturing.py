"""The setting that keeps transcripts: written where it was asked for, and taken back with the rest."""

import re
from pathlib import Path
from typing import Final

from commontrace.setup_agents import toml
from commontrace.setup_agents.files import Change, checked, parsed, read_file

_OURS: Final = "capture = true  # by commontrace setup"
_ANY: Final = re.compile(r"^capture[ \t]*=[^\r\n]*(?:\r?\n)?", re.MULTILINE)


def with_capture(path: Path) -> Change:
    """The user's settings with `capture` on; every other line stays."""
    text, config = read_file(path), parsed(path, toml.load)
    if config.get("capture") is True:
        return Change(path, text, text)
    newline = "\r\n" if text and "\r\n" in text else "\n"
    return checked(Change(path, text, _OURS + newline + _ANY.sub("", text or "")), {**config, "capture": True})


def without_capture(path: Path) -> Change:
    """The user's settings without what setup wrote; a line in anybody's own words stays."""
    text = read_file(path)
    lines = [line for line in (text or "").splitlines(keepends=True) if line.rstrip("\r\n") != _OURS]
    return Change(path, text, "".join(lines) or None)
