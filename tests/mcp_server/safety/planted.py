"""Secrets that look real and never were: made from a seed, one for each shape that is known."""

import random
import string
from collections.abc import Callable
from typing import Final

_DIGITS: Final = string.digits
_UPPER: Final = string.ascii_uppercase + _DIGITS
_ALNUM: Final = string.ascii_letters + _DIGITS
_HEX: Final = "0123456789abcdef"
_URLSAFE: Final = _ALNUM + "-_"


def _some(dice: random.Random, alphabet: str, count: int) -> str:
    """Ends in letter and digit, so that it stands for itself wherever it is put."""
    return "".join(dice.choices(alphabet, k=count - 2)) + dice.choice("abcdef") + dice.choice("23456789")


def _jwt(dice: random.Random) -> str:
    return f"eyJ{_some(dice, _URLSAFE, 30)}.eyJ{_some(dice, _URLSAFE, 90)}.{_some(dice, _URLSAFE, 43)}"


def _private_key(dice: random.Random) -> str:
    body = "\n".join("".join(dice.choices(_ALNUM + "+/", k=64)) for _ in range(12))
    return f"-----BEGIN RSA PRIVATE KEY-----\n{body}\n-----END RSA PRIVATE KEY-----"


TOKENS: Final[dict[str, Callable[[random.Random], str]]] = {
    "secret:commontrace-key": lambda d: f"ct_live_{_some(d, _HEX, 8)}_{_some(d, _ALNUM, 43)}_{_some(d, _ALNUM, 6)}",
    "secret:anthropic-key": lambda d: f"sk-ant-api03-{_some(d, _URLSAFE, 95)}",
    "secret:openai-key": lambda d: f"sk-proj-{_some(d, _URLSAFE, 120)}",
    "secret:github-token": lambda d: f"gh{d.choice('pousr')}_{_some(d, _ALNUM, 36)}",
    "secret:gitlab-token": lambda d: f"glpat-{_some(d, _URLSAFE, 20)}",
    "secret:aws-access-key": lambda d: f"{d.choice(['AKIA', 'ASIA'])}{''.join(d.choices(_UPPER, k=16))}",
    "secret:google-api-key": lambda d: f"AIza{_some(d, _URLSAFE, 35)}",
    "secret:slack-token": lambda d: f"xoxb-{_some(d, _DIGITS, 12)}-{_some(d, _ALNUM, 24)}",
    "secret:slack-webhook": lambda d: (
        f"hooks.slack.com/services/T{_some(d, _UPPER, 9)}/B{_some(d, _UPPER, 9)}/{_some(d, _ALNUM, 24)}"
    ),
    "secret:stripe-key": lambda d: d.choice([f"sk_live_{_some(d, _ALNUM, 24)}", f"whsec_{_some(d, _ALNUM, 32)}"]),
    "secret:npm-token": lambda d: f"npm_{_some(d, _ALNUM, 36)}",
    "secret:pypi-token": lambda d: f"pypi-AgEIcHlwaS5vcmc{_some(d, _URLSAFE, 120)}",
    "secret:huggingface-token": lambda d: f"hf_{_some(d, _ALNUM, 34)}",
    "secret:sendgrid-key": lambda d: f"SG.{_some(d, _URLSAFE, 22)}.{_some(d, _URLSAFE, 43)}",
    "secret:jwt": _jwt,
    "secret:private-key": _private_key,
}
"""Secrets that tell what they are."""

PASSWORDS: Final = ("Xk9mPq2LrT", "t7&uW!pz0aQ", "9f86d081884c7d65", "Summer-2031!winter", "aB3dE5fG7h", "myCat4711!")
"""Secrets that only their surroundings give away."""


def token(kind: str, seed: int) -> str:
    """A secret of a kind; the same seed gives the same one."""
    return TOKENS[kind](random.Random(seed))


def luhn(digits: str) -> str:
    """Digits with the check digit of a payment card behind them."""
    total = sum(sum(divmod(2 * int(digit), 10)) for digit in digits[::-2]) + sum(map(int, digits[-2::-2]))
    return f"{digits}{-total % 10}"


def iban(country: str, account: str) -> str:
    """An account number with its two check digits."""
    rest = int("".join(str(int(char, 36)) for char in f"{account}{country}00")) % 97
    return f"{country}{98 - rest:02}{account}"
