"""What Claude Code's hooks call. Whatever fails, a hook says nothing: it stands in nobody's way."""

import json
from pathlib import Path
from typing import Any, Final

_PATIENCE: Final = 5.0
"""Seconds for a server's answer, at most: an agent waits meanwhile."""
_SAID: Final = 3
"""Reasons that fit into a question."""


def pre_tool_use(event: str | bytes, url: str | None = None) -> str:
    """What to answer before a tool runs: JSON that has Claude Code ask its user first, or nothing.

    Asked for are shell commands that carry a risk, or that came from a trace of somebody else's that is not proven.

    Args:
        event: the JSON of a PreToolUse event, as it comes on standard input.
        url: the backend, in place of the one that the settings name.
    """
    try:
        reasons = _reasons(_command(json.loads(event)), url)
    except Exception:  # noqa: BLE001 - see above
        return ""
    if not reasons:
        return ""
    said = {
        "hookEventName": "PreToolUse",
        "permissionDecision": "ask",
        "permissionDecisionReason": " ".join(["CommonTrace:", *reasons[:_SAID]]),
    }
    return json.dumps({"hookSpecificOutput": said})


def _command(event: Any) -> str:
    """The shell command of an event; empty for every other tool."""
    return str(event["tool_input"]["command"]) if event["tool_name"] == "Bash" else ""


def _reasons(command: str, url: str | None) -> list[str]:
    if not command:
        return []
    from commontrace.safety.use_check import lookup_keys, risks_before_use, worth_asking

    # A risk is told without the store, and most commands tell nothing that it could be asked for: they cost little.
    reasons = worth_asking(risks_before_use(command))
    if not (reasons or lookup_keys(command)):
        return []
    from commontrace.settings import Settings

    settings = Settings.given(url=url)
    if not settings.hooks:
        return []
    if reasons or _is_missing(settings.url):
        return reasons
    from commontrace import connect

    with connect(settings.url, timeout=min(settings.timeout, _PATIENCE)) as client:
        return client.traces.check(command).reasons


def _is_missing(url: str) -> bool:
    """Whether a local store was never begun: a hook begins none."""
    kind, _, path = url.partition(":///")
    return kind == "sqlite" and not Path(path.partition("?")[0]).exists()
