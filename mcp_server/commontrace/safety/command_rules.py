"""The risks of single commands, as data: label, reason, how telling it is (0 to 1), and whether it holds."""

import re
from typing import Final

from commontrace.safety.command_signs import (
    CRON,
    KEYS,
    MINERS,
    PROFILE,
    SUDOERS,
    Holds,
    checks_off,
    deletes_all_here,
    deletes_root,
    destroys_disk,
    drops_data,
    foreign_index,
    has,
    is_privileged,
    kills_containers,
    matches,
    opens_files,
    sends_lookup,
    writes,
)

Finding = tuple[str, str, float]

_RISKY: Final = "risky command"

COMMANDS: Final[tuple[tuple[str, str, float, Holds], ...]] = (
    (_RISKY, "deletes a root or home folder", 0.9, deletes_root),
    (_RISKY, "deletes everything where it is run", 0.4, deletes_all_here),
    (_RISKY, "overwrites a disk", 0.9, destroys_disk),
    (_RISKY, "opens files to everybody", 0.5, opens_files),
    (
        _RISKY,
        "gives a program the rights of its owner",
        0.6,
        matches(r"chmod .*(?:[ugoa]*\+\w*s|\b[2-7][0-7]{3}\b)|setcap \S*cap_"),
    ),
    (_RISKY, "turns certificate checks off", 0.5, checks_off),
    (_RISKY, "changes the system's own packages", 0.4, lambda command: has(command, "--break-system-packages")),
    (_RISKY, "installs from an unknown index", 0.6, foreign_index),
    (_RISKY, "hands out root rights", 0.8, writes(SUDOERS)),
    (
        _RISKY,
        "hands out root rights",
        0.6,
        matches(r"visudo|(?:usermod|gpasswd|adduser|useradd) .*\b(?:sudo|wheel|docker|root|admin)\b"),
    ),
    (_RISKY, "adds a login key", 0.8, writes(KEYS)),
    (_RISKY, "stays on the machine: a scheduled job", 0.6, writes(CRON)),
    (
        _RISKY,
        "stays on the machine: a scheduled job",
        0.6,
        matches(r"crontab (?!-[leu]\b)\S|at now|schtasks .*(?i:/create)|reg .*(?i:add).*\\Run\b"),
    ),
    (_RISKY, "stays on the machine: a start-up file", 0.3, writes(PROFILE)),
    (
        _RISKY,
        "makes git run a program",
        0.7,
        matches(
            (
                r"git (?:-c |config ).*(?:core\.(?:hookspath|sshcommand|fsmonitor|pager|editor)|alias\.\S+[ =]!"
                r"|credential\.helper[ =]!)"
            ),
            re.IGNORECASE,
        ),
    ),
    (_RISKY, "makes git run a program", 0.7, writes(re.compile(r"\.git/hooks/"))),
    (
        _RISKY,
        "hands over the Docker engine",
        0.6,
        lambda command: any("docker.sock" in word for word in [*command.words, *command.targets]),
    ),
    (_RISKY, "runs a container without walls", 0.7, is_privileged),
    (_RISKY, "deletes containers or volumes", 0.4, kills_containers),
    (
        _RISKY,
        "deletes from a cluster or cloud",
        0.5,
        matches(
            r"(?:kubectl|oc) .*\bdelete\b|helm .*\b(?:uninstall|delete)\b|(?:terraform|tofu|pulumi|cdk) .*\bdestroy\b"
            r"|aws s3 (?:rm .*--recursive|rb .*--force)"
            r"|(?:gcloud|az|aws|gsutil) .*\b(?:delete|terminate-instances|rm -r)\b|terraform .*apply .*-auto-approve"
        ),
    ),
    (_RISKY, "makes somebody admin of a cluster", 0.8, matches(r"(?:kubectl|oc) .*\bcluster-admin\b")),
    (_RISKY, "drops data", 0.6, drops_data),
    (
        _RISKY,
        "wipes its traces",
        0.7,
        matches(
            r"history -[cw]|unset HISTFILE|set \+o history|auditctl -e ?0|wevtutil (?i:cl)|(?:rm|shred|truncate)"
            r" .*(?:_history|/var/log)|journalctl --(?:vacuum|rotate)|clear-eventlog"
        ),
    ),
    (
        _RISKY,
        "wipes its traces",
        0.6,
        lambda command: (
            command.settings.get("HISTFILE") in ("", "/dev/null")
            or command.settings.get("HISTSIZE") == "0"
            or has(command, "HISTFILE=/dev/null", "HISTFILE=", "HISTSIZE=0")
            or any(re.search(r"_history$|^/var/log/", target) for target in command.targets)
        ),
    ),
    (
        _RISKY,
        "turns a guard of the system off",
        0.6,
        matches(
            r"setenforce 0|ufw disable|iptables -F|nft flush|(?:systemctl|service) .*(?:stop|disable"
            r"|mask).*(?:firewalld|auditd|apparmor|ufw|falco|crowdstrike|defender)|spctl .*disable"
            r"|csrutil disable|set-mppreference .*-disable|netsh .*(?:off|disable)|chattr .*-i|set-executionpolicy"
            r" .*(?:bypass|unrestricted)|sysctl .*randomize_va_space=0",
            re.IGNORECASE,
        ),
    ),
    (
        _RISKY,
        "rewrites shared history",
        0.4,
        matches(r"git push .*(?:--force(?!-with)|-f\b|--mirror|\+\S+:\S+|--delete)"),
    ),
    (_RISKY, "throws local work away", 0.3, matches(r"git (?:clean -\w*[xd]\w*f|clean -\w*f\w*[xd]|reset --hard)")),
    (
        _RISKY,
        "stops the machine or everything on it",
        0.4,
        matches(
            r"shutdown (?:-\w|/\w|now|\+\d)|(?:reboot|halt|poweroff) (?:-f|--force)|init [06]$|kill -(?:9|KILL) -1"
            r"|systemctl (?:poweroff|reboot)"
        ),
    ),
    (
        _RISKY,
        "loads foreign code into every program",
        0.6,
        lambda command: (
            bool(command.settings.get("LD_PRELOAD"))
            or any(re.match(r"(?:LD_PRELOAD|DYLD_INSERT_LIBRARIES)=.", word) for word in command.words)
            or "/etc/ld.so.preload" in command.targets
        ),
    ),
    (
        _RISKY,
        "gives a shell to somebody else",
        0.9,
        matches((r"(?:nc|ncat|netcat) .*(?:-\w*e\b|-c\b|--exec)|socat .*exec:"), re.IGNORECASE),
    ),
    (
        _RISKY,
        "runs a miner",
        0.9,
        lambda command: command.name in MINERS or any(word.startswith("stratum+") for word in command.words),
    ),
    (_RISKY, "moves files to nowhere", 0.6, matches(r"mv .*\s/dev/null$")),
    (_RISKY, "takes files over", 0.4, matches(r"chown .*-\w*R.*\s(?:/|/etc|/usr|/var|~|\$HOME)/?$")),
    ("exfiltration", "sends local data by name look-ups", 0.7, sends_lookup),
)

_NETWORKED: Final = (
    r"(?:curl|wget|irm|iwr|invoke-webrequest|invoke-restmethod|downloadstring|downloadfile|start-bitstransfer"
    r"|webclient)"
)

TEXTS: Final[tuple[tuple[str, str, float, str], ...]] = (
    (
        _RISKY,
        "gives a shell to somebody else",
        0.9,
        (
            r"\b(?:ba|z|k|da)?sh\s{1,9}-i\b[^\n]{0,40}/dev/(?:tcp|udp)/|/dev/tcp/[^\n]{1,80}0[<>]&"
            r"|socket\.socket\([^\n]{0,300}(?:/bin/(?:ba)?sh|pty\.spawn)"
        ),
    ),
    (
        _RISKY,
        "runs what it downloads",
        0.8,
        (
            rf"(?i)\b(?:iex|invoke-expression)\b[^\n]{{0,200}}\b{_NETWORKED}\b"
            rf"|\b{_NETWORKED}\b[^\n]{{0,300}}\|\s{{0,9}}(?:iex|invoke-expression)\b"
        ),
    ),
    (
        _RISKY,
        "runs what it downloads",
        0.8,
        (
            r"\b(?:exec|eval|os\.system|subprocess\.\w+)\([^\n]{0,120}(?:urlopen|requests\.get|httpx\.get|urllib"
            r"|fetch\(|https?\.get)"
        ),
    ),
    (
        _RISKY,
        "runs encoded text",
        0.8,
        (
            r"(?i)\bpowershell(?:\.exe)?\b[^\n]{0,100}\s-e(?:nc|ncodedcommand|c)?\s{1,4}[A-Za-z0-9+/=]{20}|\b(?:exec"
            r"|eval)\([^\n]{0,60}(?:b64decode|fromhex|atob|Buffer\.from)"
        ),
    ),
    (
        _RISKY,
        "deletes a root or home folder",
        0.9,
        (r"shutil\.rmtree\(\s{0,4}(?:r?[\"'](?:/|~)[\"']|os\.path\.expanduser\([\"']~[\"']\)|Path\.home\(\))"),
    ),
    (
        _RISKY,
        "turns certificate checks off",
        0.5,
        (
            r"\bverify\s{0,3}=\s{0,3}False\b|rejectUnauthorized[\"']?\s{0,3}:\s{0,3}false|_create_unverified_context"
            r"|InsecureSkipVerify\s{0,3}:\s{0,3}true|CERT_NONE\b"
        ),
    ),
)
"""Of RE2: what the text alone tells, in whatever language it is a program."""

FORK_BOMB: Final = re.compile(
    r"([\w:.]{1,20})\s{0,9}\(\)\s{0,9}\{\s{0,9}\1\s{0,9}\|\s{0,9}\1\s{0,9}&\s{0,9};?\s{0,9}\}"
)
