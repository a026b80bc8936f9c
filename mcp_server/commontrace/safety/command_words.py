"""What programs are for: which fetch, which run what they are given, which send, which files are secrets."""

import itertools
import re
from typing import Final

from commontrace.safety.shell import Command

FETCHERS: Final = frozenset((
    "curl", "wget", "fetch", "aria2c", "http", "https", "xh", "lynx", "irm", "iwr", "invoke-webrequest",
    "invoke-restmethod", "nc", "ncat",
))  # fmt: skip
INTERPRETERS: Final = frozenset(
    [
        "sh",
        "bash",
        "zsh",
        "dash",
        "ksh",
        "fish",
        "ash",
        "python",
        "python2",
        "python3",
        "perl",
        "ruby",
        "node",
        "nodejs",
        "php",
        "pwsh",
        "powershell",
        "iex",
        "invoke-expression",
        "tclsh",
        "lua",
        "deno",
        "bun",
    ]
)
_INLINE: Final = re.compile(r"-\w*[cemnr]\w*|--eval|--print")
SECRET_FILE: Final = re.compile(
    r"(?:^|[/@~=])\.(?:env|ssh|aws|netrc|npmrc|pypirc|pgpass|git-credentials|kube|gnupg|docker|bash_history"
    r"|zsh_history)\b"
    r"|id_(?:rsa|ed25519|ecdsa|dsa)\b|/etc/(?:passwd|shadow)|credentials\b|\.(?:pem|p12|pfx|kdbx|key)$"
    r"|/proc/\S{1,20}/environ"
    r"|Login Data|wallet\.dat|\.env(?:\.\w+)?$|^\$(?:HOME|\{HOME\})/?$"
)
_READERS: Final = frozenset((
    "cat", "head", "tail", "tar", "zip", "gzip", "base64", "xxd", "cp", "less", "strings", "find", "grep", "od",
    "openssl", "dd",
))  # fmt: skip
_ENVIRONMENT: Final = frozenset(("env", "printenv", "set", "export", "history", "whoami", "hostname", "id"))
_SENDERS: Final = frozenset((
    "curl", "wget", "nc", "ncat", "http", "https", "xh", "scp", "rsync", "ftp", "sftp", "socat", "telnet",
    "invoke-webrequest", "invoke-restmethod", "irm", "iwr", "sendmail", "mail", "ssh",
))  # fmt: skip
_LOOKUPS: Final = frozenset(("nslookup", "dig", "host", "ping"))
_BODY: Final = re.compile(
    r"-(?:d|F|T|X)|--(?:data\S*|form\S*|upload-file|post-(?:file|data)|body-(?:file|data)|json"
    r"|url-query)(?:=.*)?|-d@?.+|-F.+|-T.+"
)


def runs_input(command: Command) -> bool:
    """Whether a program runs what is piped into it: a shell or interpreter without a script of its own."""
    if command.name not in INTERPRETERS and command.name not in ("source", ".", "eval"):
        return False
    arguments = command.words[1:]
    if command.name in ("sh", "bash", "zsh", "dash", "ksh", "ash", "fish"):
        return "-c" not in arguments and all(
            word.startswith("-") or word in ("/dev/stdin", "-") for word in arguments[: _options(arguments)]
        )
    if any(_INLINE.fullmatch(word) for word in arguments if word != "-"):
        return False
    return not arguments or arguments[0] in ("-", "/dev/stdin", "$_") or command.name in ("iex", "invoke-expression")


def _options(arguments: list[str]) -> int:
    """How many words count: behind `-s` or `--` stand the script's own."""
    stops = [place for place, word in enumerate(arguments) if re.fullmatch(r"-\w*s\w*|--", word)]
    return stops[0] if stops else len(arguments)


def decodes(command: Command) -> bool:
    """Whether a program turns encoded text into plain text."""
    words = set(command.words)
    return (
        (command.name in ("base64", "base32", "gbase64") and bool(words & {"-d", "--decode", "-D", "-di"}))
        or (command.name == "xxd" and any(re.fullmatch(r"-\w*r\w*", word) for word in words))
        or (command.name == "openssl" and "-d" in words)
        or (command.name == "rev" and len(words) == 1)
    )


def sends(command: Command) -> bool:
    """Whether a program puts what it is given on the network."""
    if command.name in _LOOKUPS:
        return bool(command.inner)
    if command.name not in _SENDERS:
        return any(re.search(r"/dev/(?:tcp|udp)/", target) for target in command.targets)
    if command.name in ("curl", "http", "https", "xh", "wget"):
        return any(_BODY.fullmatch(word) for word in command.words) or any("$(…)" in word for word in command.words)
    return True


def is_fed(command: Command) -> bool:
    """Whether a sender takes what is piped into it."""
    return command.name not in ("curl", "wget") or any(
        re.search(r"(?:^|[@=])-$|/dev/stdin", one) for one in command.words
    )


def reads_secrets(command: Command) -> bool:
    """Whether a program is given, or gives out, the environment, keys or passwords."""
    if command.name in _ENVIRONMENT and len(command.words) == 1:
        return True
    if command.name in _READERS or command.name in _SENDERS or not command.words:
        return any(SECRET_FILE.search(word) for word in command.words[1:])
    return False


def written_files(command: Command) -> set[str]:
    """The files that a program which fetches leaves."""
    if command.name not in FETCHERS:
        return set()
    named = {word for before, word in itertools.pairwise(command.words) if before in ("-o", "--output", "-O")}
    named |= set(command.targets)
    if command.name == "wget" or any(re.fullmatch(r"-\w*O", word) for word in command.words):
        named |= {word.rstrip("/").rsplit("/", 1)[-1] for word in command.words if "://" in word}
    return named - {"-", "/dev/null"}
