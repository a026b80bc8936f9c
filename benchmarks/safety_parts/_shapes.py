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
_SYLLABLES: Final = "ba ro ki len mor tas vi zu pel gan dri so quen hal fex jun wy tor".split()

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
    body = base64.urlsafe_b64encode(f'{{"sub":"{dice.randrange(10**9)}","iat":1763700000}}'.encode()).decode().strip("=")
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
    "slack-app": lambda d: f"xapp-1-A{_of(string.ascii_uppercase, 10)(d)}-{d.randrange(10**12, 10**13)}-{_of(_HEX, 64)(d)}",
    "slack-hook": lambda d: f"T{_of(string.ascii_uppercase, 9)(d)}/B0{_of(string.ascii_uppercase, 8)(d)}/{_of(_ALNUM, 24)(d)}",
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
    "password letters azure-storage aws-secret azure-client cloudflare hex32 hex40 hex64 base64-44 alnum32 uuid urlenc square twilio-sid-key"
    " b64-login b64-password b64-github b64-env aws-session slack-hook".split()
)
ALONE: Final = tuple(kind for kind in KINDS if kind not in _NOT_ALONE)

# kind(s) -> template; `|` between kinds makes one case of each
SURROUNDED: Final[tuple[tuple[str, str, str], ...]] = (
    ("assignment", "password|letters", 'DB_PASSWORD="§"'),
    ("assignment", "password", "DB_PASSWORD=§"),
    ("assignment", "password|letters", 'password = "§"'),
    ("assignment", "password|letters", "db:\n  user: app\n  password: '§'\n  port: 5432"),
    ("assignment", "password", "db:\n  user: app\n  password: §\n  port: 5432"),
    ("assignment", "password|letters", '[database]\nuser = "app"\npasswd = "§"'),
    ("assignment", "password|letters", '{"user": "app", "password": "§"}'),
    ("assignment", "password", "spring.datasource.password=§"),
    ("assignment", "password", "$config['db_pass'] = '§';"),
    ("assignment", "password", "define('DB_PASSWORD', '§');"),
    ("assignment", "password", 'String dbPassword = "§";'),
    ("assignment", "password", "const dbPassword = `§`;"),
    ("assignment", "password", 'conn = psycopg2.connect(host="db", user="app", password="§")'),
    ("assignment", "password", "os.environ['PGPASSWORD'] = '§'"),
    ("assignment", "password", "setx REDIS_PASSWORD §"),
    ("assignment", "password", "$env:MYSQL_PWD='§'"),
    ("assignment", "alnum32|hex32|hex64|uuid|base64-44|letters", 'API_KEY="§"'),
    ("assignment", "alnum32|hex40|uuid|base64-44", "MYSERVICE_API_TOKEN=§"),
    ("assignment", "alnum32|hex40|cloudflare", 'CLOUDFLARE_API_TOKEN: "§"'),
    ("assignment", "alnum32|hex64|base64-44", "SECRET_KEY = '§'"),
    ("assignment", "azure-client", 'AZURE_CLIENT_SECRET="§"'),
    ("assignment", "azure-client|alnum32|base64-44", '"client_secret": "§"'),
    ("assignment", "aws-secret", "aws_secret_access_key = §"),
    ("assignment", "aws-secret", "AWS_SECRET_ACCESS_KEY=§"),
    ("assignment", "aws-secret", '{"AccessKeyId": "AKIAQYLPMN5HHHFPZAM2", "SecretAccessKey": "§"}'),
    ("assignment", "aws-session", "export AWS_SESSION_TOKEN=§"),
    ("assignment", "hex32", "TWILIO_AUTH_TOKEN=§"),
    ("assignment", "hex32", "DATADOG_API_KEY: §"),
    ("assignment", "hex32|alnum32", 'var apiKey = "§"'),
    ("assignment", "alnum32", "encryption_key: §"),
    ("assignment", "base64-44", "FERNET_KEY=§"),
    ("assignment", "base64-44", "APP_KEY=base64:§"),
    ("assignment", "hex64", "JWT_SECRET=§"),
    ("assignment", "hex64", "SESSION_SECRET: '§'"),
    ("assignment", "hex64", "SECRET_KEY_BASE=§"),
    ("assignment", "alnum32", "webhook_secret => '§'"),
    ("assignment", "hex32", "<add key=\"ApiKey\" value=\"§\" />"),
    ("assignment", "password", "<password>§</password>"),
    ("assignment", "password", '<property name="connection.password">§</property>'),
    ("assignment", "password", '<property name="password" value="§"/>'),
    ("compose", "password", "services:\n  db:\n    environment:\n      POSTGRES_PASSWORD: §\n"),
    ("compose", "password", "services:\n  db:\n    environment:\n      - POSTGRES_PASSWORD=§\n      - TZ=UTC\n"),
    ("compose", "password", "env:\n  - name: DB_PASSWORD\n    value: \"§\"\n"),
    ("compose", "password", "ENV ADMIN_PASSWORD §"),
    ("compose", "password", "docker run -d -e MYSQL_ROOT_PASSWORD=§ -p 3306:3306 mysql:8"),
    ("compose", "password", "helm install app ./chart --set auth.password=§"),
    ("compose", "password", "ansible-playbook site.yml -e 'ansible_become_pass=§'"),
    ("compose", "password", "variable \"db_password\" {\n  type = string\n  default = \"§\"\n}"),
    ("kubernetes", "b64-password|b64-github", "kind: Secret\nmetadata:\n  name: app\ntype: Opaque\ndata:\n  password: §\n"),
    ("kubernetes", "b64-password|b64-env", "apiVersion: v1\nkind: Secret\ndata:\n  config: §\n"),
    ("kubernetes", "password", "kind: Secret\nstringData:\n  admin-password: §\n"),
    ("kubernetes", "base64-44", "users:\n- name: admin\n  user:\n    client-key-data: LS0tLS1CRUdJTiBSU0EgUFJJVkFURSBLRVktLS0tLQo§\n"),
    ("kubernetes", "jwt", "users:\n- name: sa\n  user:\n    token: §\n"),
    ("kubernetes", "password", "kubectl create secret generic db --from-literal=password=§"),
    ("connection", "password|alnum32|letters", "postgresql://app:§@db.shop.net:5432/app"),
    ("connection", "password|alnum32", "DATABASE_URL=mysql+pymysql://root:§@10.2.3.4/app"),
    ("connection", "alnum32|letters", "mongodb+srv://admin:§@cluster0.ab1cd.mongodb.net/?retryWrites=true"),
    ("connection", "alnum32", "redis://:§@cache.shop.net:6379/0"),
    ("connection", "alnum32", "amqps://worker:§@mq.shop.net/vhost"),
    ("connection", "alnum32", "ftp://backup:§@files.shop.net/"),
    ("connection", "alnum32", "smtp://mailer:§@smtp.shop.net:587"),
    ("connection", "alnum32", "https://deploy:§@git.shop.net/team/app.git"),
    ("connection", "alnum32", "clickhouse://default:§@ch.shop.net:9000/db"),
    ("connection", "urlenc", "postgres://app:§@db.shop.net/app"),
    ("connection", "password", "Server=tcp:db.shop.net,1433;Database=app;User ID=sa;Password=§;Encrypt=true;"),
    ("connection", "password", "host=db.shop.net port=5432 user=app password=§ dbname=app"),
    ("connection", "password", "jdbc:mysql://db.shop.net/app?user=app&password=§"),
    ("connection", "password", "jdbc:sqlserver://db.shop.net;user=sa;password=§;"),
    ("connection", "azure-storage", "DefaultEndpointsProtocol=https;AccountName=shop;AccountKey=§;EndpointSuffix=core.windows.net"),
    ("connection", "base64-44", "Endpoint=sb://shop.servicebus.windows.net/;SharedAccessKeyName=root;SharedAccessKey=§"),
    ("connection", "alnum32", "https://0123456789abcdef@o450.ingest.sentry.io/12?secret=§"),
    ("connection", "password", "ldap_bind -D cn=admin,dc=shop -w §"),
    ("header", "jwt|alnum32|hex40|base64-44", 'curl -H "Authorization: Bearer §" https://api.shop.net/v1'),
    ("header", "alnum32|jwt", 'headers = {"Authorization": f"Bearer §"}'),
    ("header", "alnum32|hex40", "Authorization: token §"),
    ("header", "b64-login", "Authorization: Basic §"),
    ("header", "b64-login", "curl -H 'Authorization: Basic §' https://api.shop.net"),
    ("header", "alnum32|hex32|uuid", "curl -H 'X-API-Key: §' https://api.shop.net"),
    ("header", "alnum32|hex40", "PRIVATE-TOKEN: §"),
    ("header", "alnum32", '"x-auth-token": "§"'),
    ("header", "alnum32", "req.Header.Set(\"X-Api-Key\", \"§\")"),
    ("header", "alnum32|hex32", "Ocp-Apim-Subscription-Key: §"),
    ("header", "alnum32|hex64", "Cookie: theme=dark; sessionid=§; lang=en"),
    ("header", "alnum32|jwt", "Set-Cookie: auth_token=§; Path=/; HttpOnly"),
    ("header", "alnum32", "curl -b 'session=§' https://app.shop.net"),
    ("header", "hex32", "Set-Cookie: PHPSESSID=§; path=/"),
    ("option", "password", "mysql -h db -u root -p§ app"),
    ("option", "password|letters", "mytool login --user app --password §"),
    ("option", "password", "mytool login --password=§"),
    ("option", "password", "sshpass -p '§' ssh root§10.1.2.3"),
    ("option", "password", "curl -u admin:§ https://api.shop.net"),
    ("option", "password", "curl --user 'admin:§' https://api.shop.net"),
    ("option", "password", "docker login -u ci -p § registry.shop.net"),
    ("option", "password", "echo § | docker login -u ci --password-stdin"),
    ("option", "password", "echo '§' | sudo -S apt update"),
    ("option", "password", "redis-cli -h cache -a § ping"),
    ("option", "password", "PGPASSWORD=§ psql -h db -U app"),
    ("option", "password", "az login --service-principal -u app -p § --tenant t"),
    ("option", "alnum32|uuid|hex64", "vercel deploy --token §"),
    ("option", "alnum32", "npm publish --//registry.npmjs.org/:_authToken=§"),
    ("option", "alnum32|hex40", "sonar-scanner -Dsonar.token=§"),
    ("option", "alnum32", "gh secret set DEPLOY_KEY --body §"),
    ("option", "password", "openssl pkcs12 -export -passout pass:§ -in a.pem"),
    ("option", "password", "keytool -import -storepass § -alias a"),
    ("option", "password", "wget --http-user=app --http-password=§ https://shop.net/f"),
    ("option", "password", "net use Z: \\\\fs\\share § /user:shop\\ann"),
    ("option", "password", "xfreerdp /u:admin /p:§ /v:10.1.2.3"),
    ("option", "password", "ALTER USER app WITH PASSWORD '§';"),
    ("option", "password", "CREATE USER app IDENTIFIED BY '§';"),
    ("file", "password", "machine git.shop.net login ann password §"),
    ("file", "password", "machine git.shop.net\n  login ann\n  password §\n"),
    ("file", "password", "db.shop.net:5432:app:ann:§"),
    ("file", "uuid|alnum32|hex40", "//registry.npmjs.org/:_authToken=§"),
    ("file", "b64-login", "//npm.shop.net/:_password=§"),
    ("file", "password|alnum32", "[global]\nindex-url = https://ci:§@pypi.shop.net/simple"),
    ("file", "password", "[pypi]\nusername = ann\npassword = §"),
    ("file", "b64-login", '{"auths": {"registry.shop.net": {"auth": "§"}}}'),
    ("file", "password", "https://ann:§@git.shop.net"),
    ("file", "bcrypt", "ann:§"),
    ("file", "shadow", "root:§:19000:0:99999:7:::"),
    ("file", "hex64", '{"private_key": "0x§"}'),
    ("file", "password", "smtp_username = mailer\nsmtp_password = §"),
    ("file", "password", "[client]\nuser=root\npassword=\"§\""),
    ("prose", "password", "the password is §"),
    ("prose", "password", "Password for the staging db: §"),
    ("prose", "password", "my root password is `§`, do not share"),
    ("prose", "password", "Log in as admin with password § and retry."),
    ("prose", "password", "Use admin / § to sign in to Grafana."),
    ("prose", "password", "credentials: admin:§"),
    ("prose", "password", "I changed the password to § and it worked"),
    ("prose", "password", "pw: §"),
    ("prose", "password", "The sudo pwd on that box was § last week"),
    ("prose", "password", "it accepts the passphrase \"§\""),
    ("prose", "password", "user: ann, pass: §"),
    ("prose", "password", "username ann password §"),
    ("prose", "password", "The wifi key is §."),
    ("prose", "alnum32|hex40|uuid", "our api key is §"),
    ("prose", "alnum32|hex40", "here's the token: §"),
    ("prose", "alnum32|hex40", "The API key (§) stopped working on Monday."),
    ("prose", "alnum32|hex40|base64-44", "I set the client secret to § in the portal"),
    ("prose", "alnum32", "token § was rejected with 401"),
    ("prose", "alnum32", "Auth failed for key § (expired)"),
    ("prose", "hex64", "private key 0x§ holds the funds"),
    ("split", "alnum32", 'API_KEY = "§1" \\\n    "§2"'),
    ("split", "github", 'token = "§1" + "§2"'),
    ("split", "alnum32", "export API_TOKEN=§1\\\n§2"),
    ("split", "aws-secret", 'aws_secret_access_key = ("§1"\n    "§2")'),
    ("split", "github", "x = ['§1', '§2'].join('')"),
    ("split", "anthropic", "ANTHROPIC_API_KEY=§1\\\n§2"),
    ("wrapped", "b64-github", "echo § | base64 -d"),
    ("wrapped", "b64-env", "base64 -d <<< § > .env"),
    ("wrapped", "b64-login", "curl -H \"Authorization: Basic $(echo § | tr -d x)\" https://api.shop.net"),
    ("wrapped", "slack-hook", "curl -X POST -d '{}' https://hooks.slack.com/services/§"),
    ("wrapped", "urlenc", "https://api.shop.net/login?user=ann&password=§"),
    ("wrapped", "alnum32|hex40", "https://api.shop.net/v1?api_key=§&x=1"),
    ("wrapped", "alnum32|jwt", "https://app.shop.net/cb#access_token=§&type=bearer"),
    ("wrapped", "alnum32", "api.shop.net%2Fv1%3Fapi_key%3D§%26x%3D1"),
)  # fmt: skip
