"""How credentials stand in texts that people paste: generated, no line of it was ever in use.

A template holds its secret at `§`; the kind says what alphabet and length the secret has.
"""

import base64
import random
import string
from collections.abc import Callable
from typing import Final
from urllib.parse import quote

_ALNUM: Final = string.ascii_letters + string.digits
_URLSAFE: Final = _ALNUM + "-_"
_HEX: Final = "0123456789abcdef"
_SIGNS: Final = "!#%^*-_+=?"
_SYLLABLES: Final = [
    "ba",
    "ro",
    "ki",
    "len",
    "mor",
    "tas",
    "vi",
    "zu",
    "pel",
    "gan",
    "dri",
    "so",
    "quen",
    "hal",
    "fex",
    "jun",
    "wy",
    "tor",
]

Maker = Callable[[random.Random], str]


def _of(alphabet: str, count: int, prefix: str = "") -> Maker:
    return lambda dice: prefix + "".join(dice.choices(alphabet, k=count))


def _password(dice: random.Random) -> str:
    """As people and managers make them: words with a number, random signs, random letters and digits."""
    word = "".join(dice.choices(_SYLLABLES, k=3)).capitalize()
    return dice.choice([
        f"{word}{dice.randrange(10, 9999)}{dice.choice('!#%*')}",
        f"{word}-{dice.choice(_SYLLABLES)}{dice.randrange(10, 99)}",
        "".join(dice.choices(_ALNUM, k=dice.randrange(12, 25))) + str(dice.randrange(10)),
        "".join(dice.choices(_ALNUM + _SIGNS, k=dice.randrange(12, 20))) + "7",
        "".join(dice.choices(_HEX, k=24)) + "4f",
    ])  # fmt: skip


def _letters(dice: random.Random) -> str:
    """A password without a digit or a sign: only the name beside it can tell."""
    return "".join(dice.choices(string.ascii_letters, k=dice.randrange(14, 24)))


def _jwt(dice: random.Random) -> str:
    body = (
        base64.urlsafe_b64encode(f'{{"sub":"{dice.randrange(10**9)}","iat":1763700000}}'.encode()).decode().strip("=")
    )
    return f"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.{body}.{_of(_URLSAFE, 43)(dice)}"


def _pem(break_: str, kind: str = "RSA PRIVATE KEY") -> Maker:
    def make(dice: random.Random) -> str:
        rows = ["".join(dice.choices(_ALNUM + "+/", k=64)) for _ in range(8)]
        return break_.join([f"-----BEGIN {kind}-----", *rows, f"-----END {kind}-----"])

    return make


def _base64_of(inner: Maker, before: str = "") -> Maker:
    return lambda dice: base64.b64encode((before + inner(dice)).encode()).decode()


def _url_encoded(dice: random.Random) -> str:
    return quote("".join(dice.choices(_ALNUM + "!@#/:&", k=18)) + "@7", safe="")


KINDS: Final[dict[str, Maker]] = {
    "password": _password,
    "letters": _letters,
    "aws-id": _of(string.ascii_uppercase + "234567", 16, "AKIA"),
    "aws-secret": _of(_ALNUM + "+/", 40),
    "aws-session": _of(_ALNUM + "+/", 300, "IQoJb3JpZ2luX2Vj"),
    "gcp-key": _of(_URLSAFE, 35, "AIza"),
    "gcp-oauth": _of(_URLSAFE, 28, "GOCSPX-"),
    "azure-storage": lambda d: _of(_ALNUM + "+/", 86)(d) + "==",
    "azure-client": lambda d: f"{_of(_ALNUM, 3)(d)}8Q~{_of(_URLSAFE + '~.', 34)(d)}",
    "github": _of(_ALNUM, 36, "ghp_"),
    "github-app": _of(_ALNUM, 36, "ghs_"),
    "github-fine": lambda d: f"github_pat_{_of(_ALNUM, 22)(d)}_{_of(_ALNUM, 59)(d)}",
    "gitlab": _of(_URLSAFE, 20, "glpat-"),
    "gitlab-deploy": _of(_URLSAFE, 20, "gldt-"),
    "slack-bot": lambda d: f"xoxb-{d.randrange(10**11, 10**12)}-{d.randrange(10**12, 10**13)}-{_of(_ALNUM, 24)(d)}",
    "slack-app": lambda d: (
        f"xapp-1-A{_of(string.ascii_uppercase, 10)(d)}-{d.randrange(10**12, 10**13)}-{_of(_HEX, 64)(d)}"
    ),
    "slack-hook": lambda d: (
        f"T{_of(string.ascii_uppercase, 9)(d)}/B0{_of(string.ascii_uppercase, 8)(d)}/{_of(_ALNUM, 24)(d)}"
    ),
    "stripe": _of(_ALNUM, 24, "sk_live_"),
    "stripe-test": _of(_ALNUM, 99, "sk_test_51"),
    "stripe-restricted": _of(_ALNUM, 24, "rk_live_"),
    "openai": lambda d: f"sk-proj-{_of(_URLSAFE, 74)(d)}T3BlbkFJ{_of(_URLSAFE, 74)(d)}",
    "openai-old": lambda d: f"sk-{_of(_ALNUM, 20)(d)}T3BlbkFJ{_of(_ALNUM, 20)(d)}",
    "anthropic": lambda d: f"sk-ant-api03-{_of(_URLSAFE, 93)(d)}AA",
    "huggingface": _of(string.ascii_letters, 34, "hf_"),
    "npm": _of(_ALNUM, 36, "npm_"),
    "pypi": _of(_URLSAFE, 150, "pypi-AgEIcHlwaS5vcmc"),
    "sendgrid": lambda d: f"SG.{_of(_URLSAFE, 22)(d)}.{_of(_URLSAFE, 43)(d)}",
    "twilio-sid-key": _of(_HEX, 32, "SK"),
    "mailgun": _of(_HEX, 32, "key-"),
    "telegram": lambda d: f"{d.randrange(10**9, 10**10)}:AA{_of(_URLSAFE, 33)(d)}",
    "discord": lambda d: f"MT{_of(_ALNUM, 24)(d)}.G{_of(_ALNUM, 5)(d)}.{_of(_URLSAFE, 38)(d)}",
    "digitalocean": _of(_HEX, 64, "dop_v1_"),
    "docker": _of(_URLSAFE, 27, "dckr_pat_"),
    "groq": _of(_ALNUM, 52, "gsk_"),
    "xai": _of(_ALNUM, 80, "xai-"),
    "openrouter": _of(_HEX, 64, "sk-or-v1-"),
    "replicate": _of(_ALNUM, 37, "r8_"),
    "perplexity": _of(_ALNUM, 48, "pplx-"),
    "langsmith": lambda d: f"lsv2_pt_{_of(_HEX, 32)(d)}_{_of(_HEX, 10)(d)}",
    "pinecone": lambda d: f"pcsk_{_of(_ALNUM, 6)(d)}_{_of(_ALNUM, 60)(d)}",
    "vault": _of(_URLSAFE, 90, "hvs."),
    "terraform-cloud": lambda d: f"{_of(_ALNUM, 14)(d)}.atlasv1.{_of(_ALNUM, 60)(d)}",
    "databricks": _of(_HEX, 32, "dapi"),
    "shopify": _of(_HEX, 32, "shpat_"),
    "square": _of(_URLSAFE, 60, "EAAAE"),
    "grafana": lambda d: f"glsa_{_of(_ALNUM, 32)(d)}_{_of(_HEX, 8)(d)}",
    "linear": _of(_ALNUM, 40, "lin_api_"),
    "notion": _of(_ALNUM, 46, "ntn_"),
    "figma": _of(_URLSAFE, 40, "figd_"),
    "supabase": _of(_HEX, 40, "sbp_"),
    "planetscale": _of(_URLSAFE, 40, "pscale_tkn_"),
    "doppler": _of(_ALNUM, 43, "dp.pt."),
    "postman": lambda d: f"PMAK-{_of(_HEX, 24)(d)}-{_of(_HEX, 34)(d)}",
    "sentry": lambda d: f"sntryu_{_of(_HEX, 64)(d)}",
    "newrelic": _of(string.ascii_uppercase + string.digits, 27, "NRAK-"),
    "rubygems": _of(_HEX, 48, "rubygems_"),
    "age": _of("QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L", 58, "AGE-SECRET-KEY-1"),
    "atlassian": _of(_URLSAFE, 180, "ATATT3xFfGF0"),
    "airtable": lambda d: f"pat{_of(_ALNUM, 14)(d)}.{_of(_HEX, 64)(d)}",
    "cloudflare": _of(_URLSAFE, 40),
    "hex32": _of(_HEX, 32),
    "hex40": _of(_HEX, 40),
    "hex64": _of(_HEX, 64),
    "base64-44": lambda d: _of(_ALNUM + "+/", 43)(d) + "=",
    "alnum32": _of(_ALNUM, 32),
    "uuid": lambda d: "-".join(_of(_HEX, n)(d) for n in (8, 4, 4, 4, 12)),
    "ours": lambda d: f"ct_live_{_of(_HEX, 8)(d)}_{_of(_ALNUM, 43)(d)}_{_of(_ALNUM, 6)(d)}",
    "jwt": _jwt,
    "pem": _pem("\n"),
    "pem-json": _pem("\\n", "PRIVATE KEY"),
    "pem-openssh": _pem("\n", "OPENSSH PRIVATE KEY"),
    "pem-ec": _pem("\r\n", "EC PRIVATE KEY"),
    "b64-login": _base64_of(_password, "deploy:"),
    "b64-password": _base64_of(_password),
    "b64-github": _base64_of(_of(_ALNUM, 36, "ghp_")),
    "b64-env": _base64_of(_password, "DB_PASSWORD="),
    "urlenc": _url_encoded,
    "bcrypt": lambda d: f"$2b$12${_of(_ALNUM + './', 53)(d)}",
    "shadow": lambda d: f"$6${_of(_ALNUM, 12)(d)}${_of(_ALNUM + './', 86)(d)}",
}

PLACES: Final = {
    "environment": "export SERVICE_X=§",
    "env file": "DEBUG=0\nTHING_ID=§\nPORT=8000",
    "json": '{"with": "§", "retries": 3}',
    "yaml": "deploy:\n  with: §\n  when: always",
    "python": 'client = Client("§", timeout=3)',
    "prose": "It only works once I pass § to the client, not before.",
    "log": "2026-03-04T10:11:12Z DEBUG http: sending § to upstream",
    "markdown": "1. Paste `§` into the box",
    "address": "https://build.corp-tools.net/v1/run?with=§&page=2",
    "escaped json": '{"body": "{\\"with\\": \\"§\\"}"}',
}
"""Where a token that tells what it is may stand: nothing around it helps."""
_NOT_ALONE: Final = frozenset(
    [
        "password",
        "letters",
        "azure-storage",
        "aws-secret",
        "azure-client",
        "cloudflare",
        "hex32",
        "hex40",
        "hex64",
        "base64-44",
        "alnum32",
        "uuid",
        "urlenc",
        "square",
        "twilio-sid-key",
        "b64-login",
        "b64-password",
        "b64-github",
        "b64-env",
        "aws-session",
        "slack-hook",
    ]
)
ALONE: Final = tuple(kind for kind in KINDS if kind not in _NOT_ALONE)
