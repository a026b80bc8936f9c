"""The risks of single commands, as data: label, reason, how telling it is (0 to 1), and whether it holds."""

import re
from collections.abc import Callable
from typing import Final

from commontrace.safety.shell import Command

Finding = tuple[str, str, float]
Holds = Callable[[Command], bool]

_RISKY: Final = "risky command"
_ROOTS: Final = re.compile(
    r"/(?:\*|\.\*?)?|~/?\*?|~\w{0,20}/?|\$\{?HOME\}?/?\*?|/(?:etc|usr|var|home|boot|bin|lib\w*|root|opt|sbin|sys|dev|Users)(?:/\*?)?"
    r"|(?i:[a-z]:\\?\*?|\$env:(?:userprofile|systemroot)\S*|%userprofile%\S*)"
)
_HERE: Final = re.compile(r"(?:\.\.?/?)?\*?")
_DISK: Final = re.compile(r"/dev/(?:sd|nvme|disk|hd|vd|xvd|mmcblk|mapper)\w*")
_KNOWN_INDEX: Final = re.compile(
    r"https://(?:(?:[\w-]+\.)*(?:pypi\.org|pythonhosted\.org|npmjs\.org|npmjs\.com|yarnpkg\.com|rubygems\.org|crates\.io|pytorch\.org"
    r"|anaconda\.org|jsr\.io|pkg\.github\.com|nvidia\.com|maven\.org|maven\.apache\.org|nuget\.org|golang\.org))(?:[/?:#]|$)"
)
_INDEX_OPTION: Final = re.compile(r"(?:--(?:index-url|extra-index-url|registry|default-index|index|find-links|source|url)|-i|-f|-s)(?:=(.*))?")
_INSTALLERS: Final = frozenset("pip pip3 uv pipx poetry pdm npm pnpm yarn bun gem cargo nuget dotnet conda mamba npx uvx".split())


def _has(command: Command, *words: str) -> bool:
    return any(word in command.words for word in words)


def _options(command: Command) -> str:
    """The letters of all short options, and the long ones behind spaces."""
    return " ".join(word for word in command.words if word.startswith("-"))


def _matches(pattern: str, flags: int = 0) -> Holds:
    """Whether the words, put together by one space, match."""
    compiled = re.compile(pattern, flags)
    # Most commands are none of the programs that a pattern begins with, which is told without their words.
    programs = frozenset(re.findall(r"[a-z][a-z0-9-]+", pattern.lower()))

    def holds(command: Command) -> bool:
        return command.name in programs and bool(compiled.match(" ".join([command.name, *command.words[1:]])))

    return holds


def _is_recursive(command: Command) -> bool:
    short = "".join(word for word in command.words if re.fullmatch(r"-\w+", word))
    return command.name == "rm" and ("r" in short.lower() or _has(command, "--recursive"))


def _deletes_all_here(command: Command) -> bool:
    return _is_recursive(command) and any(word and _HERE.fullmatch(word) for word in command.words[1:])


def _deletes_root(command: Command) -> bool:
    if command.name == "find":
        deletes = _has(command, "-delete") or ("-exec" in command.words and "rm" in command.words)
        return deletes and any(_ROOTS.fullmatch(word) and word not in (".", "./") for word in command.words[1:2])
    if command.name == "rm":
        return _is_recursive(command) and any(_ROOTS.fullmatch(word) for word in command.words[1:])
    windows = command.name in ("rd", "rmdir", "del", "erase", "remove-item", "ri") and re.search(r"(?i)/s|-recurse", " ".join(command.words))
    return bool(windows) and any(_ROOTS.fullmatch(word) for word in command.words[1:])


def _destroys_disk(command: Command) -> bool:
    to_disk = any(_DISK.fullmatch(target) for target in command.targets)
    named = any(_DISK.fullmatch(word.partition("=")[2] or word) for word in command.words[1:])
    writes = command.name.startswith(("mkfs", "mke2fs")) or command.name in ("wipefs", "shred", "blkdiscard", "sgdisk")
    return to_disk or (named and (writes or (command.name == "dd" and any(w.startswith("of=/dev/") for w in command.words)))) or (
        command.name == "format" and any(re.fullmatch(r"(?i)[a-z]:", word) for word in command.words)
    )  # fmt: skip


def _opens_files(command: Command) -> bool:
    if command.name == "icacls":
        return any(re.match(r"(?i)(?:everyone|\*s-1-1-0):", word) for word in command.words)
    return command.name == "chmod" and any(
        re.fullmatch(r"0?[0-7]?[67]{2}[67]|[ugo]*[oa]\+\w*w\w*|\+\w*w\w*|a=rwx?", word) for word in command.words[1:]
    )


def _checks_off(command: Command) -> bool:
    text = " ".join(command.words)
    settings = {**command.settings, **dict(word.partition("=")[::2] for word in command.words if "=" in word)}
    switched = (
        settings.get("NODE_TLS_REJECT_UNAUTHORIZED") == "0"
        or settings.get("PYTHONHTTPSVERIFY") == "0"
        or settings.get("GOSUMDB") == "off"
        or any(settings.get(name) for name in ("GIT_SSL_NO_VERIFY", "GOINSECURE", "GONOSUMCHECK", "GONOSUMDB"))
    )
    return switched or (command.name == "curl" and bool(re.search(r"(?:^|\s)-[a-zA-Z]*k[a-zA-Z]*(?:\s|$)|--insecure\b", text))) or bool(
        re.search(
            r"--no-check-certificate|--trusted-host|sslverify[ =]false|strict-ssl[ =]false|stricthostkeychecking[ =]no\b"
            r"|--insecure-skip-tls-verify|--insecure-registry|--allow-unauthenticated|--no-gpg-check|--nogpgcheck|--nosignature|--allow-insecure"
            r"|--force-yes|--disable-content-trust|-skipcertificatecheck|--skip-verify\b|gpgcheck=0|\[trusted=yes\]|--no-verify-ssl"
            r"|--verify[ =](?:no|false)\b|ignore-certificate-errors",
            text,
            re.IGNORECASE,
        )
    )  # fmt: skip


def _foreign_index(command: Command) -> bool:
    if command.name not in _INSTALLERS:
        named = [command.settings.get(name, "") for name in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "UV_INDEX_URL", "NPM_CONFIG_REGISTRY")]
        return any(url and not _KNOWN_INDEX.match(url) for url in named)
    words = [*command.words, ""]
    for word, following in zip(words, words[1:], strict=False):
        option = _INDEX_OPTION.fullmatch(word)
        url = (option[1] or following) if option else following if re.fullmatch(r"(?:\S+:)?(?:registry|global\.(?:extra-)?index-url)", word) else ""
        url = url or (word.partition("=")[2] if word.startswith("registry=") else "")
        if re.match(r"https?://", url) and not _KNOWN_INDEX.match(url):
            return True
    return any(re.match(r"(?:git\+)?http://", word) for word in command.words)


_SUDOERS: Final = re.compile(r"/etc/sudoers(?:\.d\b\S*)?|\bNOPASSWD\b")
_KEYS: Final = re.compile(r"\.ssh/authorized_keys")
_CRON: Final = re.compile(r"/etc/cron\S*|/var/spool/cron\S*")
_PROFILE: Final = re.compile(r"(?:~|\$HOME|\$\{HOME\}|/root|/home/\w+|/etc)/(?:\.(?:bash|zsh)(?:rc|_profile|env)|\.z?profile|profile\S*|bash\.bashrc)")


def _writes(pattern: re.Pattern[str]) -> Holds:
    """Whether a program changes a file of a kind: by redirection, tee, copying or editing in place."""

    def holds(command: Command) -> bool:
        edits = command.name in ("tee", "cp", "mv", "install", "ln", "add-content", "set-content", "out-file") or (
            command.name in ("sed", "perl") and re.search(r"(?:^|\s)-\w*i", " ".join(command.words)) is not None
        )
        return any(pattern.search(target) for target in command.targets) or (
            edits and any(pattern.search(word) for word in command.words[1:])
        )

    return holds


def _is_privileged(command: Command) -> bool:
    if command.name not in ("docker", "podman", "nerdctl", "docker-compose"):
        return False
    text = " ".join(command.words)
    return bool(
        re.search(r"--privileged(?:=true)?(?:\s|$)|--pid[= ]host|--cap-add[= ](?:ALL|SYS_ADMIN)|=unconfined|(?:-v|--volume)[= ]?/:/", text)
    )


def _kills_containers(command: Command) -> bool:
    return command.name in ("docker", "podman") and bool(
        re.search(r"system prune\b.*(?:-\w*a|--all|--volumes)|volume (?:rm|prune)", " ".join(command.words))
    )


_SQL: Final = re.compile(
    r"\b(?:drop\s+(?:table|database|schema)|truncate\s+table)\s+(?:if\s+exists\s+)?[\w.\"`;]|\bdelete\s+from\s+[\w.\"`]+\s*(?:;|$)"
    r"|\bflushall\b|\bdropdatabase\(\)",
    re.IGNORECASE,
)
_MINERS: Final = frozenset(("xmrig", "minerd", "cpuminer", "cgminer", "ethminer"))
_SQL_CLIENTS: Final = frozenset("psql mysql mariadb sqlite3 sqlcmd mongo mongosh redis-cli valkey-cli clickhouse-client duckdb drop truncate delete".split())


def _drops_data(command: Command) -> bool:
    text = " ".join(command.words)
    cleared = command.name in ("dropdb", "flushall")
    return cleared or (command.name in _SQL_CLIENTS and bool(_SQL.search(text)))


def _sends_lookup(command: Command) -> bool:
    return command.name in ("nslookup", "dig", "host", "ping") and any("$(…)" in word for word in command.words[1:])


COMMANDS: Final[tuple[tuple[str, str, float, Holds], ...]] = (
    (_RISKY, "deletes a root or home folder", 0.9, _deletes_root),
    (_RISKY, "deletes everything where it is run", 0.4, _deletes_all_here),
    (_RISKY, "overwrites a disk", 0.9, _destroys_disk),
    (_RISKY, "opens files to everybody", 0.5, _opens_files),
    (_RISKY, "gives a program the rights of its owner", 0.6, _matches(r"chmod .*(?:[ugoa]*\+\w*s|\b[2-7][0-7]{3}\b)|setcap \S*cap_")),
    (_RISKY, "turns certificate checks off", 0.5, _checks_off),
    (_RISKY, "changes the system's own packages", 0.4, lambda command: _has(command, "--break-system-packages")),
    (_RISKY, "installs from an unknown index", 0.6, _foreign_index),
    (_RISKY, "hands out root rights", 0.8, _writes(_SUDOERS)),
    (_RISKY, "hands out root rights", 0.6, _matches(r"visudo|(?:usermod|gpasswd|adduser|useradd) .*\b(?:sudo|wheel|docker|root|admin)\b")),
    (_RISKY, "adds a login key", 0.8, _writes(_KEYS)),
    (_RISKY, "stays on the machine: a scheduled job", 0.6, _writes(_CRON)),
    (_RISKY, "stays on the machine: a scheduled job", 0.6, _matches(r"crontab (?!-[leu]\b)\S|at now|schtasks .*(?i:/create)|reg .*(?i:add).*\\Run\b")),
    (_RISKY, "stays on the machine: a start-up file", 0.3, _writes(_PROFILE)),
    (_RISKY, "makes git run a program", 0.7, _matches(r"git (?:-c |config ).*(?:core\.(?:hookspath|sshcommand|fsmonitor|pager|editor)|alias\.\S+[ =]!|credential\.helper[ =]!)", re.IGNORECASE)),
    (_RISKY, "makes git run a program", 0.7, _writes(re.compile(r"\.git/hooks/"))),
    (_RISKY, "hands over the Docker engine", 0.6, lambda command: any("docker.sock" in word for word in [*command.words, *command.targets])),
    (_RISKY, "runs a container without walls", 0.7, _is_privileged),
    (_RISKY, "deletes containers or volumes", 0.4, _kills_containers),
    (_RISKY, "deletes from a cluster or cloud", 0.5, _matches(
        r"(?:kubectl|oc) .*\bdelete\b|helm .*\b(?:uninstall|delete)\b|(?:terraform|tofu|pulumi|cdk) .*\bdestroy\b|aws s3 (?:rm .*--recursive|rb .*--force)"
        r"|(?:gcloud|az|aws|gsutil) .*\b(?:delete|terminate-instances|rm -r)\b|terraform .*apply .*-auto-approve")),
    (_RISKY, "makes somebody admin of a cluster", 0.8, _matches(r"(?:kubectl|oc) .*\bcluster-admin\b")),
    (_RISKY, "drops data", 0.6, _drops_data),
    (_RISKY, "wipes its traces", 0.7, _matches(r"history -[cw]|unset HISTFILE|set \+o history|auditctl -e ?0|wevtutil (?i:cl)|(?:rm|shred|truncate) .*(?:_history|/var/log)|journalctl --(?:vacuum|rotate)|clear-eventlog")),
    (_RISKY, "wipes its traces", 0.6, lambda command: command.settings.get("HISTFILE") in ("", "/dev/null") or command.settings.get("HISTSIZE") == "0" or _has(command, "HISTFILE=/dev/null", "HISTFILE=", "HISTSIZE=0") or any(re.search(r"_history$|^/var/log/", target) for target in command.targets)),
    (_RISKY, "turns a guard of the system off", 0.6, _matches(
        r"setenforce 0|ufw disable|iptables -F|nft flush|(?:systemctl|service) .*(?:stop|disable|mask).*(?:firewalld|auditd|apparmor|ufw|falco|crowdstrike|defender)|spctl .*disable"
        r"|csrutil disable|set-mppreference .*-disable|netsh .*(?:off|disable)|chattr .*-i|set-executionpolicy .*(?:bypass|unrestricted)|sysctl .*randomize_va_space=0", re.IGNORECASE)),
    (_RISKY, "rewrites shared history", 0.4, _matches(r"git push .*(?:--force(?!-with)|-f\b|--mirror|\+\S+:\S+|--delete)")),
    (_RISKY, "throws local work away", 0.3, _matches(r"git (?:clean -\w*[xd]\w*f|clean -\w*f\w*[xd]|reset --hard)")),
    (_RISKY, "stops the machine or everything on it", 0.4, _matches(r"shutdown (?:-\w|/\w|now|\+\d)|(?:reboot|halt|poweroff) (?:-f|--force)|init [06]$|kill -(?:9|KILL) -1|systemctl (?:poweroff|reboot)")),
    (_RISKY, "loads foreign code into every program", 0.6, lambda command: bool(command.settings.get("LD_PRELOAD")) or any(re.match(r"(?:LD_PRELOAD|DYLD_INSERT_LIBRARIES)=.", word) for word in command.words) or "/etc/ld.so.preload" in command.targets),
    (_RISKY, "gives a shell to somebody else", 0.9, _matches(r"(?:nc|ncat|netcat) .*(?:-\w*e\b|-c\b|--exec)|socat .*exec:", re.IGNORECASE)),
    (_RISKY, "runs a miner", 0.9, lambda command: command.name in _MINERS or any(word.startswith("stratum+") for word in command.words)),
    (_RISKY, "moves files to nowhere", 0.6, _matches(r"mv .*\s/dev/null$")),
    (_RISKY, "takes files over", 0.4, _matches(r"chown .*-\w*R.*\s(?:/|/etc|/usr|/var|~|\$HOME)/?$")),
    ("exfiltration", "sends local data by name look-ups", 0.7, _sends_lookup),
)  # fmt: skip

_NETWORKED: Final = r"(?:curl|wget|irm|iwr|invoke-webrequest|invoke-restmethod|downloadstring|downloadfile|start-bitstransfer|webclient)"

TEXTS: Final[tuple[tuple[str, str, float, str], ...]] = (
    (_RISKY, "gives a shell to somebody else", 0.9, r"\b(?:ba|z|k|da)?sh\s{1,9}-i\b[^\n]{0,40}/dev/(?:tcp|udp)/|/dev/tcp/[^\n]{1,80}0[<>]&|socket\.socket\([^\n]{0,300}(?:/bin/(?:ba)?sh|pty\.spawn)"),
    (_RISKY, "runs what it downloads", 0.8, rf"(?i)\b(?:iex|invoke-expression)\b[^\n]{{0,200}}\b{_NETWORKED}\b|\b{_NETWORKED}\b[^\n]{{0,300}}\|\s{{0,9}}(?:iex|invoke-expression)\b"),
    (_RISKY, "runs what it downloads", 0.8, r"\b(?:exec|eval|os\.system|subprocess\.\w+)\([^\n]{0,120}(?:urlopen|requests\.get|httpx\.get|urllib|fetch\(|https?\.get)"),
    (_RISKY, "runs encoded text", 0.8, r"(?i)\bpowershell(?:\.exe)?\b[^\n]{0,100}\s-e(?:nc|ncodedcommand|c)?\s{1,4}[A-Za-z0-9+/=]{20}|\b(?:exec|eval)\([^\n]{0,60}(?:b64decode|fromhex|atob|Buffer\.from)"),
    (_RISKY, "deletes a root or home folder", 0.9, r"shutil\.rmtree\(\s{0,4}(?:r?[\"'](?:/|~)[\"']|os\.path\.expanduser\([\"']~[\"']\)|Path\.home\(\))"),
    (_RISKY, "turns certificate checks off", 0.5, r"\bverify\s{0,3}=\s{0,3}False\b|rejectUnauthorized[\"']?\s{0,3}:\s{0,3}false|_create_unverified_context|InsecureSkipVerify\s{0,3}:\s{0,3}true|CERT_NONE\b"),
)  # fmt: skip
"""Of RE2: what the text alone tells, in whatever language it is a program."""

FORK_BOMB: Final = re.compile(
    r"([\w:.]{1,20})\s{0,9}\(\)\s{0,9}\{\s{0,9}\1\s{0,9}\|\s{0,9}\1\s{0,9}&\s{0,9};?\s{0,9}\}"
)
