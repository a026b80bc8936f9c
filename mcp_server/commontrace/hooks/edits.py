"""What a change of a file was, in a few redacted lines. Pure."""

import difflib
import os
from typing import Any, Final

_LONGEST: Final = 500
_MOST_LINES: Final = 12


def edit_of(given: Any, folder: str) -> tuple[str, str] | None:
    """The path within a folder and the changed lines, of what an editing tool was given; None for anything else.

    Only the lines that changed are kept; a new file, and a change of many lines, tells its path alone.
    """
    if not isinstance(given, dict) or not isinstance(given.get("file_path"), str):
        return None
    from commontrace.safety.redaction import redact

    edits = given["edits"] if isinstance(given.get("edits"), list) else [given]
    lines = [line for edit in edits if isinstance(edit, dict) for line in _changed(edit)]
    told = "\n".join(lines) if len(lines) <= _MOST_LINES else ""
    return redact(_within(given["file_path"], folder)).text, redact(told[: 2 * _LONGEST]).text[:_LONGEST]


def patch_of(text: str) -> list[tuple[str, str]]:
    """The same of a patch in the form of Codex: `*** Update File: path` and the lines below it."""
    from commontrace.safety.redaction import redact

    found: list[tuple[str, list[str]]] = []
    for line in text.split("\n"):
        if line.startswith(("*** Update File: ", "*** Add File: ", "*** Delete File: ")):
            found.append((line.partition(": ")[2].strip(), []))
        elif found and line[:1] in {"+", "-"}:
            found[-1][1].append(line)
    return [
        (redact(path).text, redact("\n".join(lines if len(lines) <= _MOST_LINES else [])).text[:_LONGEST])
        for path, lines in found
    ]


def _within(path: str, folder: str) -> str:
    """A path as it is called in its project; elsewhere its name alone."""
    try:
        inner = os.path.relpath(path, folder)
    except ValueError:  # another drive
        return os.path.basename(path)
    return os.path.basename(path) if inner.startswith("..") else inner


def _changed(edit: dict[str, Any]) -> list[str]:
    old, new = edit.get("old_string"), edit.get("new_string")
    if not isinstance(old, str) or not isinstance(new, str) or len(old) + len(new) > 20 * _LONGEST:
        return []
    compared = difflib.unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=0)
    return [line for line in compared if line[:1] in "+-" and line[:3] not in {"+++", "---"}]
