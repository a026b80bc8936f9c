"""Where a text may hold shell commands: in blocks, behind prompts, in code, and in the middle of a sentence."""

import re
from collections.abc import Iterator
from typing import Final

from commontrace.models.traces import Label
from commontrace.safety.commands import judge, text_findings
from commontrace.safety.re2s import compiled

_TRIGGERS: Final = (
    r"(?i)\b(?:curl|wget|chmod|chown|mkfs|wipefs|shred|socat|kubectl|terraform|iex|irm|iwr|invoke-(?:web|rest"
    r"|expr)\w+|remove-item|crontab"
    r"|schtasks|setenforce|ufw|iptables|visudo|usermod|dropdb|nslookup|ssh-copy-id|xmrig|stratum|icacls|setcap"
    r"|csrutil|spctl|netsh|wevtutil"
    r"|set-mppreference|xargs|authorized_keys|sudoers|flushall)\b"
    r"|\b(?:rm|rd|rmdir|del)[ \t]+[-/]|\bdd[ \t]+[a-z]+=|\bhistory[ \t]+-|\bunset[ \t]+HIST|\bformat[ \t]+[a-z]:"
    r"|\bfind[ \t][^\n]*-(?:delete|exec)"
    r"|\bgit[ \t][^\n]*(?:push|config|clean|reset|[ \t]-c[ \t])|\b(?:docker|podman)\b[^\n]*(?:\.sock|--priv|--pid"
    r"|--cap|unconfined|-v[ \t]*/:|prune)"
    r"|\b(?:npm|pnpm|yarn|pip3?|uv|gem|cargo)\b[^\n]*(?:https?:|registry|index|strict-ssl|trusted-host|--break)"
    r"|\b(?:drop|truncate)[ \t]+(?:table|database|schema)"
    r"|\b(?:base64|openssl|xxd|rev)\b[^\n]*\||\b(?:ba|z|da)?sh[ \t]+-\w*c|\b\w+=(?:rm|curl|wget|dd|sh|bash)\b"
    r"|\b(?:eval|source|bash|sh|zsh)[ \t][^\n]*[(`|<$]|\b(?:nc|ncat|scp|rsync|ssh|mail)\b[^\n]*(?:\.ssh|\.env|-e\b"
    r"|--exec|passwd|<|curl)"
    r"|\b(?:env|printenv|history|cat|tar|head)\b[^\n]*\||\b(?:helm|oc|aws|gcloud|az)[ \t][^\n]*(?:delete|uninstall"
    r"|--recursive|--force|terminate)"
    r"|\bsystemctl\b[^\n]*(?:stop|disable|mask|poweroff|reboot)|\bshutdown[ \t]+[-/n+]|\bkill[ \t]+-9[ \t]+-1"
    r"|\bmv[ \t][^\n]*/dev/null|\btee\b[^\n]*(?:/etc/|\.ssh)"
    r"|>[ \t]*(?:/etc/|/dev/(?:sd|nvme|tcp|disk|mapper)|~/\.|/var/log)|/dev/tcp/|/etc/cron|[a-z]''[a-z]"
    r"|[a-z]\"\"[a-z]|\{[a-z]+,-|\$'\\x|\$\{?IFS"
    r"|--(?:insecure|no-check-certificate|no-verify-ssl|allow-unauthenticated|nogpgcheck|skip-tls)|_TLS_REJECT"
    r"|SSL_NO_VERIFY|GOSUMDB|INDEX_URL|LD_PRELOAD|HISTFILE"
)
"""A line without any of these holds no command that has a label."""
_BLOCK: Final = re.compile(r"^[ \t]*```[^\n]*\n(.*?)^[ \t]*```", re.MULTILINE | re.DOTALL)
_LONG: Final = 2_000
_OVERLAP: Final = 300
_STARTS: Final = 2
"""Places in a line at which a command may begin that are tried."""
_SHORT: Final = 400
"""Characters of a command in the middle of a line."""


def command_labels(text: str) -> list[Label]:
    """The labels of every command that a text holds, each once, with its highest score."""
    found = {(label, reason): score for label, reason, score in text_findings(text)}
    if not compiled(_TRIGGERS).search(text.encode("ascii", "replace")):
        return [Label(label=label, reason=reason, score=score) for (label, reason), score in found.items()]
    for line in dict.fromkeys(_commands(text)):
        for label in judge(line):
            found[label.label, label.reason] = max(label.score, found.get((label.label, label.reason), 0.0))
    return [Label(label=label, reason=reason, score=score) for (label, reason), score in found.items()]


def _commands(text: str) -> Iterator[str]:
    for block in _BLOCK.findall(text):
        if compiled(_TRIGGERS).search(block.encode("ascii", "replace")):
            yield block
    for line in text.replace("\\\n", " ").split("\n"):
        for start in range(0, max(1, len(line) - _OVERLAP), _LONG - _OVERLAP):
            yield from _in_line(line[start : start + _LONG])


def _in_line(line: str) -> Iterator[str]:
    places = [match.span()[0] for match in compiled(_TRIGGERS).finditer(line.encode("ascii", "replace"))]
    if not places:
        return
    yield line.strip().removeprefix("$ ").removeprefix("> ")
    for place in places[:_STARTS]:
        if place:
            # Inside of back-ticks a command ends with them.
            rest = line[place : place + _SHORT]
            yield rest.partition("`")[0] if line.count("`", 0, place) % 2 else rest
