"""Secrets and personal data replaced in place by typed markers."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Found:
    """What was redacted and where: character offsets into the text that was given."""

    type: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Redacted:
    """The text with markers in place of what was found."""

    text: str
    found: tuple[Found, ...]


@dataclass(frozen=True, slots=True)
class _Rule:
    """A shape of secret. Group `value`, where the pattern names one, is what is redacted."""

    type: str
    keywords: tuple[str, ...]  # lower-case; one must occur before the pattern is tried
    pattern: re.Pattern[str]
    holds: Callable[[str], bool] = lambda _: True


_PLACEHOLDER: Final = re.compile(
    r"(?:x{3,}|\*{3,}|\.{3,}|…|<[^>]*>|\$\{?\w+\}?|\{\{?.*\}?\}|%\w+%|(?:your|my|the|some|a)[-_ ]?.*|.*(?:example|placeholder"
    r"|changeme|change_me|redacted|dummy|sample|fake|insert|replace|secret_?here|token_?here|key_?here).*"
    r"|pass(?:word|wd)?\d{0,3}|pwd|user|admin|root|test\w{0,4}|secret|token|none|null|true|false|foo\w*|bar|postgres|mysql"
    r"|guest|hunter2|mypassword|os\.\w+.*|process\.env.*|env[.\[].*|getenv.*|settings\..*|config\..*)\Z",
    re.IGNORECASE,
)


def _real(value: str) -> bool:
    """Not a placeholder, and not one character over and over."""
    return not _PLACEHOLDER.match(value) and len(set(value)) > 3  # noqa: PLR2004 - "aaaa", "1212"


def _luhn(value: str) -> bool:
    """The checksum of payment cards (ISO/IEC 7812-1)."""
    digits = [int(char) for char in value if char.isdigit()]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return len(set(digits)) > 1 and (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def _iban(value: str) -> bool:
    """The checksum of ISO 13616: modulo 97 of the rearranged digits is 1."""
    compact = value.replace(" ", "").upper()
    return int("".join(str(int(char, 36)) for char in compact[4:] + compact[:4])) % 97 == 1


def _personal(value: str) -> bool:
    name, _, host = value.lower().partition("@")
    reserved = re.search(
        r"(?:^|\.)(?:example|test|invalid|localhost|local)(?:\.(?:com|org|net))?\Z|^email\.com\Z|^domain\.", host
    )
    return not reserved and name not in {"git", "user", "name", "you", "me", "noreply", "no-reply"}


def _rule(
    kind: str, keywords: str, pattern: str, holds: Callable[[str], bool] = lambda _: True, flags: int = 0
) -> _Rule:
    return _Rule(kind, tuple(keywords.split()), re.compile(pattern, flags), holds)


_I: Final = re.IGNORECASE
_RULES: Final[tuple[_Rule, ...]] = (
    _rule(
        "secret:private-key",
        "private",
        r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY(?: BLOCK)?-----[\s\S]{0,10000}?(?:-----END [A-Z ]{0,30}PRIVATE KEY(?: BLOCK)?-----|\Z)",
    ),
    _rule("secret:commontrace-key", "ct_", r"\bct_[a-z]{2,8}_[0-9a-f]{8}_[0-9A-Za-z]{43}_[0-9A-Za-z]{6}\b"),
    _rule("secret:anthropic-key", "sk-ant-", r"\bsk-ant-[\w-]{20,200}"),
    _rule("secret:openai-key", "sk-", r"\bsk-(?:proj-|svcacct-|admin-)?[A-Za-z0-9_-]{20,200}", _real),
    _rule("secret:github-token", "gh github_pat_", r"\b(?:gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_\w{22,255})\b"),
    _rule("secret:gitlab-token", "glpat-", r"\bglpat-[\w-]{20,60}"),
    _rule("secret:aws-access-key", "akia asia", r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b", lambda value: "EXAMPLE" not in value),
    _rule(
        "secret:aws-secret-key",
        "aws",
        r"aws_?secret\w{0,20}[\"']?\s{0,5}[=:]\s{0,5}[\"']?(?P<value>[A-Za-z0-9/+]{40})\b",
        _real,
        _I,
    ),
    _rule("secret:google-api-key", "aiza", r"\bAIza[\w-]{35}"),
    _rule("secret:slack-token", "xox", r"\bxox[abeoprs]-[A-Za-z0-9-]{10,200}"),
    _rule(
        "secret:slack-webhook",
        "hooks.slack.com",
        r"https://hooks\.slack\.com/(?:services|workflows)/[A-Za-z0-9+/]{20,100}",
    ),
    _rule(
        "secret:stripe-key",
        "sk_ rk_ whsec_",
        r"\b(?:[sr]k_(?:live|test)_[A-Za-z0-9]{16,120}|whsec_[A-Za-z0-9]{24,80})\b",
    ),
    _rule("secret:npm-token", "npm_", r"\bnpm_[A-Za-z0-9]{36}\b"),
    _rule("secret:pypi-token", "pypi-", r"\bpypi-[\w-]{50,300}"),
    _rule("secret:huggingface-token", "hf_", r"\bhf_[A-Za-z]{30,60}\b"),
    _rule("secret:sendgrid-key", "sg.", r"\bSG\.[\w-]{16,40}\.[\w-]{30,60}"),
    _rule("secret:jwt", "eyj", r"\beyJ[\w-]{8,2000}\.eyJ[\w-]{8,4000}\.[\w-]{8,2000}"),
    _rule(
        "secret:bearer",
        "bearer basic authorization",
        r"\b(?:bearer|basic|authorization:\s{0,3}token)\s{1,5}(?P<value>[A-Za-z0-9._~+/-]{20,2000}={0,2})",
        lambda value: _real(value) and any(char.isdigit() for char in value),
        _I,
    ),
    _rule(
        "secret:url-password",
        "://",
        r"[a-z][a-z0-9+.-]{1,20}://[^\s:/@\"'<>]{0,100}:(?P<value>[^\s/@\"'<>]{3,200})@",
        _real,
        _I,
    ),
    _rule(
        "secret:assignment",
        "passw passphrase secret token api apikey credential pwd",
        r"(?:\b|_)(?:password|passwd|passphrase|pwd|secret(?:_?key)?|api_?key|(?:access_?|auth_?|refresh_?|bot_?)?token"
        r"|client_?secret|credentials?)[\"']?\s{0,5}(?:=>|:=|[=:])\s{0,5}[\"']?(?P<value>[^\s\"'`,;(){}\[\]<>]{8,200})",
        lambda value: _real(value) and _mixed(value),
        _I,
    ),
    _rule(
        "secret:prose-password",
        "passw passphrase",
        r"\b(?:password|passphrase)\s{1,3}(?:is|was|=)\s{1,3}[\"'`]?(?P<value>[^\s\"'`]{6,100})",
        lambda value: _real(value) and _mixed(value),
        _I,
    ),
    _rule("pii:email", "@", r"\b[A-Za-z0-9][\w.+-]{0,63}@(?:[A-Za-z0-9-]{1,63}\.){1,5}[A-Za-z]{2,24}\b", _personal),
    _rule("pii:card", "0 1 2 3 4 5 6 7 8 9", r"(?<![\w.-])[3-6]\d{3}(?:[ -]?\d{4}){2}[ -]?\d{2,4}(?![\w.-])", _luhn),
    _rule("pii:iban", "0 1 2 3 4 5 6 7 8 9", r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b", _iban),
    _rule(
        "pii:user-name",
        "/home/ /users/ \\users\\",
        r"(?:/home/|/Users/|[A-Za-z]:\\Users\\)(?P<value>[A-Za-z0-9][\w.-]{0,60})(?=[/\\:\"'\s]|\Z)",
        lambda value: value.lower() not in _SHARED_HOMES and not _PLACEHOLDER.match(value),
    ),
)
_SHARED_HOMES: Final = frozenset(
    "app user username name runner vscode node ubuntu ec2-user circleci jovyan shared public default me you".split()  # noqa: SIM905
)


def _mixed(value: str) -> bool:
    """Letters together with digits or signs: a word of prose or a name in code is no password."""
    return bool(re.search(r"[A-Za-z]", value)) and bool(re.search(r"[0-9!@#$%^&*?+/~-]", value)) and "(" not in value


def redact(text: str) -> Redacted:
    """Replace every secret and personal datum by `[redacted TYPE]`. Redacting twice changes nothing."""
    found = _without_overlaps(sorted(_matches(text), key=lambda item: (item.start, -item.end)))
    if not found:
        return Redacted(text, ())
    parts, position = [], 0
    for item in found:
        parts += [text[position : item.start], f"[redacted {item.type}]"]
        position = item.end
    return Redacted("".join([*parts, text[position:]]), tuple(found))


def _matches(text: str) -> Iterator[Found]:
    lowered = text.lower()
    for rule in _RULES:
        if any(keyword in lowered for keyword in rule.keywords):
            group = "value" if "value" in rule.pattern.groupindex else 0
            for match in rule.pattern.finditer(text):
                if "[redacted" not in match[0] and rule.holds(match[group]):
                    yield Found(rule.type, match.start(group), match.end(group))


def _without_overlaps(ordered: list[Found]) -> list[Found]:
    kept: list[Found] = []
    for item in ordered:
        if not kept or item.start >= kept[-1].end:
            kept.append(item)
    return kept
