"""What a command's failing says, out of an event of the agent's or a transcript; silence for ordinary exits. Pure."""

import json
import re
from dataclasses import dataclass
from typing import Any, Final

from commontrace.fingerprint import fingerprint, normalise
from commontrace.hooks.commands import Kind, kind_of

_ENDS: Final = 24_000
"""Characters of an output that are read at each end: what failed is said first or last."""
_CODE: Final = re.compile(r"\A\s*(?:Error: )?Exit code (\d+)\n?")
_INTERRUPTED: Final = frozenset((124, 130, 137, 143))
"""Exit codes of what somebody or a timeout ended."""
_TESTS: Final = re.compile(
    r"\A(?:AssertionError|assert\b|expect\(|Expected\b|FAIL(?:ED)?\b|--- FAIL|<n> (?:failed|passed)|test \w+ failed|"
    r"Found <n> errors?|error: test failed)",
    re.IGNORECASE,
)
"""Shapes of what a test or a checker finds: that is what it was run for."""
_ERROR: Final = re.compile(
    r"^(?:Traceback \(most recent call last\)|[ \t]*(?:[\w.]+(?:Error|Exception)\b|error|fatal|panic|npm ERR!|"
    r"npm error)[ :\[(])|\berror(?:\[\w+\]| [A-Z]+\d+)?:|command not found|No such file or directory|panicked at",
    re.IGNORECASE | re.MULTILINE,
)
"""What an output must hold where no exit code says that something failed."""
_SPOKEN: Final = 300
_LONGEST_TEXT: Final = 4_000
_LOOKED_AT: Final = 200  # lines, from the last one upwards


@dataclass(frozen=True, slots=True)
class Ran:
    """A shell command that has run.

    Attributes:
        command: as it was typed.
        output: what it said, without the middle of a long one.
        failed: whether its exit code said so.
        ended: whether somebody, or a timeout, ended it.
        harmless: the client knows its exit code to be an answer.
    """

    command: str
    output: str
    failed: bool
    ended: bool = False
    harmless: bool = False


@dataclass(frozen=True, slots=True)
class Failure:
    """What failed: the key of its error, the line that says it, and a short text that has the same key."""

    fingerprint: str
    line: str
    text: str


def bounded(text: str) -> str:
    """A text without its middle, if it is long."""
    return text if len(text) <= 2 * _ENDS else f"{text[:_ENDS]}\n{text[-_ENDS:]}"


def ran_of(event: Any) -> Ran | None:
    """The shell command of an event that came after a tool; None for any other tool, and for what cannot be read."""
    if not isinstance(event, dict) or event.get("tool_name") != "Bash" or not isinstance(event.get("tool_input"), dict):
        return None
    command = event["tool_input"].get("command")
    if not isinstance(command, str) or not command.strip():
        return None
    if "error" in event:
        return of_result(command, str(event["error"]), failed=True, ended=event.get("is_interrupt") is True)
    response = event.get("tool_response")
    if not isinstance(response, dict):
        return of_result(command, response if isinstance(response, str) else "", failed=False)
    output = "\n".join(str(response[name]) for name in ("stdout", "stderr") if response.get(name))
    known = bool(response.get("returnCodeInterpretation"))
    ended = response.get("interrupted") is True
    return Ran(command, bounded(output), failed=False, ended=ended, harmless=known)


def of_result(command: str, output: str, *, failed: bool, ended: bool = False) -> Ran:
    """A command by what its tool said, where the exit code is the first line of it."""
    text = _codex(output)
    code = _CODE.match(text)
    number = int(code[1]) if code else 0
    rest = text[code.end() :] if code else text
    return Ran(command, bounded(rest), failed=failed or number > 0, ended=ended or number in _INTERRUPTED)


def _codex(output: str) -> str:
    """What Codex's tool says, with its exit code where Claude Code has it."""
    found = re.match(r"(?:Chunk ID: .*\n)?(?:Wall time: .*\n)?(?:Process exited with code|Exit code:) ?(\d+)\n", output)
    if found:
        body = re.sub(r"\A(?:.*\n){0,5}?Output:\n", "", output[found.end() :], count=1)
        return f"Exit code {found[1]}\n{body}" if found[1] != "0" else body
    if output.startswith('{"output":'):
        try:
            said = json.loads(output)
            code = int(said["metadata"]["exit_code"])
        except (ValueError, KeyError, TypeError, RecursionError):
            return output
        return f"Exit code {code}\n{said['output']}" if code else str(said["output"])
    return output


def failure_of(ran: Ran, kind: Kind | None = None) -> Failure | None:
    """What failed; None where nothing did, or where a non-zero exit is an answer.

    Answers are those of grep, diff, test and the like, what was ended, an output that names no error, and what tests
    find. Where no exit code says that something failed, something must have hidden it: a pipe, `||`, `;`.
    """
    kind = kind or kind_of(ran.command)
    if ran.ended or ran.harmless or kind.asks or not ran.output.strip():
        return None
    if not ran.failed and not (kind.masks and _ERROR.search(ran.output)):
        return None
    shape = normalise(ran.output)
    key = fingerprint(ran.output)
    if key is None or _TESTS.match(shape):
        return None
    line = _line(ran.output, shape)
    text = next((one for one in (line, shape) if fingerprint(one) == key), ran.output[-_LONGEST_TEXT:])
    return Failure(key, line, text)


def _line(output: str, shape: str) -> str:
    """The line of the output that the shape was made of, else the shape's first."""
    first = shape.partition("\n")[0]
    lines = [line.strip() for line in output.splitlines() if line.strip()][-_LOOKED_AT:]
    found = next((line for line in reversed(lines) if normalise(line).partition("\n")[0] == first), first)
    return found[:_SPOKEN]


def redacted(ran: Ran) -> Ran:
    """A command and its output without secrets: what is remembered, asked and said is made of these."""
    from commontrace.safety.redaction import redact

    output = redact(ran.output).text if ran.failed or _ERROR.search(ran.output) else ""
    return Ran(redact(ran.command).text, output, ran.failed, ended=ran.ended, harmless=ran.harmless)
