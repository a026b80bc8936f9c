"""What Claude Code gets beside the server: slash commands, skills and hooks, the same that the plugin brings."""

import re
import shlex
from pathlib import Path
from typing import Any, Final

import commontrace
from commontrace.errors import CommonTraceError, InvalidInputError
from commontrace.homes import claude_folder
from commontrace.setup_agents import jsonc
from commontrace.setup_agents.files import Change, parsed, read_file

_OURS: Final = re.compile(r"commontrace(\.exe|\.sh)?[\"']* hook [a-z-]+")
_CALLED: Final = re.compile(r"\S+commontrace\.sh(?= hook )")


def has_plugin() -> bool:
    """Whether the user's settings enable the plugin, which brings everything that setup would write."""
    try:
        enabled = parsed(claude_folder() / "settings.json", jsonc.load).get("enabledPlugins")
    except CommonTraceError:
        return False  # whoever writes into that file says what is wrong with it
    plugins = enabled if isinstance(enabled, dict) else {}
    return any(name.startswith("commontrace@") and on for name, on in plugins.items())


def files(folder: Path, *, uninstall: bool) -> list[Change]:
    """The slash commands and skills under a `.claude` folder; taken away unless somebody made them their own."""
    found = []
    for kind, pattern in (("commands", "*.md"), ("skills", "*/SKILL.md")):
        shipped = _shipped(kind)
        for source in sorted(shipped.glob(pattern)):
            target, ours = folder / kind / source.relative_to(shipped), read_file(source)
            before = read_file(target)
            after = (None if before == ours else before) if uninstall else ours
            found.append(Change(target, before, after))
    return found


def hooks(path: Path, program: str | None, url: str | None = None) -> Change:
    """The settings with our hooks and nobody else's touched; without ours where `program` is None.

    Args:
        path: the settings.
        program: the installed command.
        url: the backend whose server the hooks ask, where it is not the one of the settings.

    Raises:
        InvalidInputError: the settings are broken, or hold their hooks in a form that Claude Code does not know.
    """
    text = read_file(path)
    groups = _groups(path, program, url)
    after = text or ""
    try:
        for event in {**_present(path), **groups}:
            after = _replaced(after, event, groups.get(event, []))
    except (TypeError, AttributeError, KeyError) as error:
        raise InvalidInputError(
            f"hooks in {path} is not as Claude Code has it; it was left as it is.", "Correct it and run this again."
        ) from error
    return Change(path, text, after or None)


def _shipped(kind: str) -> Path:
    """Our files of a kind: beside the code in an installation, in the repository in a checkout."""
    here = Path(commontrace.__file__).parent
    inside = here / "for_claude_code" / kind
    return inside if inside.is_dir() else here.parents[1] / ".claude" / kind


def _groups(path: Path, program: str | None, url: str | None) -> dict[str, list[Any]]:
    """What the plugin's hooks file has for each event, with the installed command in place of the plugin's."""
    if program is None:
        return {}
    events: dict[str, list[Any]] = parsed(_shipped("hooks") / "hooks.json", jsonc.load)["hooks"]
    parsed(path, jsonc.load)  # a broken file is refused before anything is planned
    for groups in events.values():
        for group in groups:
            for hook in group["hooks"]:
                name = hook["command"].rpartition(" hook ")[2]
                words = [program, "hook", name, *(["--url", url] if url else [])]
                hook["command"] = shlex.join(words)
    return events


def _present(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = parsed(path, jsonc.load).get("hooks", {})
    return found


def _replaced(text: str, event: str, groups: list[Any]) -> str:
    """The hooks of one event with ours replaced; untouched where they are right already."""
    present = jsonc.load(text).get("hooks", {}).get(event, [])
    ours = [index for index, group in enumerate(present) if _is_ours(group)]
    if [present[index] for index in ours] == groups:
        return text
    for index in reversed(ours):
        text = jsonc.drop(text, ["hooks", event, index])
    for group in groups:
        present = jsonc.load(text).get("hooks", {}).get(event)
        if present is None:
            text = jsonc.put(text, ["hooks", event], [group])
        else:
            text = jsonc.put(text, ["hooks", event, len(present)], group)
    return text


def _is_ours(group: Any) -> bool:
    """Whether a group of hooks calls us and nobody else."""
    calls = [str(hook.get("command", "")) for hook in group["hooks"]]
    return bool(calls) and all(_OURS.search(call) for call in calls)
