"""What kind of thing a command is: whether its exit code is an answer, what it is run for, what it changes. Pure."""

import re
from typing import Final, NamedTuple

from commontrace.safety.shell import Command, every, readings


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_READS: Final = _set(
    "ack ag awk base64 basename bat cat cd cksum cmp column comm cut date df diff dirname du echo egrep env expr false "
    "fgrep file find fd fold gawk getent gh glab grep head hexdump history hostname id ip jq journalctl last less "
    "locate ls lsof man md5sum more nl nproc od pgrep pidof popd printenv printf ps pushd pwd read readlink realpath "
    "return rg rev seq set sed sha256sum shasum sleep sort stat strings tac tail tee test timeout tr tree true type "
    "uname uniq uptime wait wc which who whoami xxd yq zcat zgrep [ [[ : ! command export exit watch ss "
    "netstat dig nslookup ping nc"
)
"""Programs whose failing is an answer or nobody's riddle, and whose output quotes what others wrote."""

_ASKS: Final = {
    "git": _set(
        "blame branch cat-file check-ignore config describe diff for-each-ref grep log ls-files ls-remote merge-base "
        "reflog rev-list rev-parse shortlog show show-ref status symbolic-ref tag"
    ),
    "docker": _set("images inspect logs port ps stats top version"),
    "podman": _set("images inspect logs port ps stats top version"),
    "kubectl": _set("describe events explain get logs top version"),
    "systemctl": _set("cat is-active is-enabled is-failed list-units show status"),
    "npm": _set("audit fund list ls outdated search view why"),
    "pnpm": _set("audit list ls outdated why"),
    "yarn": _set("audit info list outdated why"),
    "pip": _set("check freeze index list show"),
    "uv": _set("tree version"),
    "cargo": _set("audit outdated search tree"),
    "go": _set("env list version"),
    "brew": _set("info list outdated search"),
    "apt": _set("list policy search show"),
}
"""Programs of which only these sub-commands ask."""

_CHANGES: Final = _set(
    "alembic apt apt-get asdf brew bundle cargo chmod chown composer conda corepack cp createdb direnv dnf docker "
    "docker-compose dotnet gem git go gradle kill killall ln make mise mkdir mv mvn npm npx nvm patch pip pip3 pipx "
    "pkill pnpm podman poetry psql pyenv rbenv rm rustup sed source sqlite3 sudo systemctl touch uv yarn yum ."
)
"""Programs that may mend something."""

_RUNNERS: Final = frozenset(("python", "python3", "uv", "poetry", "npx", "pnpm", "yarn", "bun", "bunx", "node", "pipx"))
_LONGEST: Final = 16_000
_WHETHER: Final = re.compile(r"\bcommand\s+-[vV]\b")  # what runs a command is taken for the command itself elsewhere


class Kind(NamedTuple):
    """What a command line is.

    Attributes:
        asks: all that it runs only asks or reads, so that no exit code and no line of it is a failure.
        masks: its exit code is not that of everything it runs.
        family: the program and what it is run for, as in `pip install`; empty where there is none.
        operands: what it is run on: words that are no options.
        words: the simple command itself, without what stands around it.
        changes: it may mend something.
    """

    asks: bool
    masks: bool
    family: str
    operands: tuple[str, ...]
    words: str
    changes: bool


def kind_of(command: str) -> Kind:
    """Look at a command line, at most 16,000 characters of it."""
    text = _WHETHER.sub("type", command[:_LONGEST])
    lines = next((lines for _, lines in readings(text)), [])
    commands = [one for one in every(lines) if one.words]
    working = [one for one in commands if not _asks(one)]
    if not working:
        return Kind(asks=True, masks=False, family="", operands=(), words="", changes=False)
    family, operands = _named(working[-1])
    return Kind(
        asks=False,
        masks=len(commands) > 1,
        family=family,
        operands=operands,
        words=" ".join(working[-1].words),
        changes=all(_named(one)[0].partition(" ")[0] in _CHANGES for one in working) or _edits(commands),
    )


def _edits(commands: list[Command]) -> bool:
    return any(one.name == "sed" and any(word.startswith("-i") for word in one.words) for one in commands)


def _asks(command: Command) -> bool:
    """Whether a simple command only asks; what is asked for its version or help does."""
    if command.name == "sed" and any(word.startswith("-i") for word in command.words):
        return False
    words = [word for word in command.words[1:] if not word.startswith("-")]
    if command.words[-1] in {"--version", "--help"}:
        return True
    if command.name in _ASKS:
        return bool(words) and words[0] in _ASKS[command.name]
    return command.name in _READS


def _named(command: Command) -> tuple[str, tuple[str, ...]]:
    """Program and purpose, and what it works on: `python -m pytest tests -q` is `pytest` on `tests`."""
    name, words = command.name, list(command.words[1:])
    while name in _RUNNERS and words:
        handed = words[0] in {"run", "exec", "dlx", "tool"}
        if len(words) > 1 and (words[0] == "-m" or (handed and not words[1].startswith("-"))):
            name, words = words[1], words[2:]
        elif name in {"npx", "bunx", "pipx"} and not words[0].startswith("-"):
            name, words = words[0], words[1:]
        else:
            break
    plain = tuple(word for word in words if not word.startswith("-"))
    if name in _CHANGES | {"cargo", "go", "npm", "tsc", "terraform", "kubectl"} and plain:
        return f"{name} {plain[0]}", tuple(sorted(plain[1:]))
    return name, tuple(sorted(plain))
