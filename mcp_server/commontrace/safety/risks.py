"""What a solution would make a machine do: commands, packages, addresses."""

import itertools
import re
import shlex
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from commontrace.safety.packages import verdict

if TYPE_CHECKING:
    from commontrace.models.traces import Risks

_MOST: Final = 20
_FENCE: Final = re.compile(
    r"^[ \t]*```[ \t]*(?:bash|sh|shell|console|zsh|powershell|cmd)\b[^\n]*\n(.*?)^[ \t]*```", re.MULTILINE | re.DOTALL
)
_PROMPT: Final = re.compile(r"^[ \t]*\$[ \t]+(\S[^\n]*)", re.MULTILINE)
_PROGRAMS: Final = (
    r"(?:sudo |uv |uvx |pip3? |pipx |python3? |poetry |conda |npm |npx |pnpm |yarn |bun |cargo |go |gem |git |docker "
    r"|kubectl |apt(?:-get)? |apk |dnf |yum |brew |curl |wget |rm |chmod |chown |psql |sqlite3 |make |poe |pytest ?)"
)
_INLINE: Final = re.compile(rf"`({_PROGRAMS}[^`\n]{{1,300}})`")
_BLOCK: Final = re.compile(r"^[ \t]*(```|~~~)[^\n]*\n(.*?)^[ \t]*\1", re.MULTILINE | re.DOTALL)
_SHOWN: Final = re.compile(r"^[ \t]*[$#>%][ \t]+", re.MULTILINE)
_CODE: Final = re.compile(r"`([^`\n]{2,2000})`")
_LINE: Final = re.compile(rf"(?:^|:)[ \t]*(?:[-*>$#]|\d{{1,3}}[.)])?[ \t]*({_PROGRAMS}[^`\n]{{1,2000}})", re.MULTILINE)
_URL: Final = re.compile(r"https?://[^\s<>\"'`)\]}]{3,300}")
_INSTALLERS: Final = (
    ("pip", "install"), ("pip3", "install"), ("pipx", "install"), ("uv", "add"), ("tool", "install"), ("poetry", "add"),
    ("pdm", "add"), ("conda", "install"), ("npm", "install"), ("npm", "i"), ("npm", "add"), ("pnpm", "add"),
    ("pnpm", "install"), ("yarn", "add"), ("bun", "add"), ("cargo", "add"), ("cargo", "install"), ("go", "get"),
    ("go", "install"), ("apt", "install"), ("apt-get", "install"), ("apk", "add"), ("dnf", "install"),
    ("yum", "install"), ("brew", "install"), ("gem", "install"),
)  # fmt: skip
_RUNNERS: Final = frozenset({"npx", "uvx", "bunx"})  # these install what they run
_TAKES_VALUE: Final = frozenset(
    {"-r", "--requirement", "-c", "--index-url", "-i", "--group", "--extra-index-url", "--features"}
)


def risks_of(text: str) -> "Risks":
    """Up to 20 each of shell commands, packages that they install, and URLs."""
    from commontrace.models.traces import Risks

    commands = list(dict.fromkeys(_commands(text)))
    packages = list(dict.fromkeys(package for command in commands for package in packages_of(command)))[:_MOST]
    urls = dict.fromkeys(match.rstrip(".,;:") for match in _URL.findall(text))
    return Risks(
        commands=commands[:_MOST],
        packages=packages,
        urls=list(urls)[:_MOST],
        package_verdicts={package: verdict(package)[0] for package in packages},
    )


def _commands(text: str) -> Iterator[str]:
    for block in _FENCE.findall(text):
        for line in block.replace("\\\n", " ").splitlines():
            command = line.strip().removeprefix("$ ")
            if command and not command.startswith("#"):
                yield command[:300]
    yield from (line.strip()[:300] for line in _PROMPT.findall(text))
    yield from (line.strip() for line in _INLINE.findall(text))


def commands_in(text: str) -> Iterator[str]:
    """Whatever a reader might take for a command and run: blocks whole and line by line, code, lines of a program.

    Wider than the commands that `risks_of` lists, and nothing is cut: for looking up, not for showing.
    """
    for _, block in _BLOCK.findall(text):
        typed = _SHOWN.sub("", block)
        yield typed
        yield from typed.replace("\\\n", " ").splitlines()
    yield from _CODE.findall(text)
    yield from (line.rstrip(" .,;:") for line in _LINE.findall(text.replace("\\\n", " ")))
    yield from _PROMPT.findall(text)


def packages_of(command: str) -> Iterator[str]:
    """The packages that a shell command installs."""
    words = _words(command)
    for position, word in enumerate(words):
        if word in _RUNNERS:
            yield from itertools.islice(_arguments(words[position + 1 :]), 1)
        elif tuple(words[position : position + 2]) in _INSTALLERS:
            yield from _arguments(words[position + 2 :])


def _words(command: str) -> list[str]:
    """The words of a shell command; operators stand alone."""
    lexer = shlex.shlex(command, posix=True, punctuation_chars="();|&")
    lexer.whitespace_split = True
    try:
        return list(lexer)
    except ValueError:  # an unclosed quote
        return command.split()


def _arguments(words: list[str]) -> Iterator[str]:
    skip = False
    for word in words:
        if word and not word.strip("();|&"):
            return
        if skip or word.startswith("-"):
            skip = not skip and word in _TAKES_VALUE
        elif not word.startswith((".", "/", "~", "$", "<", ">")):
            yield word
