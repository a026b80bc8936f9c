"""Tool calls with their results, and what agents commonly do with them: read a file, write it, run a command."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from commontrace.providers.messages import Part, as_text
from commontrace_backend.contexts.compression.items import Item

_PATHS: Final = ("file_path", "path", "filename", "filepath", "file", "absolute_path", "target_file", "notebook_path")
_RANGES: Final = ("offset", "limit", "view_range", "start_line", "end_line", "pages", "line_start", "line_end")
_READS: Final = frozenset(
    ("read", "readfile", "cat", "open", "openfile", "view", "viewfile", "getfile", "getfilecontents", "fsread")
)
_WHOLE_WRITES: Final = frozenset(("write", "writefile", "create", "createfile", "fswrite", "savefile"))
_EDITS: Final = frozenset(
    (
        "edit",
        "editfile",
        "multiedit",
        "strreplace",
        "strreplaceeditor",
        "strreplacebasededittool",
        "strreplaceedittool",
        "insert",
        "replace",
        "replaceinfile",
        "notebookedit",
        "searchreplace",
    )
)
_SHELLS: Final = frozenset(("bash", "shell", "sh", "run", "runcommand", "exec", "execute", "terminal"))
_CAT: Final = re.compile(r"\s*cat\s+([^\s|&;<>*?$'\"-][^\s|&;<>*?$'\"]*)\s*$")
_ERROR_LINE: Final = re.compile(
    r"(?:^|[\s(\[])(?:[A-Z]\w*(?:Error|Exception|Warning)\b|FAILED\b|ERR!"
    r"|(?i:error|fatal|failed|failure|panic|traceback|exception)\b)"
    r"|(?i:\bexit(?: code| status|ed with)[: ]+[1-9]|permission denied|not found|no such file)"
)
_FAILED_START: Final = re.compile(
    r"(?:<\w+>)?\s*(?:Error\b|ERROR\b|error:|fatal:|Command failed|Traceback \(most recent"
    r"|[A-Z]\w*(?:Error|Exception):|(?i:exit (?:code|status)[: ]+[1-9]))"
)
_FAILED_END: Final = re.compile(
    r"(?:[\w.]+\.)?[A-Z]\w*(?:Error|Exception)\b|(?i:.{0,40}\bexit(?: code| status|ed with(?: code)?)[: ]+[1-9]\d*\W*$)"
)


Act = Literal["read", "write", "edit", "other"]


@dataclass(frozen=True, slots=True)
class Turn:
    """A tool call and the first result behind it, if there is one.

    Attributes:
        caller: the message with the call.
        call: the call.
        name: the tool's name in small letters and digits alone, so that read_file is ReadFile.
        path: the file that it is about, or an empty text.
        act: what it does to that file; a write says everything that is in it afterwards, an edit only a part.
        extent: which part of the file is read; empty for the whole.
        answer: the message with the result.
        place: of the result among the parts of that message.
        failed: whether the result is an error.
    """

    caller: Item
    call: Part
    name: str
    path: str
    act: Act
    extent: str
    answer: Item | None = None
    place: int = 0
    failed: bool = False

    @property
    def done(self) -> bool:
        """Whether it was answered, and not by an error."""
        return self.answer is not None and not self.failed


def turns_of(items: Sequence[Item]) -> list[Turn]:
    """Every call in order; a model uses ids again, and then the latest call with that id is answered."""
    found: list[Turn] = []
    latest: dict[str, int] = {}
    for item in items:
        for place, part in enumerate(item.message["parts"]):
            if part["type"] == "tool_call":
                latest[part["id"]] = len(found)
                found.append(_called(item, part))
            elif part["type"] == "tool_result" and part["call_id"] in latest:
                number = latest.pop(part["call_id"])
                found[number] = replace(found[number], answer=item, place=place, failed=is_failure(part))
    return found


def _called(item: Item, call: Part) -> Turn:
    arguments = arguments_of(call)
    name = _bare(call["name"])
    command = arguments.get("command") or arguments.get("cmd")
    if name in _SHELLS:
        shown = _CAT.match(command) if isinstance(command, str) else None
        return Turn(item, call, name, _tidy(shown[1]) if shown else "", "read" if shown else "other", "")
    path = next((arguments[field] for field in _PATHS if isinstance(arguments.get(field), str)), "")
    # An editor with several commands does what its command says.
    act = _act(_bare(command) if name in _EDITS and isinstance(command, str) else name) if path else "other"
    ranges = {field: arguments[field] for field in _RANGES if arguments.get(field) is not None}
    return Turn(item, call, name, _tidy(path), act, as_text(ranges) if ranges else "")


def _act(verb: str) -> Act:
    if verb in _READS:
        return "read"
    if verb in _WHOLE_WRITES:
        return "write"
    return "edit" if verb in _EDITS else "other"


def _bare(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _tidy(path: str) -> str:
    return path.strip().removeprefix("./")


def arguments_of(call: Part) -> Mapping[str, Any]:
    """The arguments of a call as an object; empty if they are none."""
    value = call.get("arguments")
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return {}
    return value if isinstance(value, dict) else {}


def result_text(result: Part) -> str:
    """The words of a result: its text, the texts of its blocks, or its JSON."""
    content = result.get("content")
    if isinstance(content, list):
        texts = [block.get("text") for block in content if isinstance(block, dict) and block.get("type") == "text"]
        return "\n".join(text for text in texts if isinstance(text, str))
    return "" if content is None else as_text(content)


def is_failure(result: Part) -> bool:
    """Whether a result is an error: it says so, or it begins or ends as errors do."""
    if isinstance(result.get("is_error"), bool):
        return bool(result["is_error"])
    text = result_text(result).strip()
    last = text.rpartition("\n")[2][:500]
    return bool(_FAILED_START.match(text) or _FAILED_END.match(last))


def is_error_line(line: str) -> bool:
    """Whether a line of output tells of an error."""
    return _ERROR_LINE.search(line[:1_000]) is not None
