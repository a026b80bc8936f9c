"""The rules that are data: each finds what it is for, leaves examples alone, and costs what a text is long."""

import random
import string
import subprocess
import sys
import tomllib
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commontrace.safety.redaction import redact
from commontrace.safety.secret_rules import found_in
from mcp_server.safety.planted import PASSWORDS

RULES = files("commontrace.safety") / "rules"
OWN = tomllib.loads((RULES / "own.toml").read_text("utf-8"))["rules"]
THEIRS = [rule for rule in tomllib.loads((RULES / "gitleaks.toml").read_text("utf-8"))["rules"] if "regex" in rule]

ALNUM = string.ascii_letters + string.digits
HEX = string.digits + "abcdef"


def some(alphabet: str, count: int, seed: int = 1) -> str:
    return "".join(random.Random(f"{alphabet}{count}{seed}").choices(alphabet, k=count))


def strong(count: int, seed: int = 1) -> str:
    """Looks like a password that a machine chose."""
    return f"k{some(ALNUM, count - 6, seed)}7Q!x2"


LOWER_WORDS = " ".join(some("aeiourstln", 5, number) for number in range(12))

# For each rule of our own: texts, and in each the secret that must go while all the rest stays.
PLANTED: dict[str, list[tuple[str, str]]] = {
    "model-provider-key": [
        ("GROQ {} fails", f"gsk_{some(ALNUM, 52)}"),
        ("use {}", f"xai-{some(ALNUM, 80)}"),
        (r"\n{}", f"r8_{some(ALNUM, 37)}"),
        ("`{}`", f"nvapi-{some(ALNUM, 64)}"),
        ("pc={}", f"pcsk_{some(ALNUM, 6)}_{some(ALNUM, 63)}"),
        ("({})", f"lsv2_pt_{some(HEX, 32)}_{some(HEX, 10)}"),
    ],
    "developer-tool-token": [
        ("pull with {} now", f"dckr_pat_{some(ALNUM, 27)}"),
        ("sb {}", f"sbp_{some(HEX, 40)}"),
        ("{}", f"figd_{some(ALNUM, 40)}"),
        ("up --authkey={}", f"tskey-auth-{some(ALNUM, 12)}-{some(ALNUM, 32)}"),
    ],
    "service-key": [
        ("client {}", f"GOCSPX-{some(ALNUM, 28)}"),
        ("{} expired", f"ya29.{some(ALNUM, 120)}"),
        ("MG {}", f"key-{some(HEX, 32)}"),
        ("MC {}", f"{some(HEX, 32)}-us12"),
    ],
    "registry-token": [
        ("//registry.corp.net/:_auth={}", some(ALNUM, 24)),
        ('{{"auths": {{"r.corp.net": {{"auth": "{}"}}}}}}', some(ALNUM, 28)),
    ],
    "azure-key": [("https://x.blob.core.windows.net/c?sr=b&sig={}&se=2031", f"{some(ALNUM, 43)}%3D")],
    "webhook": [("POST https://discord.com/api/webhooks/{}", f"{some('123456789', 18)}/{some(ALNUM, 68)}")],
    "bot-token": [
        ("https://api.telegram.org/bot{}/getMe", f"{some('123456789', 10)}:AA{some(ALNUM, 33)}"),
        ("client.run('{}')", f"M{some(ALNUM, 23)}.{some(ALNUM, 6)}.{some(ALNUM, 38)}"),
    ],
    "private-key": [
        (
            "PuTTY-User-Key-File-3: ssh-rsa\nPrivate-Lines: 2\n{}\nPrivate-MAC: 0",
            f"{some(ALNUM, 64)}\n{some(ALNUM, 40)}",
        ),
        ("    client-key-data: {}", f"LS0tLS1CRUdJTiBSU0EgUFJJVkFURSBLRVktLS0tLQ{some(ALNUM, 200)}"),
        ("wallet key 0x{} leaked", some(HEX, 64)),
        ("{} is the master", f"xprv{some(ALNUM, 107)}"),
    ],
    "seed-phrase": [("seed phrase: {}.", LOWER_WORDS)],
    "password-hash": [
        ("row: $2b$12${}".replace("$2b$12$", ""), f"$2b$12${some(ALNUM, 53)}"),
        ("root:{}:19000:0", f"$6${some(ALNUM, 8)}${some(ALNUM, 86)}"),
    ],
    "header": [("authorization: {}", some(ALNUM, 32)), ("ocp-apim-subscription-key: {}", some(HEX, 32))],
    "session": [("session_id={}", some(ALNUM, 32))],
    "cookie": [("Cookie: theme=dark; my_sid={}; a=b", some(ALNUM, 32))],
    "url-token": [
        ("https://{}@o1.ingest.corp.net/2", some(HEX, 32)),
        ("git clone https://{}@gitlab.corp.net/x.git", some(ALNUM, 26)),
    ],
    "url-parameter": [("GET /v1?x=1&code={}&page=2", some(ALNUM, 32))],
    "paired-value": [
        ('define("DB_PASSWORD", "{}");', strong(14)),
        ("<Password>{}</Password>", strong(14)),
        ("ENV API_TOKEN {}\n", some(ALNUM, 40)),
        ("- name: POSTGRES_PASSWORD\n  value: {}\n", strong(14)),
    ],
    "login": [
        ("sshpass -p {} ssh root@10.0.0.4", strong(12)),
        ("mysql -u root -p{} app", strong(12)),
        ("docker login -u ann -p {} r.corp.net", strong(12)),
        ("redis-cli -h cache -a {} ping", strong(12)),
        ("machine corp.net login ann password {}", strong(12)),
        ("ALTER USER app IDENTIFIED BY '{}';", strong(12)),
        ("db.corp.net:5432:app:ann:{}", strong(12)),
        ("sqlplus ann/{}@db", strong(12)),
        ('requests.get(url, auth=("ann", "{}"))', strong(12)),
        ("echo '{}' | sudo -S reboot", strong(12)),
    ],
    "following-value": [
        ("keytool -genkey -storepass {} -v", strong(12)),
        ("Set-Item env:DB_PASSWORD {}", strong(12)),
        ("denied using password {}", strong(12)),
    ],
    "prose-login": [("I logged in with ann / {} and saw", strong(12)), ("creds: ann / {}", strong(14))],
    "prose-password": [
        ("the password for the staging box is {}", strong(12)),
        ("we changed it to {} after the password leaked", strong(12)),
    ],
    "prefixed-token": [("it {} works", f"vendor_{some(ALNUM, 40)}"), ("x={};", f"acme_live_{some(ALNUM, 32)}")],
    "call": [("options.setPassword('{}')", strong(12)), ('new Credentials("ann", "{}")', strong(12))],
    "default": [
        ('os.getenv("DB_PASSWORD", "{}")', strong(14)),
        ("process.env.API_SECRET || '{}'", strong(14)),
        ('P="${{DB_PASSWORD:-{}}}"', strong(14)),
    ],
    "assignment": [('variable "db_password" {{\n  type = string\n  default = "{}"\n}}', strong(12))],
    "option": [
        ("xfreerdp /u:ann /p:{} /v:host", strong(12)),
        ("smbclient //fs/share -U 'ann%{}'", strong(12)),
        ("lftp -u ann,{} host", strong(12)),
        ("openssl rsa -in a.pem -passin pass:{}", strong(12)),
        ("7z x -p{} a.7z", strong(12)),
        ("useradd -p {} ann", strong(12)),
        ("sqlcmd -S db -U sa -P {}", strong(12)),
        ('send "{}\\r"', strong(12)),
        ("gh secret set DEPLOY --body {}", strong(20)),
    ],
}
CASES = [(kind, text, secret) for kind, rows in PLANTED.items() for text, secret in rows]


def test_every_rule_of_our_own_is_planted_here() -> None:
    assert set(PLANTED) == {rule["id"] for rule in OWN}


@pytest.mark.parametrize(("kind", "text", "secret"), CASES, ids=[text[:40] for _, text, _ in CASES])
def test_a_rule_of_our_own_finds_its_secret_and_nothing_beside_it(kind: str, text: str, secret: str) -> None:
    whole = text.format(secret)
    assert f"secret:{kind}" in {found for start, end, found in found_in(whole) if whole[start:end] == secret}
    before, after = text.format("\0").split("\0")
    redacted = redact(whole).text
    assert redacted.startswith(before)
    assert redacted.endswith(after)
    assert secret not in redacted


@pytest.mark.parametrize(
    ("kind", "secret"),
    [
        ("digitalocean-pat", f"dop_v1_{some(HEX, 64)}"),
        ("grafana-service-account-token", f"glsa_{some(ALNUM, 32)}_{some(HEX, 8)}"),
        ("linear-api-key", f"lin_api_{some(ALNUM, 40).lower()}"),
        ("shopify-access-token", f"shpat_{some(HEX, 32)}"),
        ("databricks-api-token", f"dapi{some(HEX, 32)}"),
        ("planetscale-api-token", f"pscale_tkn_{some(ALNUM, 40)}"),
        ("perplexity-api-key", f"pplx-{some(ALNUM, 48)}"),
    ],
)
def test_the_rules_of_gitleaks_are_in_force(kind: str, secret: str) -> None:
    assert redact(f"It fails with {secret} since.").text == f"It fails with [redacted secret:{kind}] since."


def test_a_rule_may_say_which_of_its_groups_is_the_secret() -> None:
    secret = f"squ_{some(HEX, 40)}"
    found = [(12, 12 + len(secret), "secret:sonar-api-token")]
    assert [*found_in(f"sonar_login:{secret}\n")] == found


def test_a_rule_that_knows_least_names_a_secret_last() -> None:
    assert redact(f"doppler_key = dp.pt.{some(ALNUM, 43)}").text == "doppler_key = [redacted secret:doppler-api-token]"
    assert redact(f"turnkey_auth = {some(ALNUM, 31)}").text == "turnkey_auth = [redacted secret:generic-api-key]"


@pytest.mark.parametrize(
    "text",
    [
        "AIzaSyabcdefghijklmnopqrstuvwxyz1234567",  # allowed by name
        "keyboard_key = abc1234567890defgh",  # allowed by the word beside it
        "RUN --mount=type=secret,id=auth_key=abcdEFGH1234ijkl",  # allowed by the line it stands in
        "cache_key = cache-version-2024-database-1",  # allowed by its words
        "auth_value = 111111111111111111111112",  # too few different characters
        "ENV API_TOKEN ${API_TOKEN}",
        "mysql -u root -ppassword app",
        'requests.get(url, auth=("user", "password"))',
        "<password>changeme123</password>",
        "Cookie: sessionid=<your-session-id-goes-here>",
        "the token Base64Url is not the same as Base64",
        "docker login -u user -p $DOCKER_PASSWORD1",
        "connect with user/password, or sign in with Google: see https://host.corp.net/docs",
    ],
)
def test_what_only_looks_like_a_secret_is_left_alone(text: str) -> None:
    assert list(found_in(text)) == []


def test_offsets_are_characters_whatever_stands_before() -> None:
    secret = f"dop_v1_{some(HEX, 64)}"
    for prefix in ("é", "漢字", "😀 ", "\ud800 ", "ﬁ"):
        for name in ("", "my_key = "):
            [(start, end), *_] = {found[:2] for found in found_in(f"{prefix} {name}{secret} \ud800ü")}
            assert (start, end) == (len(prefix) + len(name) + 1, len(prefix) + len(name) + 1 + len(secret))


texts: st.SearchStrategy[str] = st.one_of(
    st.sampled_from([text.format(secret) for _, text, secret in CASES]),
    st.sampled_from([text.split("{}", maxsplit=1)[0] for _, text, _ in CASES]),
    st.sampled_from([*PASSWORDS, "[redacted secret:1password-secret-key]", "[redacted ", "é", "\0", "\n", '"']),
    st.text(max_size=10),
)


@given(st.lists(texts, max_size=8).map("".join))
def test_what_is_redacted_stays_so(text: str) -> None:
    once = redact(text)
    assert redact(once.text).text == once.text
    assert all(0 <= found.start < found.end <= len(text) for found in once.found)


SIZE = 64 * 1024
UNITS = [text.format(secret) + " " for _, text, secret in CASES] + [text.split("{}")[0] for _, text, _ in CASES]


@pytest.mark.parametrize("unit", [unit for unit in UNITS if unit], ids=lambda unit: repr(unit[:30]))
def test_64_kib_of_what_a_rule_looks_for_hide_no_secret(unit: str) -> None:
    secret = f"dop_v1_{some(HEX, 64)}"
    text = (unit * (SIZE // len(unit) + 1))[:SIZE]
    assert secret not in redact(f"{text}\n\n{secret}\n").text


def test_keywords_are_lower_case_for_they_are_sought_in_lower_case() -> None:
    keywords = {keyword for rule in (*OWN, *THEIRS) for keyword in rule["keywords"]}
    assert {keyword for keyword in keywords if keyword != keyword.lower()} == set()


def test_the_rules_of_others_carry_their_licence() -> None:
    notice = (RULES / "gitleaks.toml").read_text("utf-8")[:2000]
    assert "github.com/gitleaks/gitleaks" in notice
    assert "MIT License" in notice
    assert "Copyright (c) 2019 Zachary Rice" in notice


def test_the_engine_is_not_imported_before_it_is_needed() -> None:
    code = "import sys, commontrace.safety.redaction; assert 're2' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
