"""Shell commands taken apart as a shell would: quotes, escapes, variables, substitutions, pipes. Nothing is run."""

import functools
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

_DEPTH: Final = 4
_MOST: Final = 16_000
"""Characters of one command that are read."""
_HANDED_ON: Final = (2_000, 4)
"""Characters that are read of what a command hands on: so many, and so many times its own length."""
_HELD: Final = 200
"""Characters of a variable that are kept: doubling one again and again costs nothing."""
_PIPED: Final = re.compile(r"\s*\|(?!\|)")
_VARIABLE: Final = re.compile(r"\$(?:\{(\w+)(?:[:#%/-][^}]{0,80})?\}|(\w+))")
_PLAIN: Final = re.compile(r"[\w./:=@,+%~^*?!\[\]-]+")
_ASSIGNED: Final = re.compile(r"\w+=")
_BLANK: Final = " \t"
_OPERATORS: Final = ("&&", "||", ";;", "|&", ";", "|", "&", "\n", "(", ")")
_SHELLS: Final = frozenset(("sh", "bash", "zsh", "dash", "ksh", "fish", "ash"))
_HEX_ESCAPE: Final = re.compile(r"\\x([0-9a-fA-F]{1,2})|\\([0-7]{3})")


@functools.lru_cache(1024)
def _program(word: str) -> str:
    return word.replace("\\", "/").rpartition("/")[2].lower().removesuffix(".exe")


@dataclass(slots=True)
class Command:
    """A simple command: its words without quotes, what it writes to, what it runs inside, what it sets."""

    words: list[str] = field(default_factory=list)
    targets: list[str] = field(default_factory=list)  # of > and >>
    inner: list["Pipeline"] = field(default_factory=list)  # of $(…), `…` and <(…)
    settings: dict[str, str] = field(default_factory=dict)  # NAME=value before the command

    @property
    def name(self) -> str:
        """The program, without its folder and in lower case."""
        return _program(self.words[0]) if self.words else ""


Pipeline = list[Command]


def pipelines(text: str) -> list[Pipeline]:
    """The pipelines of a command line, each as its commands in order; those of substitutions hang on their command."""
    return _Reader(text[:_MOST].replace("\\\r\n", "").replace("\\\n", "")).read(_DEPTH)


def readings(text: str) -> Iterator[tuple[str, list[Pipeline]]]:
    """A command line and those that it hands on (`sh -c '…'`, `find -exec`), each with its pipelines, connected.

    What it hands on may be nearly all of it, again and again: so much is read that the time stays linear.
    """
    texts, seen, left = deque([text]), {text}, len(text) + _HANDED_ON[0] + _HANDED_ON[1] * len(text)
    while texts and left > 0:
        text = texts.popleft()
        left -= len(text)
        lines = [_connected(line) for line in pipelines(text)]
        yield text, lines
        handed = {one: None for command in every(lines) for one in nested(command) if one not in seen}
        texts.extend(handed)
        seen |= handed.keys()


def every(lines: list[Pipeline]) -> Iterator[Command]:
    """Each command of connected pipelines, and those of its substitutions behind it."""
    for line in lines:
        for command in line:
            yield command
            yield from every(command.inner)


def _connected(line: Pipeline) -> Pipeline:
    """The commands without sudo and the like before them; what echo gives to xargs are words of what xargs runs."""
    plain = [unwrapped(command) for command in line]
    for place, command in enumerate(line):
        plain[place].inner = [_connected(within) for within in command.inner]
        given = plain[place - 1]
        if place and "xargs" in command.words and given.name in ("echo", "printf"):
            plain[place].words += given.words[1:]
    return plain


class _Reader:
    def __init__(self, text: str, variables: dict[str, str] | None = None) -> None:
        self._text = text
        self._at = 0
        self._variables = variables if variables is not None else {"IFS": " "}
        self._word: str | None = None
        self._command = Command()
        self._pipeline: Pipeline = []
        self._found: list[Pipeline] = []
        self._redirected = False
        self._depth = 0

    def read(self, depth: int) -> list[Pipeline]:
        self._depth = depth
        while self._at < len(self._text):
            self._step(self._text[self._at])
        self._end_pipeline()
        return self._found

    def _step(self, char: str) -> None:
        if plain := _PLAIN.match(self._text, self._at):
            self._add(plain[0])
            self._at = plain.end()
            return
        operator = next((one for one in _OPERATORS if self._text.startswith(one, self._at)), None)
        if char in "'\"":
            self._quoted(char)
        elif char == "\\":
            self._add(self._text[self._at + 1 : self._at + 2])
            self._at += 2
        elif char in "$`<>":
            self._special(char)
        elif char in _BLANK:
            self._end_word()
            self._at += 1
        elif operator is not None:
            self._operator(operator)
        elif char == "#" and self._word is None:
            self._at = self._find("\n")
        else:
            self._add(char)
            self._at += 1

    def _find(self, what: str) -> int:
        place = self._text.find(what, self._at)
        return place if place >= 0 else len(self._text)

    def _add(self, text: str) -> None:
        self._word = (self._word or "") + text

    def _quoted(self, quote: str) -> None:
        self._at += 1
        self._add("")
        while self._at < len(self._text) and self._text[self._at] != quote:
            char = self._text[self._at]
            if quote == '"' and char == "\\":
                self._at += 1
                self._add(self._text[self._at : self._at + 1])
                self._at += 1
            elif quote == '"' and char in "$`":
                self._expanded(char)
            else:
                self._add(char)
                self._at += 1
        self._at += 1

    def _special(self, char: str) -> None:
        if self._text.startswith(("<(", ">("), self._at):
            self._at += 1
            self._substitution("(", ")")
        elif char in "<>":
            self._redirection(char)
        elif self._text.startswith("$'", self._at):
            self._ansi()
        else:
            before = self._word
            self._expanded(char)
            self._split(before)

    def _split(self, before: str | None) -> None:
        """Unquoted, what a variable holds becomes words."""
        if self._word is None or not any(blank in self._word for blank in _BLANK) or self._word == before:
            return
        *whole, last = re.split(r"[ \t]+", self._word)
        for word in whole:
            self._word = word or None
            self._end_word()
        self._word = last or None

    def _ansi(self) -> None:
        self._at += 2
        stop = self._find("'")
        self._add(_HEX_ESCAPE.sub(_character, self._text[self._at : stop]))
        self._at = stop + 1

    def _expanded(self, char: str) -> None:
        if char == "`":
            self._substitution("`", "`")
        elif self._text.startswith("$(", self._at):
            self._at += 1
            self._substitution("(", ")")
        elif match := _VARIABLE.match(self._text, self._at):
            self._add(self._variables.get(match[1] or match[2], match[0]))
            self._at = match.end()
        else:
            self._add(char)
            self._at += 1

    def _substitution(self, opening: str, closing: str) -> None:
        start, level, self._at = self._at + 1, 1, self._at + 1
        while self._at < len(self._text) and level:
            char = self._text[self._at]
            level += (char == opening != closing) - (char == closing)
            self._at += 1
        if self._depth:
            reader = _Reader(self._text[start : self._at - (not level)], self._variables)
            self._command.inner += reader.read(self._depth - 1)
        self._add("$(…)")

    def _redirection(self, char: str) -> None:
        if self._word is not None and not self._word.isdigit():
            self._end_word()
        self._word = None
        while self._at < len(self._text) and self._text[self._at] in "<>&|":
            self._at += 1
        self._redirected = char == ">"

    def _operator(self, operator: str) -> None:
        self._at += len(operator)
        self._end_word()
        if operator in ("|", "|&") or (operator == ")" and _PIPED.match(self._text, self._at)):
            self._end_command()
        else:
            self._end_pipeline()

    def _end_word(self) -> None:
        word, self._word = self._word, None
        if word is None:
            return
        if self._redirected:
            self._command.targets.append(word)
            self._redirected = False
        elif not self._command.words and (match := _ASSIGNED.match(word)):
            self._command.settings[match[0][:-1]] = self._variables[match[0][:-1]] = word[match.end() :][:_HELD]
        else:
            self._command.words += _braces(word)

    def _end_command(self) -> None:
        self._end_word()
        if self._command != Command():
            self._pipeline.append(self._command)
        self._command = Command()

    def _end_pipeline(self) -> None:
        self._end_command()
        if self._pipeline:
            self._found.append(self._pipeline)
        self._pipeline = []


def _character(escape: re.Match[str]) -> str:
    return chr(int(escape[1], 16) if escape[1] else int(escape[2], 8) & 0x7F)


def _braces(word: str) -> list[str]:
    """`{rm,-rf,/}` are three words; a brace alone only groups."""
    if word in ("{", "}"):
        return []
    return word[1:-1].split(",") if word.startswith("{") and word.endswith("}") and "," in word else [word]


_BARE: Final = "nohup command busybox setsid builtin then do else if while ! chroot unshare run"
_PREFIXES: Final = {
    "sudo": "-u -g -h -p -C -T -U -D -R", "doas": "-u -C", "env": "-u -C", "xargs": "-I -n -P -d -L -s -a -E",
    "exec": "-a", "time": "-f -o", "nice": "-n", "ionice": "-c -n", "timeout": "-s -k", "stdbuf": "-i -o -e",
    "watch": "-n", "strace": "-o -e", "parallel": "-j",
    **dict.fromkeys(_BARE.split(), ""),
}  # fmt: skip
"""Programs that run what follows them, with those of their options that take a value."""
_TAKES_ONE: Final = frozenset(("timeout", "chroot"))


def unwrapped(command: Command) -> Command:
    """A command without sudo, env, xargs and the like before it."""
    words, settings = list(command.words), dict(command.settings)
    if words == ["env"]:  # by itself it prints the environment
        return command
    while words and words[0].rsplit("/", 1)[-1] in _PREFIXES:
        prefix = words.pop(0).rsplit("/", 1)[-1]
        valued = _PREFIXES[prefix].split()
        while words and (words[0].startswith("-") or _ASSIGNED.match(words[0])):
            word = words.pop(0)
            if not word.startswith("-"):
                name, _, value = word.partition("=")
                settings[name] = value
            elif word in valued and words:
                words.pop(0)
        if prefix in _TAKES_ONE and words:
            words.pop(0)
    return Command(words, command.targets, command.inner, settings)


def nested(command: Command) -> Iterator[str]:
    """Command lines that a command is given as one word: sh -c '…', eval '…', ssh host '…', find -exec … ;."""
    name, words = command.name, command.words
    for place, word in enumerate(words[1:], 1):
        before = words[place - 1].lower()
        if (name in _SHELLS and re.fullmatch(r"-\w*c", before)) or before in (
            "-command",
            "-exec",
            "-execdir",
            "--command",
        ):
            yield " ".join(words[place:]) if before.startswith("-exec") else word
        elif name in _SHELLS and before in _SHELLS and " " in word:  # of a here-string
            yield word
    if name in ("eval", "ssh", "su", "docker", "podman", "kubectl", "wsl", "cmd") and len(words) > 1:
        yield from _handed_on(name, words)


def _handed_on(name: str, words: list[str]) -> Iterator[str]:
    if name == "eval":
        yield " ".join(words[1:])
    elif name == "cmd":
        yield " ".join(word for word in words[1:] if word.lower() not in ("/c", "/k"))
    else:
        yield from (word for word in words[1:] if " " in word)
        for place, word in enumerate(words):
            if word in _SHELLS:
                yield " ".join([word, *(f"'{one}'" for one in words[place + 1 :])])
