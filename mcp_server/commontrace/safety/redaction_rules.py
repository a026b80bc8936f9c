"""The shapes of secrets and personal data, as data.

Every pattern is linear or bounded: repeats are possessive, or limited where one could start at each character.
None matches NUL, which stands for what is redacted already.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from commontrace.safety.hosts import is_own_address, is_own_host
from commontrace.safety.placeholders import (
    is_placeholder,
    is_random_word,
    is_reserved_address,
    is_shared_home,
    is_technical,
)

Test = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Rule:
    """A shape of secret. Group `value`, where the pattern names one, is what is redacted."""

    type: str
    keywords: tuple[str, ...]  # lower-case; one must occur before the pattern is tried, unless there is none
    pattern: re.Pattern[str]
    holds: Test


def _any(_: str) -> bool:
    return True


def _real(value: str) -> bool:
    return not is_placeholder(value)


def _mixed(value: str) -> bool:
    """Letters together with digits or signs: a word of prose or a name in code is no password."""
    if is_technical(value):
        return False
    return _real(value) and bool(re.search(r"[A-Za-z]", value)) and bool(re.search(r"[0-9!@#$%^&*?~]", value))


def _strong(value: str) -> bool:
    """Small and capital letters and digits in no order that a word has."""
    kinds = sum(bool(re.search(kind, value)) for kind in (r"[a-z]", r"[A-Z]", r"[0-9]", r"[!@#$%^&*?~]"))
    return _mixed(value) and (kinds > 2 or len(re.findall(r"\d", value)) > 3)  # noqa: PLR2004 - "utf8", "sha256"


def _assigned(value: str) -> bool:
    """As mixed, or letters that no word has in that order."""
    return _mixed(value) or (value.isalpha() and _real(value) and is_random_word(value))


def _with_digit(value: str) -> bool:
    return _real(value) and any(char.isdigit() for char in value)


def _has_body(key: str) -> bool:
    """Whether there is something between the first line of a key and the last one, and not just dots."""
    return bool(re.search(r"[A-Za-z0-9+/=]{16}", key))


def _numbered_host(value: str) -> bool:
    """A name that no attribute of a program has: three parts, or one with a number or a hyphen."""
    return is_own_host(value) and (value.count(".") > 1 or any(char in "-0123456789" for char in value))


_TEST_CARDS: Final = frozenset(("378282246310005", "371449635398431", "30569309025904", "38520000023237"))


def _card(value: str) -> bool:
    """The checksum of payment cards (ISO/IEC 7812-1), and none of the numbers that documentation uses."""
    digits = [int(char) for char in value if char.isdigit()]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    documented = len(set(digits)) <= 4 or "".join(map(str, digits)) in _TEST_CARDS  # noqa: PLR2004 - 4242…, 4000…0002
    return not documented and (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def _iban(value: str) -> bool:
    """The checksum of ISO 13616: modulo 97 of the rearranged digits is 1."""
    compact = value.replace(" ", "").upper()
    return int("".join(str(int(char, 36)) for char in compact[4:] + compact[:4])) % 97 == 1


def _rule(kind: str, keywords: str, pattern: str, holds: Test = _any, flags: int = 0) -> Rule:
    return Rule(kind, tuple(keywords.split()), re.compile(pattern, flags | re.ASCII), holds)


_I: Final = re.IGNORECASE
_START: Final = r"(?:(?<![A-Za-z0-9])|(?<=\\[nrt]))"  # a token may follow an escaped line break
_END: Final = r"(?![A-Za-z0-9])"
_BREAK: Final = r"(?:\\[rn]|[\s>|#\"',])"  # between the lines of a key, also quoted, escaped or commented
_NAME: Final = (
    r"(?:password|passwd|passphrase|(?<![a-z])pass|pwd|secret|(?:api|app|access|account|auth|encryption|master|private|secret"
    r"|shared|shared_?access|signing)[_-]?key|token|credentials?)"
)
_SUFFIX: Final = r"(?:[_-]?(?:value|base64|b64|hash|prod|dev|test|staging|live|\d{1,2}|key(?:[_-]?base)?))?"
_TYPE: Final = (
    r"(?:[ \t]{0,3}:?[ \t]{0,3}(?:str|string|std::string|bytes|char)\b(?:[ \t]{0,2}\|[ \t]{0,2}None)?(?=[ \t]{0,3}=))?"
)
_OPENING: Final = (
    r"(?:\([ \t\r\n]{0,40}(?=[\"'`])|(?:>-?|\|-?)[ \t]{0,3}\r?\n[ \t]{1,20})?"  # a parenthesis, a YAML block
)
# A value in quotes runs to the closing one; a bare one stops at punctuation, and is no call and no subscript.
_QUOTED: Final = r"(?=[^\s\"'`\x00]{8})[^\s\"'`\x00\\]*+(?:\\(?![\"'`nrt])[^\s\"'`\x00\\]*+)*+"
_BARE: Final = r"(?![(\[])(?![A-Za-z_][\w.]*+[(\[])[^\s\"'`,;{}<>\x00\\]{8,}(?<![)\].])"
_VALUE: Final = rf"(?P<quote>\\?[\"'`])?(?P<value>(?(quote){_QUOTED}|{_BARE}))"

_INNER: Final = ".internal .corp .intranet .lan .local .private"
_HOST_NAME: Final = (
    r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.){1,6}(?:internal|corp|intranet|lan|localdomain|local|private)"
)
_HOST_END: Final = r"(?![\w-]|\.\w|\()"

RULES: Final[tuple[Rule, ...]] = (
    _rule(
        "secret:private-key",
        "private",
        r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY(?: BLOCK)?-----"
        r"(?:(?>(?:[^-\x00]|-(?!----))*)-----END [A-Z ]{0,30}PRIVATE KEY(?: BLOCK)?-----"
        rf"|(?>{_BREAK}*+[A-Za-z0-9+/=]{{16,}}+)++)",
        _has_body,
    ),
    _rule("secret:commontrace-key", "ct_", r"ct_[a-z]{2,8}_[0-9a-f]{8}_[0-9A-Za-z]{43}_[0-9A-Za-z]{6}"),
    _rule("secret:anthropic-key", "sk-ant-", _START + r"sk-ant-[\w-]{20,}+", _real),
    _rule("secret:openai-key", "sk-", _START + r"sk-[\w-]{20,}+", _with_digit),
    _rule("secret:github-token", "gh", _START + r"gh[pousr]_[A-Za-z0-9]{36,}+", _real),
    _rule("secret:github-token", "github_pat_", _START + r"github_pat_\w{22,}+", _real),
    _rule("secret:gitlab-token", "glpat-", _START + r"glpat-[\w-]{20,}+(?:\.[\w-]{2,}+)*+", _real),
    _rule("secret:aws-access-key", "akia asia", _START + r"A[KS]IA[A-Z0-9]{16}" + _END, _real),
    _rule(
        "secret:aws-secret-key",
        "secret",
        r"(?:aws_?secret\w{0,20}|secret_?access_?key)\\?[\"']?\s{0,5}[=:]\s{0,5}\\?[\"']?"
        r"(?P<value>[A-Za-z0-9/+]{40})(?![A-Za-z0-9/+])",
        _real,
        _I,
    ),
    _rule("secret:google-api-key", "aiza", _START + r"AIza[\w-]{35,}+", _real),
    _rule("secret:slack-token", "xox", _START + r"xox[abeoprs]-[A-Za-z0-9-]{10,}+", _with_digit),
    _rule("secret:slack-webhook", "hooks.slack.com", r"hooks\.slack\.com/(?:services|workflows)/[\w/]{20,}+", _real),
    _rule("secret:stripe-key", "k_live_ k_test_", _START + r"[sr]k_(?:live|test)_[A-Za-z0-9]{16,}+", _real),
    _rule("secret:stripe-key", "whsec_", _START + r"whsec_[A-Za-z0-9+/]{24,}+", _real),
    _rule("secret:npm-token", "npm_", _START + r"npm_[A-Za-z0-9]{36}" + _END, _real),
    _rule("secret:pypi-token", "pypi-", _START + r"pypi-[\w-]{50,}+", _real),
    _rule("secret:huggingface-token", "hf_", _START + r"hf_[A-Za-z0-9]{30,}+", _real),
    _rule("secret:sendgrid-key", "sg.", _START + r"SG\.[\w-]{16,64}\.[\w-]{30,}+", _real),
    _rule("secret:jwt", "eyj", r"(?:(?<![\w-])|(?<=\\[nrt]))eyJ[\w-]{8,}+\.[\w-]{8,}+\.[\w-]{8,}+(?:\.[\w-]++)*+"),
    _rule(
        "secret:bearer",
        "bearer basic authorization",
        r"\b(?:bearer|basic|authorization:[ \t]{0,3}token)[ \t]{1,5}(?P<value>[A-Za-z0-9._~+/-]{20,}+={0,2})",
        _with_digit,
        _I,
    ),
    _rule(
        "secret:url-password",
        "://",
        r"[a-z][a-z0-9+.-]{1,20}://[^\s:/@\"'<>\x00]{0,100}:"
        r"(?P<value>[^\s/\"'<>`\x00]{3,200})@(?!sha\d{3}:)(?=[\w.$%{\[])",
        _real,
        _I,
    ),
    _rule(
        "secret:login",
        "curl wget http",
        r"\b(?:curl|wget|https?)\b[^\n\x00]{0,200}?[ \t](?:-u|--user)[ =]?[\"']?[^\s:\"'\x00]{1,100}:"
        r"(?P<value>[^\s\"'\x00]{4,}+)",
        _real,
    ),
    _rule(
        "secret:assignment",
        "pass secret token key credential pwd",
        _NAME + _SUFFIX + r"\\?[\"'`]?\]?" + _TYPE + r"[ \t]{0,5}(?:=>|:=|:-|==?|:|<-)[ \t]{0,5}" + _OPENING + _VALUE,
        _assigned,
        _I,
    ),
    _rule("secret:option", "--", rf"(?<![\w-])--[a-z-]{{0,20}}{_NAME}[ \t]{{1,5}}{_VALUE}", _assigned, _I),
    _rule(
        "secret:prose-password",
        "passw passphrase",
        r"\b(?:password|passphrase)[ \t]{1,3}(?:is|was|of|to)[ \t]{1,3}[\"'`]?(?P<value>[^\s\"'`\x00]{6,}+)",
        _mixed,
        _I,
    ),
    _rule(
        "secret:prose-secret",
        "token key secret",
        r"\b(?:token|(?:api|access)[ -]key|secret)[ \t]{1,3}(?:is|was)[ \t]{1,3}[\"'`]?"
        r"(?P<value>[^\s\"'`\x00]{12,}+)",
        _strong,
        _I,
    ),
    _rule(
        "pii:email",
        "@",
        r"(?<![A-Za-z0-9])[A-Za-z0-9][\w.+-]{0,63}@(?:[A-Za-z0-9-]{1,63}\.){1,5}[A-Za-z]{2,24}\b",
        lambda value: not is_reserved_address(value),
    ),
    _rule(
        "pii:card",
        "",
        r"(?<![\w.-])(?:(?:4\d|5[1-5]|2[2-7]|35|6[0245])\d{2}(?:[ -]?\d{4}){3}|3[47]\d{2}[ -]?\d{6}[ -]?\d{5}"
        r"|3[068]\d{2}[ -]?\d{6}[ -]?\d{4})(?![\w-]|\.\d)",
        _card,
    ),
    _rule("pii:iban", "", r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7} ?[A-Z0-9]{1,3}\b", _iban),
    _rule("pii:iban", "", r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}\b", _iban),  # what follows may be a word
    _rule(
        "pii:user-name",
        "home/ users",
        r"(?:(?<![\w.])/home/|/Users/|\b[A-Za-z]:[\\/]{1,4}Users[\\/]{1,4})(?P<value>[A-Za-z0-9](?:[\w.-]{0,60}\w)?)(?![\w-])",
        lambda value: not is_shared_home(value),
    ),
    _rule("pii:host", _INNER, rf"(?:(?<=://)|(?<=@))(?P<value>{_HOST_NAME}){_HOST_END}", is_own_host, _I),
    _rule("pii:host", _INNER, rf"(?<![\w.@/-])(?P<value>{_HOST_NAME})(?=:\d{{2,5}}\b)", is_own_host, _I),
    _rule("pii:host", _INNER, rf"(?<![\w.@/\\-])(?P<value>{_HOST_NAME}){_HOST_END}", _numbered_host, _I),
    _rule(
        "pii:host",
        "10. 192.168. 172.",
        r"(?<![\w.:-])(?P<value>(?:10\.\d{1,3}|192\.168|172\.(?:1[6-9]|2\d|3[01]))\.\d{1,3}\.\d{1,3})(?![\w-]|/\d|\.\d)",
        is_own_address,
    ),
)
