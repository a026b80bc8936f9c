"""What is somebody's secret goes, what is an example stays, and a marker says what was there."""

import random
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commontrace.safety.redaction import redact
from commontrace_backend.contributors.keys import new_key
from mcp_server.safety.planted import PASSWORDS, TOKENS, iban, luhn, token

# How a token meets a reader. Each holds it once, at `{}`.
PLACES = {
    "environment": "export SERVICE_X={}",
    "quoted environment": 'ENV DEPLOY_WITH="{}"',
    "yaml": "jobs:\n  deploy:\n    with: {}\n    when: always",
    "json": '{{"with": "{}", "retries": 3}}',
    "json in json": '{{"body": "{{\\"with\\": \\"{}\\"}}"}}',
    "line of a json log": '{{"log": "started\\n{}\\nstopped"}}',
    "prose": "It works once I pass {}, but not after.",
    "markdown": "Use `{}` here.",
    "header": "X-Service: {}",
    "address": "https://host.corp.net/v1?with={}&page=2",
    "argument": "tool --with {} --verbose",
    "call": 'client = Client(with_="{}", retries=3)',
    "traceback": "ValueError: cannot use {}",
    "diff": "-old\n+{}\n",
}
# A token starts at a mark of some kind; where letters run into it there is none.
ONE_LINE = [kind for kind in TOKENS if kind != "secret:private-key"]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("kind", ONE_LINE)
def test_a_token_is_found_wherever_it_stands(kind: str, place: str) -> None:
    for seed in range(5):
        secret = token(kind, seed)
        text = PLACES[place].format(secret)
        redacted = redact(text)
        assert secret not in redacted.text
        assert redacted.text == PLACES[place].format(f"[redacted {kind}]")
        [found] = redacted.found
        assert (found.type, text[found.start : found.end]) == (kind, secret)


def test_a_key_of_our_own_is_found() -> None:
    key = new_key("test").text
    assert redact(f"COMMONTRACE_API_KEY={key}").text == "COMMONTRACE_API_KEY=[redacted secret:commontrace-key]"


@pytest.mark.parametrize("begin", ["RSA PRIVATE KEY", "PRIVATE KEY", "OPENSSH PRIVATE KEY", "PGP PRIVATE KEY BLOCK"])
@pytest.mark.parametrize("line_break", ["\n", "\\n", "\r\n", "\n    ", "\n> ", '",\n"', "\n# "], ids=repr)
@pytest.mark.parametrize("whole", [True, False])
def test_a_private_key_goes_whole(begin: str, line_break: str, whole: bool) -> None:
    key = token("secret:private-key", 7).replace("RSA PRIVATE KEY", begin)
    key = key if whole else key.rpartition("\n")[0]
    redacted = redact(f"my key: {line_break.join(key.split(chr(10)))}\n\nAnd then it failed.")
    assert redacted.text == "my key: [redacted secret:private-key]\n\nAnd then it failed."


def test_a_private_key_without_its_end_takes_no_prose_along() -> None:
    text = "The file must begin with -----BEGIN PRIVATE KEY----- and hold the key in lines of 64 characters."
    assert redact(text).text == text


# How a password meets a reader: its surroundings give it away, and only they.
SURROUNDINGS = {
    "secret:assignment": (
        "DB_PASSWORD={}",
        "export PGPASSWORD='{}'",
        '$env:ADMIN_PASSWORD = "{}"',
        "password: {}\nport: 5432",
        '{{"clientSecret": "{}", "id": 4}}',
        '{{"body": "{{\\"password\\":\\"{}\\"}}"}}',
        "connect(host='db', password='{}')",
        "connect(host=db, password={})",
        "api_key := `{}`",
        "'secret' => '{}',",
        "os.environ['API_TOKEN'] = '{}'",
        "X-Api-Key: {}",
        "GET /v1/things?page=2&access_token={}",
        "Server=db;Uid=sa;Pwd={};Encrypt=yes",
        "AccountName=x;AccountKey={}",
        '<add key="k" password="{}" />',
        "SECRET_KEY_BASE={}",
        "redis_pass = {}",
    ),
    "secret:url-password": (
        "postgresql://ann:{}@db.corp.net:5432/app",
        "DATABASE_URL=mysql+pymysql://ann:{}@10.0.0.4/app",
        "redis://:{}@cache:6379/0",
        "git clone https://ann:{}@git.corp.net/x.git",
        '{{"url": "amqp://ann:{}@queue"}}',
    ),
    "secret:option": ("mysqldump --password {} app", "tool --api-key '{}'", "vault login --token {}"),
    "secret:login": ("curl -s -u ann:{} https://host.corp.net", 'curl --user "ann:{}" https://host.corp.net'),
    "secret:prose-password": (
        "the password is {} for now",
        "I changed the password to {} yesterday",
        "passphrase was `{}`",
    ),
}
CASES = [(kind, text) for kind, texts in SURROUNDINGS.items() for text in texts]


@pytest.mark.parametrize(("kind", "text"), CASES, ids=[text for _, text in CASES])
def test_a_password_is_known_by_its_surroundings(kind: str, text: str) -> None:
    for password in PASSWORDS:
        assert redact(text.format(password)).text == text.format(f"[redacted {kind}]")


def test_an_aws_secret_is_known_by_its_name() -> None:
    secret = "".join(random.Random(3).choices("ABCDEFGHIJKLMNOPqrstuvwxyz0123456789/+", k=40))
    for text in (
        "aws_secret_access_key = {}",
        "AWS_SECRET_ACCESS_KEY={}",
        '"SecretAccessKey": "{}",',
        "awsSecretKey: {}",
    ):
        assert redact(text.format(secret)).text == text.format("[redacted secret:aws-secret-key]")


@pytest.mark.parametrize(
    "text",
    ["Authorization: Bearer {}", "authorization: token {}", "-H 'Authorization: Basic {}'", "sent a bearer {} along"],
)
def test_a_credential_behind_its_scheme_is_found(text: str) -> None:
    assert redact(text.format("cm9vdDpaN3h2MTk4Mg0K9qW")).text == text.format("[redacted secret:bearer]")


@pytest.mark.parametrize("text", ["my token is {}", "the API key was `{}`", "The secret is {}"])
def test_a_secret_that_is_told_in_prose_is_found(text: str) -> None:
    assert redact(text.format("q8Zr2Lk9Wm4Tx7")).text == text.format("[redacted secret:prose-secret]")


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://user:password@localhost/db",
        "postgresql+asyncpg://myapp:devpassword@postgres:5432/myapp",
        'psql "postgresql://user:prod-pass@prod.host/db"',
        "postgresql://{user}:{password}@{host}/db",
        "postgres://app:${DB_PASSWORD}@db/app and mysql://root:$MYSQL_PASS@db and amqp://u:%s@h",
        "https://<user>:<token>@host and docker://alpine:3.18@sha256:9f86d081884c7d65",
        "http://localhost:8080/@types/node",
        "get_github_user(token='test-token')",
        "boto3.client('s3', secret_key=R2_SECRET_KEY)",
        "SECRET_KEY: ${SECRET_KEY:?SECRET_KEY must be set}",
        "# DB__PASSWORD=super-secret-password",
        "API_KEY=your-api-key-1 and TOKEN=<your token 1> and PASSWORD=changeme123",
        "password = os.environ['DB_PASSWORD_1'] and token = settings.api_token2",
        "token = jwt.encode({'sub': 1}, key) and refreshToken = Convert.ToBase64String(bytes)",
        "secret: ${{ secrets.DEPLOY_KEY_2 }} and token: {{ vault_token_2 }}",
        "api_key=sk-... and token=ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        "AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE",
        "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "password_file: /run/secrets/db_password_1 and secret: ./keys/server1.pem",
        "token_url: https://host.corp.net/oauth2/token",
        "password: aaaaaaaaaaaa1 and pwd=1212121212!",
        "the token is base64-encoded, the password is required, the secret is rotated every 90 days",
        "def login(password: str, token: Optional[str] = None) -> None: ...",
        "max_tokens: 4096, tokenizer=cl100k_base, token_type: bearer",
        "password = &config1 and OathToken: *oathToken1",
        "risk-assessment-of-2024-figures and task-11111111111111111111",
        "Basic authentication is off; use bearer authentication instead of it",
        "curl -u user:password https://host.corp.net",
        "sk-learn-is-installed-as-scikit",
    ],
)
def test_a_placeholder_is_left_alone(text: str) -> None:
    assert redact(text).text == text


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("mail ann.lee@corp-mail.net now", "mail [redacted pii:email] now"),
        ("git config user.email=ann@uni.edu", "git config user.email=[redacted pii:email]"),
        ("-ann+x@corp-mail.co.uk, bob@corp-mail.net", "-[redacted pii:email], [redacted pii:email]"),
        ('File "/home/annlee/app/x.py"', 'File "/home/[redacted pii:user-name]/app/x.py"'),
        ("/Users/ann.lee: no such file", "/Users/[redacted pii:user-name]: no such file"),
        (r"C:\Users\Ann\code", r"C:\Users\[redacted pii:user-name]\code"),
        (r'"C:\\Users\\ann\\code"', r'"C:\\Users\\[redacted pii:user-name]\\code"'),
        ("/mnt/c/Users/ann/code", "/mnt/c/Users/[redacted pii:user-name]/code"),
    ],
)
def test_personal_data_goes(text: str, safe: str) -> None:
    assert redact(text).text == safe


CARDS = [luhn(digits) for digits in ("601138292014873", "37144963539840", "3056930902591", "551234567890123")]


@pytest.mark.parametrize("number", ["4539 1488 0343 6467", "4539-1488-0343-6467", *CARDS])
def test_a_payment_card_goes_and_a_number_with_another_check_digit_stays(number: str) -> None:
    wrong = f"{number[:-1]}{(int(number[-1]) + 1) % 10}"
    assert redact(f"paid with {number}.").text == "paid with [redacted pii:card]."
    assert redact(f"paid with {wrong}.").text == f"paid with {wrong}."


@pytest.mark.parametrize("group", [str, lambda text: " ".join(re.findall(".{1,4}", text))], ids=["compact", "grouped"])
@pytest.mark.parametrize("number", [iban("DE", "370400440532013000"), iban("AT", "1904300234573201")])
def test_an_iban_goes_and_the_word_behind_it_stays(number: str, group: object) -> None:
    assert callable(group)
    assert redact(f"to {group(number)} EUR").text == "to [redacted pii:iban] EUR"
    wrong = f"{number[:-1]}{(int(number[-1]) + 1) % 10}"
    assert redact(f"to {group(wrong)} EUR").text == f"to {group(wrong)} EUR"


@pytest.mark.parametrize(
    "text",
    [
        "you@example.com, admin@myapp.com, git@github.com:x/y.git, noreply@github.com, users@lists.corp-mail.net",
        "lodash@4.17.21, foo@1.2.3.beta, icon@2x.png, actions/checkout@v4",
        "/home/user/x, /home/runner/work, /Users/username/x, C:\\Users\\Administrator, /home/node/app, /home/$USER",
        "https://host.corp.net/home/page",
        "4242 4242 4242 4242, 4111111111111111, 378282246310005, 1234567890123456, 0.4539148803436467",
        "build 20261121094500123456 at 1763718000000000000",
    ],
)
def test_examples_of_personal_data_are_left_alone(text: str) -> None:
    assert redact(text).text == text


def test_finds_that_overlap_become_one_and_nothing_of_them_is_left() -> None:
    inner = token("secret:github-token", 1)
    text = f"password=prefix7-{inner}.tail8 next"
    redacted = redact(text)
    assert redacted.text == "password=[redacted secret:github-token] next"
    assert [text[found.start : found.end] for found in redacted.found] == [f"prefix7-{inner}.tail8"]


def test_a_secret_that_another_one_hid_is_found_too() -> None:
    first, second = token("secret:npm-token", 1), token("secret:aws-access-key", 1)
    assert first not in redact(f"{first}|{second}").text
    assert second not in redact(f"{first}|{second}").text


@pytest.mark.parametrize("kind", TOKENS)
@pytest.mark.parametrize("glue", ["", "-", "_", "|", " "], ids=repr)
def test_many_of_a_kind_in_a_row_are_redacted_once_and_for_all(kind: str, glue: str) -> None:
    once = redact(glue.join(token(kind, seed) for seed in range(20)))
    assert redact(once.text).text == once.text


def test_a_secret_goes_to_its_end_however_long_it_is() -> None:
    secret = token("secret:openai-key", 1) * 50
    for text in ("password={}", "password='{}'", "Authorization: Bearer {}", "the token is {}", "--token {}", "{}"):
        assert "sk-" not in redact(text.format(secret)).text
        assert secret[-20:] not in redact(text.format(secret)).text


def test_offsets_point_into_the_text_that_was_given() -> None:
    secrets = [token(kind, 9) for kind in TOKENS]
    text = "\n".join(f"{number}: {secret}" for number, secret in enumerate(secrets))
    redacted = redact(text)
    assert [text[found.start : found.end] for found in redacted.found] == secrets
    assert [found.type for found in redacted.found] == list(TOKENS)


fragments = st.one_of(
    st.sampled_from(
        [
            "password=", "token: ", "://", "https://ann:", "@", "@corp-mail.net", "Bearer ", "[redacted pii:email]",
            "[redacted ", "secret:", "]", "\\n", "\n", "\0", '"', "'", "/home/", "-----BEGIN PRIVATE KEY-----", "eyJ",
            "-----END PRIVATE KEY-----", "curl -u ", "--token ", "password is ", "AKIA", "sk-", "_", ".", " ", "DE89",
        ]
    ),
    st.sampled_from([*PASSWORDS, "ann.lee@corp-mail.net", "4539148803436467", "DE89370400440532013000"]),
    st.builds(token, st.sampled_from(sorted(TOKENS)), st.integers(0, 3)),
    st.text(max_size=12),
)  # fmt: skip


@given(st.lists(fragments, max_size=12).map("".join))
def test_redacting_twice_changes_nothing(text: str) -> None:
    once = redact(text)
    assert redact(once.text).text == once.text
    assert all(0 <= found.start < found.end <= len(text) for found in once.found)
    assert all(left.end <= right.start for left, right in zip(once.found, once.found[1:], strict=False))


SIZE = 64 * 1024
UNITS = [
    "a", "A", "0", "1 ", "x@", "@", "a.", "a.a@", "://", "a://b:", "https://u:", "eyJ", "eyJ.", "eyJ-", "=",
    "-----BEGIN ", "-----BEGIN PRIVATE KEY-----", "-----BEGIN PRIVATE KEY-----A", "sk-", "sk-ant-",
    "token=", "token=a1(", "token: ", "password is ", "bearer ", "curl -u ", "curl ", "--token ", "/home/a",
    "/Users/", "DE00", "DE00 ", "4111 ", "AKIA", "[redacted ", "[redacted pii:email]", "\\n", " ", "\n",
    "\0", "_", "ghp_", "xoxb-", "hooks.slack.com/services/", 'password="', "password='\\", "SG.",
    "SG.aaaaaaaaaaaaaaaa.", "password=" + "password" * 12 + "!", "ß", "İ",
]  # fmt: skip


@pytest.mark.parametrize("unit", UNITS, ids=repr)
def test_the_worst_text_of_64_kib_takes_no_time_and_hides_nothing(unit: str) -> None:
    secret = token("secret:anthropic-key", 5)
    text = (unit * (SIZE // len(unit) + 1))[:SIZE] + f"\n\n{secret}\n"
    started = time.process_time()
    redacted = redact(text)
    assert time.process_time() - started < 10
    assert secret not in redacted.text


def test_a_text_made_of_secrets_takes_no_time() -> None:
    text = " ".join(token(kind, seed) for seed in range(60) for kind in ONE_LINE)[:SIZE]
    started = time.process_time()
    assert len(redact(text).found) > 500
    assert time.process_time() - started < 10


def test_no_seed_trace_is_touched(seeds: list[dict[str, str]]) -> None:
    texts = [f"{seed['title']}\n{seed['context']}\n{seed['solution']}" for seed in seeds]
    assert [text for text in texts if redact(text).found] == []


def test_at_most_one_ordinary_document_of_200_is_touched(ordinary: list[str]) -> None:
    assert sum(bool(redact(text).found) for text in ordinary) <= len(ordinary) / 200
