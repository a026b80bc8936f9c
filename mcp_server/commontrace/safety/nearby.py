"""Secrets that stand near a word for one, as people write in prose, tables and commands. Pure, linear in the length."""

import re
from collections.abc import Iterator
from typing import Final

from commontrace.safety.placeholders import is_placeholder, is_technical
from commontrace.safety.randomness import entropy, jumble
from commontrace.safety.re2s import compiled

_FAR: Final = 72
"""Characters after the word in which a value counts as near."""
_LONG: Final = 64
_PASSWORD: Final = 1
_WORD: Final = (
    r"(?i)(passw(?:or)?d|passphrase|passcode|passwor[td]|kennwort|contrase.a|mot de passe|\bpw\b|\bpwd\b|_pwd\b"
    r"|\bpass\b|_pass\b|(?:pass|secret)[ -]phrase"
    r"|\bcreds?\b|credential|\blog(?:s|ged)?[ -]?in\b|\bsign(?:ed)?[ -]?in\b|wi-?fi key)"
    r"|((?:api|access|secret|private|signing|auth|licen[cs]e|encryption|webhook|deploy|service|app|account|storage"
    r"|master|client|bearer|consumer|cosmos|fernet|shared|session|bot|personal)[ _-]?(?:keys?|tokens?|secrets?"
    r"|credentials?)"
    r"|tokens?\b|secrets?\b|bearer\b|unauthorized)"
    r"|\bkeys?\b|_key\b"
)
"""Of RE2: the first group is a word for a password, the second one for a token or key; the rest may be."""
_VALUE: Final = re.compile(r"[^\s\"'`,;()\[\]{}<>|\\\x00]{8,256}+")
_REST: Final = re.compile(r"[^\s\"'`,;()\[\]{}<>|\\\x00]*+")
_LINK: Final = re.compile(
    r"(?:\b(?:is|was|are|to|with|enter|use|using|type|set|word|pass|now)|'s|[:=>*|/(-])[\s\"'`(:=|*]*\Z"
    r"|\A[\w-]{0,3}[\s\"'`(:=|*]{0,8}\Z",
    re.IGNORECASE,
)
_INNOCENT: Final = re.compile(
    r"(?:sha\d+|md5|integrity|hash(?:es)?|digest|commit|checksum|etag|fingerprint|revision|\brev|public[ _-]?key"
    r"|cache|primary)"
    r"\W{0,8}(?:is\W{1,2})?\Z|(?:sha\d{3}[:=-]|h1:|://|ssh-\w+ )\S{0,80}\Z",
    re.IGNORECASE,
)
_IDENTIFIER: Final = re.compile(
    r"(?:[A-Za-z]\w*\.)+[A-Za-z_]\w*|[A-Z][A-Z0-9_]*|[\d.:T/Z+-]+|\S*(?://|@\w+\.\w)\S*|-.*|[\w./-]*/[\w./-]*\.\w{1,5}"
    r"|[\w./-]+(?::\d+)+|arn:.*|[\w./-]+@v?[\d.]+|[\w./-]+:(?:v?\d[\w.-]*|latest)|[a-z]+(?:_[a-z0-9]+)+"
)
_APART: Final = re.compile(r"[\s:*|`\"'-]*|[^\n]*\|[^\n]*(?:\n[^\n]*\|[^\n]*){1,3}")
"""What may stand between a word and a value in another line: signs only, or a table."""
_ALIAS: Final = re.compile(r"[^*]?[*&$%]")
_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_HEX: Final = re.compile(r"(?:0x)?[0-9a-f]{32,128}", re.IGNORECASE)
_TOKEN: Final = re.compile(r"[A-Za-z0-9_+/=.~:$-]{20,}")
_RANDOM: Final = 0.3
_UNEVEN: Final = 3.2
_MIXED: Final = 3
"""So many kinds of characters out of four no ordinary word has."""
_KINDS: Final = (re.compile(r"[a-z]"), re.compile(r"[A-Z]"), re.compile(r"[0-9]"), re.compile(r"[!@#$%^&*?~+=_-]"))
_SIGNS: Final = re.compile(r"[!@#$%^&*?~+=]")


def values_near(text: str) -> Iterator[tuple[int, int]]:
    """Where a value stands that is like a secret, close behind a word for one."""
    seen = 0
    flat = text.encode("ascii", "replace")  # one byte a character, so that offsets are characters
    for word in compiled(_WORD).finditer(flat):
        behind = word.span()[1]
        kind = 1 if word.span(1)[1] > 0 else 2 if word.span(2)[1] > 0 else 0
        position, reach = max(seen, behind), text.find("\0", behind, behind + _FAR)
        # What is redacted already has a length of its own, so nothing is near beyond it.
        while (value := _VALUE.search(text, position, reach if reach >= 0 else behind + _FAR)) is not None:
            value = _VALUE.match(text, value.start()) or value  # what begins within reach may end beyond
            start, end = _trimmed(value)
            position = value.end()
            if _may_be(text, behind, kind, start, end):
                seen = max(end, _end(text, value))
                yield start, max(end, seen)
                break


def _end(text: str, value: re.Match[str]) -> int:
    """Where a value ends that is longer than what was looked at."""
    rest = _REST.match(text, value.end())
    return rest.end() if rest and rest.end() > value.end() else 0


def _trimmed(value: re.Match[str]) -> tuple[int, int]:
    """The value without the name that it is given to and without the signs around it."""
    # NAME=value is one word to a shell.
    name, sign, rest = value[0].partition("=")
    named = sign and rest.strip("=") and name.replace("_", "").replace("-", "").isalnum()
    start = value.start() + (len(name) + 1 if named else 0)
    bare = value[0][start - value.start() :]
    return start + len(bare) - len(bare.lstrip("*:=/-")), start + len(bare.rstrip(".,:*"))


def _may_be(text: str, behind: int, kind: int, start: int, end: int) -> bool:
    value, gap = text[start:end], text[behind:start]
    if ("\n" in gap and not _APART.fullmatch(gap)) or _ALIAS.fullmatch(text[max(0, start - 2) : start]):
        return False
    if not _KINDS[2].search(value) or is_placeholder(value) or _IDENTIFIER.fullmatch(value):
        return False
    if is_technical(value) or _INNOCENT.search(text[max(0, start - 90) : start].rpartition("\0")[2]):
        return False
    if kind == _PASSWORD:
        return len(value) <= _LONG and _is_password(value, linked=bool(_LINK.search(gap)))
    return _is_token(value, named=kind > 0)


def _is_password(value: str, *, linked: bool) -> bool:
    kinds = sum(bool(kind.search(value)) for kind in _KINDS)
    if linked:
        return kinds >= _MIXED or (kinds > 1 and jumble(value) > _RANDOM)
    return (kinds == len(_KINDS) and bool(_SIGNS.search(value[:-1]))) or (kinds >= _MIXED and jumble(value) > _RANDOM)


def _is_token(value: str, *, named: bool) -> bool:
    if not _TOKEN.fullmatch(value):
        return False
    if _HEX.fullmatch(value) or _UUID.fullmatch(value):
        return named
    return (
        jumble(value) > _RANDOM
        and entropy(value) > _UNEVEN
        and bool(_KINDS[0].search(value) and _KINDS[1].search(value))
    )
