"""What stands where a secret would: examples, variables, words that tell the reader to put their own."""

import re
from typing import Final

_WORDS: Final = (
    "a abc access account admin administrator an any api apikey app auth bar baz bearer bot change changeme"
    " client connection cred credential credentials database db default demo dev devel development docker dummy"
    " encryption example fake file foo generated go goes guest hash hashed hello here id in insecure insert"
    " is it jwt key letmein local localhost long me mongo mongodb must my myapp mypass mysecret mysql name new"
    " none not null of old one open or our page pass passphrase passwd password personal pg placeholder postgres"
    " postgresql private prod production public push pwd qux random real redis refresh replace reset role root"
    " safe sample secret secrets secure server service set shared signing some stage staging store string strong"
    " super temp temporary test testing the this tmp token top unused user username value very webhook with world"
    " xyz your"
)
# Longest first, each taken whole and never given back: linear however long the value is.
_WORD: Final = "|".join(sorted(_WORDS.split(), key=len, reverse=True))
_PLAIN_WORDS: Final = re.compile(rf"(?>(?>{_WORD})[-_.:@ ]*+)++\d{{0,4}}[!?.]{{0,2}}\Z", re.IGNORECASE)
_TELLING: Final = re.compile(
    r"example|placeholder|change[-_]?me|redacted|dummy|your[-_ ]|[-_]here\b|xxxx|\*\*\*|\.\.\.|…|<|>|1234567890",
    re.IGNORECASE,
)
_REFERENCE: Final = re.compile(
    r"\$\{.*|\$\(.*|\$[A-Z_][A-Z0-9_]*|\$[a-z_]+|#\{.*|\{\{?.*|%\w+%|%\(\w+\)s|%[sdr]|\[.*\]?"  # filled in when run
    r"|[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*_(?:KEY|SECRET|TOKEN|PASSWORD|PASSWD|PASS|PWD|ID|VALUE)S?(?:_[A-Z]+)?"  # a constant
    r"|(?:os|env|process|settings|config|secrets|vars|var|self|this|github|request|args|options|data)\.[\w.\[]+.*"
    r"|[a-z_]{2,30}=(?:None|True|False|null|\d{1,9}|[a-z_]{2,40})"  # another argument
    r"|[*&]\w+|[a-z]+://[^:@]*|(?:~|\.{1,2})?(?:/[a-z0-9_.-]+)+/?"  # where it is kept
)
_REPEATING: Final = 3


def is_placeholder(value: str) -> bool:
    """Whether a value is an example, a reference, a path or made of ordinary words, not somebody's secret."""
    value = value.strip("\"'`").lstrip("?:=+-")
    return len(set(value)) <= _REPEATING or _stands_in(value)  # "aaaa", "1212"


def _stands_in(value: str) -> bool:
    return bool(_REFERENCE.fullmatch(value) or _PLAIN_WORDS.match(value) or _TELLING.search(value))


_SHORTEST: Final = 10
_CONSONANTS: Final = re.compile(r"[bcdfghjklmnpqrstvwxz]{5}", re.IGNORECASE)
_SWITCH: Final = re.compile(r"[a-z][A-Z]|[A-Z]{2}[a-z]")


def is_random_word(letters: str) -> bool:
    """Whether letters stand in an order that neither words nor camelCase have: nobody could say them."""
    if len(letters) < _SHORTEST or letters.isupper():
        return False
    return len(_SWITCH.findall(letters)) * 4 >= len(letters) or bool(_CONSONANTS.search(letters))


_PART: Final = re.compile(r"[-_./+]")
_TECHNICAL: Final = re.compile(
    r"[a-z]*|\d{1,3}(?:[a-z]{1,5})?|(?:base|sha|md|utf|rfc|ipv|aes|rsa|python|py|http|win)\d{1,5}[a-z]{0,8}"
    r"|(?:pbkdf2|argon2|oauth2?|x509|x86|s3|ec2|k8s|i18n|l10n|p256|p12|h2|h264|v\d{1,3})[a-z]{0,12}(?:\d{1,3})?",
    re.IGNORECASE,
)


def is_technical(value: str) -> bool:
    """Whether a value with digits names a format, an algorithm or a version, as base64-encoded or Python-3.11."""
    return all(_TECHNICAL.fullmatch(part) for part in _PART.split(value.rstrip(".,:;")))


_ROLES: Final = (
    "alerts ci contact email git help info mail no-reply noreply notifications ops postmaster sales security someone"
    " support team webmaster you"
)
_RESERVED_HOST: Final = re.compile(
    r"(?:^|\.)(?:example|test|invalid|localhost|local)(?:\.\w+)?\Z|(?:^|\.)(?:my|your|some)[\w-]*\.\w+\Z"
    r"|^v?\d+\.\d|\.(?:png|jpe?g|gif|svg|webp|m?js|ts|py|json|css|html?)\Z"  # a version, a file
    r"|(?:^|\.)(?:email|domain|company|corp|acme|foo|bar|site|host|mail)\.(?:com|org|net|io)\Z|^lists?\."
    r"|users\.noreply\."
)


def is_reserved_address(address: str) -> bool:
    """Whether an e-mail address is an example (RFC 2606), a role or a mailing list, and so nobody's own."""
    name, _, host = address.lower().partition("@")
    return name in _ROLES.split() or bool(_PLAIN_WORDS.match(name) or _RESERVED_HOST.search(host))


_SHARED_HOMES: Final = (
    "administrator app appuser azureuser circleci codespace coder default deploy developer docker ec2-user git"
    " gitpod jovyan linuxbrew me myuser name node nonroot public root runner sandbox shared ubuntu user username"
    " vagrant vscode www you your_name yourname your-user your-username youruser yourusername"
)


def is_shared_home(name: str) -> bool:
    """Whether a home directory belongs to an image, a service or an example, and so names nobody."""
    return name.lower() in _SHARED_HOMES.split() or _stands_in(name)
