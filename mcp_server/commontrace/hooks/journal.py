"""The log of the hooks: where they say what they may not say elsewhere. Standard library only."""

import os
import time
from contextlib import suppress
from typing import Final

LONGEST: Final = 64 * 1024
"""Bytes, from which the log begins anew; the one before it stays beside it."""


def note(folder: str, what: str) -> None:
    """Write one line, or none where nothing can be written."""
    path = os.path.join(folder, "log")
    line = " ".join(what.split())[:500].encode("ascii", "backslashreplace")
    with suppress(OSError):
        os.makedirs(folder, mode=0o700, exist_ok=True)
        if os.path.exists(path) and os.path.getsize(path) > LONGEST:
            os.replace(path, f"{path}.1")
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(file, time.strftime("%Y-%m-%dT%H:%M:%SZ ", time.gmtime()).encode() + line + b"\n")
        finally:
            os.close(file)
