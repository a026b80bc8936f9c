"""Secrets that stand near a word for one, as people write in prose, tables and commands. Pure, linear in the length."""

import re
from collections.abc import Iterator
from typing import Final

from commontrace.safety.placeholders import is_placeholder, is_technical
from commontrace.safety.randomness import entropy, jumble

_FAR: Final = 72
"""Characters after the word in which a value counts as near."""
_LONG: Final = 64
_WORD: Final = re.compile(
    r"(?P<password>passw(?:or)?d|passphrase|passcode|passwor[td]|kennwort|contrase[n\u00f1]a|mot de passe|\bpw\b|\bpwd\b|_pwd\b|\bpass\b"
    r"|\bcreds?\b|credential|\blog(?:ged)?[ -]?in\b|\bsign(?:ed)?[ -]?in\b|wi-?fi key)"
    r"|(?P<key>(?:api|access|secret|private|signing|auth|licen[cs]e|encryption|webhook|deploy|service|app|account|storage"
    r"|master|client|bearer|consumer|cosmos|fernet|shared|session|bot|personal)[ _-]?(?:keys?|tokens?|secrets?|credentials?)"
    r"|tokens?\b|secrets?\b|bearer\b|\bcredential|unauthorized|api[ _-]?key)"
    r"|(?P<any>\bkeys?\b|_key\b)",
    re.IGNORECASE,
)
_VALUE: Final = re.compile(r"[^\s\"'`,;()\[\]{}<>|\\\x00]{8,}")
_LINK: Final = re.compile(
    r"(?:\b(?:is|was|are|to|with|enter|use|using|type|set|word|pass|now)|'s|[:=>*|/(-])[\s\"'`(:=|*]*\Z"
    r"|\A[\w-]{0,3}[\s\"'`(:=|*]{0,8}\Z",
    re.IGNORECASE,
)
_INNOCENT: Final = re.compile(
    r"(?:sha\d+|md5|integrity|hash(?:es)?|digest|commit|checksum|etag|fingerprint|revision|\brev|public[ _-]?key|cache|primary)"
    r"\W{0,4}(?:is\W{1,2})?\Z|(?:sha\d{3}[:=-]|h1:|://|ssh-\w+ )\S{0,80}\Z",
    re.IGNORECASE,
)
_IDENTIFIER: Final = re.compile(
    r"(?:[A-Za-z]\w*\.)+[A-Za-z_]\w*|[A-Z][A-Z0-9_]*|[\d.:T/Z+-]+|\S*(?://|@\w+\.\w)\S*|-.*|[\w./-]*/[\w./-]*\.\w{1,5}"
)
_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_HEX: Final = re.compile(r"(?:0x)?[0-9a-f]{32,128}", re.IGNORECASE)
_TOKEN: Final = re.compile(r"[A-Za-z0-9_+/=.~:$-]{20,}")
_RANDOM: Final = 0.3
_KINDS: Final = (re.compile(r"[a-z]"), re.compile(r"[A-Z]"), re.compile(r"[0-9]"), re.compile(r"[!@#$%^&*?~+=_-]"))
_SIGNS: Final = re.compile(r"[!@#$%^&*?~+=]")


def values_near(text: str) -> Iterator[tuple[int, int]]:
    """Where a value stands that is like a secret, close behind a word for one."""
    seen = 0
    for word in _WORD.finditer(text):
        stop = min(len(text), word.end() + _FAR)
        for value in _VALUE.finditer(text, max(seen, word.end()), stop):
            start, end = _trimmed(text, value)
            if _may_be(text, word, start, end):
                yield start, end
                seen = end


def _trimmed(text: str, value: re.Match[str]) -> tuple[int, int]:
    """The value with what lies beyond the window, and without the signs around it."""
    whole = _VALUE.match(text, value.start())
    found = (whole or value)[0][:256]
    # NAME=value is one word to a shell.
    name, sign, rest = found.partition("=")
    skipped = len(name) + 1 if sign and rest.strip("=") and name.replace("_", "").replace("-", "").isalnum() else 0
    found = found[skipped:]
    lead = len(found) - len(found.lstrip("*:=/-"))
    return value.start() + skipped + lead, value.start() + skipped + len(found.rstrip(".,:*"))


def _may_be(text: str, word: re.Match[str], start: int, end: int) -> bool:
    value, gap = text[start:end], text[word.end() : start]
    if _INNOCENT.search(text[max(0, start - 90) : start]) or is_placeholder(value) or _IDENTIFIER.fullmatch(value):
        return False
    if word["password"]:
        return len(value) <= _LONG and _is_password(value, linked=bool(_LINK.search(gap)))
    return _is_token(value, named=word["key"] is not None)


def _is_password(value: str, *, linked: bool) -> bool:
    kinds = sum(bool(kind.search(value)) for kind in _KINDS)
    if not _KINDS[2].search(value) or is_technical(value):
        return False
    if linked:
        return kinds > 2 or (kinds > 1 and jumble(value) > _RANDOM)  # noqa: PLR2004 - of four
    return (kinds == len(_KINDS) and bool(_SIGNS.search(value[:-1]))) or (kinds > 2 and jumble(value) > _RANDOM)  # noqa: PLR2004


def _is_token(value: str, *, named: bool) -> bool:
    if not _TOKEN.fullmatch(value) or not _KINDS[2].search(value):
        return False
    if _HEX.fullmatch(value) or _UUID.fullmatch(value):
        return named
    return jumble(value) > _RANDOM and entropy(value) > 3.2 and bool(_KINDS[0].search(value) and _KINDS[1].search(value))  # noqa: PLR2004
