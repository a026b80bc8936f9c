"""Whether a single command does what a rule is about."""

import itertools
import re
from collections.abc import Callable
from typing import Final

from commontrace.safety.shell import Command

Holds = Callable[[Command], bool]

_ROOTS: Final = re.compile(
    r"/(?:\*|\.\*?)?|~/?\*?|~\w{0,20}/?|\$\{?HOME\}?/?\*?|/(?:etc|usr|var|home|boot|bin|lib\w*|root|opt|sbin|sys"
    r"|dev|Users)(?:/\*?)?"
    r"|(?i:[a-z]:\\?\*?|\$env:(?:userprofile|systemroot)\S*|%userprofile%\S*)"
)
_HERE: Final = re.compile(r"(?:\.\.?/?)?\*?")
_DISK: Final = re.compile(r"/dev/(?:sd|nvme|disk|hd|vd|xvd|mmcblk|mapper)\w*")
_KNOWN_INDEX: Final = re.compile(
    r"https://(?:(?:[\w-]+\.)*(?:pypi\.org|pythonhosted\.org|npmjs\.org|npmjs\.com|yarnpkg\.com|rubygems\.org"
    r"|crates\.io|pytorch\.org"
    r"|anaconda\.org|jsr\.io|pkg\.github\.com|nvidia\.com|maven\.org|maven\.apache\.org|nuget\.org"
    r"|golang\.org))(?:[/?:#]|$)"
)
_INDEX_OPTION: Final = re.compile(
    r"(?:--(?:index-url|extra-index-url|registry|default-index|index|find-links|source|url)|-i|-f|-s)(?:=(.*))?"
)
_INSTALLERS: Final = frozenset(
    (
        "pip",
        "pip3",
        "uv",
        "pipx",
        "poetry",
        "pdm",
        "npm",
        "pnpm",
        "yarn",
        "bun",
        "gem",
        "cargo",
        "nuget",
        "dotnet",
        "conda",
        "mamba",
        "npx",
        "uvx",
    )
)


def has(command: Command, *words: str) -> bool:
    """Whether one of these is among the words."""
    return any(word in command.words for word in words)


def matches(pattern: str, flags: int = 0) -> Holds:
    """Whether the words, put together by one space, match."""
    compiled = re.compile(pattern, flags)
    # Most commands are none of the programs that a pattern begins with, which is told without their words.
    programs = frozenset(re.findall(r"[a-z][a-z0-9-]+", pattern.lower()))

    def holds(command: Command) -> bool:
        return command.name in programs and bool(compiled.match(" ".join([command.name, *command.words[1:]])))

    return holds


def _is_recursive(command: Command) -> bool:
    short = "".join(word for word in command.words if re.fullmatch(r"-\w+", word))
    return command.name == "rm" and ("r" in short.lower() or has(command, "--recursive"))


def deletes_all_here(command: Command) -> bool:
    """Whether it deletes everything where it is run, or above that."""
    return _is_recursive(command) and any(word and _HERE.fullmatch(word) for word in command.words[1:])


def deletes_root(command: Command) -> bool:
    """Whether it deletes the root, a folder of the system, or a home."""
    if command.name == "find":
        deletes = has(command, "-delete") or ("-exec" in command.words and "rm" in command.words)
        return deletes and any(_ROOTS.fullmatch(word) and word not in (".", "./") for word in command.words[1:2])
    if command.name == "rm":
        return _is_recursive(command) and any(_ROOTS.fullmatch(word) for word in command.words[1:])
    windows = command.name in ("rd", "rmdir", "del", "erase", "remove-item", "ri") and re.search(
        r"(?i)/s|-recurse", " ".join(command.words)
    )
    return bool(windows) and any(_ROOTS.fullmatch(word) for word in command.words[1:])


def destroys_disk(command: Command) -> bool:
    """Whether it writes over a disk or makes it anew."""
    to_disk = any(_DISK.fullmatch(target) for target in command.targets)
    named = any(_DISK.fullmatch(word.partition("=")[2] or word) for word in command.words[1:])
    writes = command.name.startswith(("mkfs", "mke2fs")) or command.name in ("wipefs", "shred", "blkdiscard", "sgdisk")
    return (
        to_disk
        or (named and (writes or (command.name == "dd" and any(w.startswith("of=/dev/") for w in command.words))))
        or (command.name == "format" and any(re.fullmatch(r"(?i)[a-z]:", word) for word in command.words))
    )


def opens_files(command: Command) -> bool:
    """Whether it lets everybody write."""
    if command.name == "icacls":
        return any(re.match(r"(?i)(?:everyone|\*s-1-1-0):", word) for word in command.words)
    return command.name == "chmod" and any(
        re.fullmatch(r"0?[0-7]?[67]{2}[67]|[ugo]*[oa]\+\w*w\w*|\+\w*w\w*|a=rwx?", word) for word in command.words[1:]
    )


def checks_off(command: Command) -> bool:
    """Whether it turns checks of certificates, host keys or signatures off."""
    text = " ".join(command.words)
    settings = {**command.settings, **dict(word.partition("=")[::2] for word in command.words if "=" in word)}
    switched = (
        settings.get("NODE_TLS_REJECT_UNAUTHORIZED") == "0"
        or settings.get("PYTHONHTTPSVERIFY") == "0"
        or settings.get("GOSUMDB") == "off"
        or any(settings.get(name) for name in ("GIT_SSL_NO_VERIFY", "GOINSECURE", "GONOSUMCHECK", "GONOSUMDB"))
    )
    return (
        switched
        or (command.name == "curl" and bool(re.search((r"(?:^|\s)-[a-zA-Z]*k[a-zA-Z]*(?:\s|$)|--insecure\b"), text)))
        or bool(
            re.search(
                r"--no-check-certificate|--trusted-host|sslverify[ =]false|strict-ssl[ =]false|stricthostkeychecking["
                r" =]no\b"
                r"|--insecure-skip-tls-verify|--insecure-registry|--allow-unauthenticated|--no-gpg-check|--nogpgcheck"
                r"|--nosignature|--allow-insecure"
                r"|--force-yes|--disable-content-trust|-skipcertificatecheck|--skip-verify\b|gpgcheck=0"
                r"|\[trusted=yes\]|--no-verify-ssl"
                r"|--verify[ =](?:no|false)\b|ignore-certificate-errors",
                text,
                re.IGNORECASE,
            )
        )
    )


def foreign_index(command: Command) -> bool:
    """Whether it installs from an index or registry that few know, or without encryption."""
    if command.name not in _INSTALLERS:
        named = [
            command.settings.get(name, "")
            for name in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "UV_INDEX_URL", "NPM_CONFIG_REGISTRY")
        ]
        return any(url and not _KNOWN_INDEX.match(url) for url in named)
    words = [*command.words, ""]
    for word, following in itertools.pairwise(words):
        option = _INDEX_OPTION.fullmatch(word)
        url = (
            (option[1] or following)
            if option
            else following
            if re.fullmatch(r"(?:\S+:)?(?:registry|global\.(?:extra-)?index-url)", word)
            else ""
        )
        url = url or (word.partition("=")[2] if word.startswith("registry=") else "")
        if re.match(r"https?://", url) and not _KNOWN_INDEX.match(url):
            return True
    return any(re.match(r"(?:git\+)?http://", word) for word in command.words)


SUDOERS: Final = re.compile(r"/etc/sudoers(?:\.d\b\S*)?|\bNOPASSWD\b")
KEYS: Final = re.compile(r"\.ssh/authorized_keys")
CRON: Final = re.compile(r"/etc/cron\S*|/var/spool/cron\S*")
PROFILE: Final = re.compile(
    r"(?:~|\$HOME|\$\{HOME\}|/root|/home/\w+|/etc)/(?:\.(?:bash|zsh)(?:rc|_profile|env)|\.z?profile|profile\S*"
    r"|bash\.bashrc)"
)


def writes(pattern: re.Pattern[str]) -> Holds:
    """Whether a program changes a file of a kind: by redirection, tee, copying or editing in place."""

    def holds(command: Command) -> bool:
        edits = command.name in ("tee", "cp", "mv", "install", "ln", "add-content", "set-content", "out-file") or (
            command.name in ("sed", "perl") and re.search(r"(?:^|\s)-\w*i", " ".join(command.words)) is not None
        )
        return any(pattern.search(target) for target in command.targets) or (
            edits and any(pattern.search(word) for word in command.words[1:])
        )

    return holds


def is_privileged(command: Command) -> bool:
    """Whether a container may do what the machine may."""
    if command.name not in ("docker", "podman", "nerdctl", "docker-compose"):
        return False
    text = " ".join(command.words)
    return bool(
        re.search(
            (
                r"--privileged(?:=true)?(?:\s|$)|--pid[= ]host|--cap-add[= ](?:ALL|SYS_ADMIN)|=unconfined|(?:-v"
                r"|--volume)[= ]?/:/"
            ),
            text,
        )
    )


def kills_containers(command: Command) -> bool:
    """Whether it deletes volumes, or all that does not run."""
    return command.name in ("docker", "podman") and bool(
        re.search(r"system prune\b.*(?:-\w*a|--all|--volumes)|volume (?:rm|prune)", " ".join(command.words))
    )


_SQL: Final = re.compile(
    r"\b(?:drop\s+(?:table|database|schema)|truncate\s+table)\s+(?:if\s+exists\s+)?[\w.\"`;]"
    r"|\bdelete\s+from\s+[\w.\"`]+\s*(?:;|$)"
    r"|\bflushall\b|\bdropdatabase\(\)",
    re.IGNORECASE,
)
MINERS: Final = frozenset(("xmrig", "minerd", "cpuminer", "cgminer", "ethminer"))
_SQL_CLIENTS: Final = frozenset(
    (
        "psql",
        "mysql",
        "mariadb",
        "sqlite3",
        "sqlcmd",
        "mongo",
        "mongosh",
        "redis-cli",
        "valkey-cli",
        "clickhouse-client",
        "duckdb",
        "drop",
        "truncate",
        "delete",
    )
)


def drops_data(command: Command) -> bool:
    """Whether it tells a database to drop, truncate or delete all of something."""
    text = " ".join(command.words)
    cleared = command.name in ("dropdb", "flushall")
    return cleared or (command.name in _SQL_CLIENTS and bool(_SQL.search(text)))


def sends_lookup(command: Command) -> bool:
    """Whether a name that is looked up is made of what a command says."""
    return command.name in ("nslookup", "dig", "host", "ping") and any("$(…)" in word for word in command.words[1:])
