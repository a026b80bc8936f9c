"""The normal form of shell commands: one and the same for all ways in which an agent may write what it read. Pure."""

import hashlib
import itertools
import re
import shlex
from typing import TYPE_CHECKING, Final

from commontrace.safety.risks import commands_in
from commontrace.safety.shell import Command, every, readings

if TYPE_CHECKING:
    from commontrace.models.traces import TraceContent

_MOST: Final = 2_000
"""Commands of one version that are told apart."""
_SYSTEM: Final = re.compile(r"/(?:usr/(?:local/)?)?s?bin/(?=[^/]+\Z)|/opt/homebrew/bin/(?=[^/]+\Z)")
_ASSIGNMENT: Final = re.compile(r"\w+=")
_MOVES: Final = frozenset(("cd", "pushd", "popd"))
_SUBSTITUTED: Final = frozenset(("$(…)", "…"))
"""How the output of a command reads, which nobody knows before it runs."""
_LOOKS: Final = frozenset(("ls", "pwd"))
_EVERYDAY: Final = frozenset((
    "git status", "git diff", "git log", "git pull", "git fetch", "git push", "git stash", "npm install", "npm ci",
    "npm test", "npm start", "npm run build", "npm run test", "npm run dev", "pnpm install", "yarn install", "uv sync",
    "uv lock", "poetry install", "cargo build", "cargo test", "cargo check", "go build", "go build ./...", "go test",
    "go test ./...", "go mod tidy", "make test", "make build", "docker compose up", "docker compose up -d",
    "docker compose down", "docker ps", "kubectl get pods", "terraform init", "terraform plan", "pip freeze",
    "pip install -r requirements.txt", "pip install -e .", "pip install .",
))  # fmt: skip
"""What everybody types and what names nothing but the project that it is typed in."""


def forms(command: str) -> list[str]:
    """The simple commands of a command line, each in its normal form.

    Spaces, quotes, escapes and continued lines make no difference, nor do `cd x &&`, assignments and sudo, env, time,
    nohup and the like before a command, redirections after it, the system folder that a program lies in, and `sh -c`.
    What stands in substitutions, or is handed to a shell as a word, is a command too. The form of a form is that form.
    Of very long command lines the first 16,000 characters are read.
    """
    commands = itertools.chain.from_iterable(every(lines) for _, lines in readings(command))
    return list(dict.fromkeys(form for one in commands if (form := _form(one))))


def _form(command: Command) -> str:
    words = _bare(command.words)
    if not words or words[0] in _MOVES or words[0] in _SUBSTITUTED:
        return ""
    # What a substitution holds makes its command another one.
    inner = [form for one in every(command.inner) if (form := _form(one))]
    return shlex.join([*words, *(f"$({key(form)})" for form in inner)])


def _bare(words: list[str]) -> list[str]:
    """The words without what a wrapper sets, and the program without its system folder."""
    start = next((place for place, word in enumerate(words) if not _ASSIGNMENT.match(word)), len(words))
    name, *rest = words[start:] or [""]
    return [_SYSTEM.sub("", name, count=1), *rest] if name else []


def is_telling(form: str) -> bool:
    """Whether a command in its normal form says where it comes from.

    A program alone does not, nor one that is asked for its help or version, nor what everybody types every day.
    """
    words = shlex.split(form)
    alone = len(words) == 1 and "/" not in form
    asked = len(words) > 1 and words[-1] in ("--version", "--help")
    return not (alone or asked or words[0] in _LOOKS or form in _EVERYDAY)


def key(form: str) -> str:
    """What a form is looked up by: 128 bits of its SHA-256, in hexadecimal."""
    return hashlib.sha256(b"commontrace command 1\n" + form.encode(errors="surrogatepass")).hexdigest()[:32]


def keys_of(content: "TraceContent") -> list[str]:
    """The keys of every telling command that a trace shows to its reader, at most 2,000."""
    texts = [content.problem, content.solution, content.applies_when, content.verification]
    texts += [attempt.tried for attempt in content.failed_attempts]
    found = dict.fromkeys(
        form for text in texts for command in commands_in(text) for form in forms(command) if is_telling(form)
    )
    return [key(form) for form in list(found)[:_MOST]]
