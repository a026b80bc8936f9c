"""Python projects: every lock, pins, what is installed, and what must not be told."""

import pytest

from checkouts import Checkout

PYPROJECT = """
[project]
name = "My_App"
dependencies = ["Pydantic[email]>=2.10,<3", "httpx ; python_version > '3.8'", "corp-lib>=1", "tool @ https://x.example/t.whl"]
[project.optional-dependencies]
postgres = ["asyncpg"]
[dependency-groups]
dev = ["pytest>=9", {include-group = "lint"}]
[tool.uv]
dev-dependencies = ["ruff"]
"""

UV = """version = 1
requires-python = ">=3.11"

[[package]]
name = "anyio"
version = "4.9.0"
source = { registry = "https://pypi.org/simple" }
dependencies = [
    { name = "idna" },
]
wheels = [
    { url = "https://files.pythonhosted.org/packages/a/anyio.whl", hash = "sha256:0", size = 1 },
]

[[package]]
name = "asyncpg"
version = "0.30.0"
source = { registry = "https://pypi.org/simple" }

[[package]]
name = "corp-lib"
version = "1.4.0"
source = { registry = "https://packages.corp.example/simple" }

[[package]]
name = "corp-git"
version = "0.1.0"
source = { git = "https://github.com/corp/git?rev=main#0123" }

[[package]]
name = "httpx"
version = "0.28.1"
source = { registry = "https://pypi.org/simple" }

[[package]]
name = "my-app"
version = "0.1.0"
source = { editable = "." }

[package.metadata]
requires-dist = [{ name = "httpx" }]

[[package]]
name = "numpy"
version = "2.2.6"
source = { registry = "https://pypi.org/simple" }
resolution-markers = ["python_full_version < '3.11'"]

[[package]]
name = "numpy"
version = "2.3.1"
source = { registry = "https://pypi.org/simple" }

[[package]]
name = "pydantic"
version = "2.11.7"
source = { registry = "https://pypi.org/simple" }

[[package]]
name = "pytest"
version = "9.0.1"
source = { registry = "https://pypi.org/simple" }
"""


def test_a_uv_lock_gives_versions_and_what_the_project_asks_for_comes_first(checkout: Checkout) -> None:
    checkout.write("pyproject.toml", PYPROJECT)
    checkout.write("uv.lock", UV)
    assert checkout.language() == "python"
    assert checkout.packages() == [
        "pydantic 2.11.7",
        "httpx 0.28.1",
        "pytest 9.0.1",
        "asyncpg 0.30.0",
        "anyio 4.9.0",
        "numpy 2.2.6",
        "numpy 2.3.1",
    ]


def test_what_a_lock_takes_from_elsewhere_is_not_told_by_a_pin_either(checkout: Checkout) -> None:
    checkout.write("pyproject.toml", PYPROJECT.replace("corp-lib>=1", "corp-lib==1.4.0"))
    checkout.write("uv.lock", UV)
    assert "corp" not in str(checkout.packages())


@pytest.mark.parametrize(
    ("name", "lock"),
    [
        (
            "poetry.lock",
            """
[[package]]
name = "Pydantic"
version = "2.11.7"
description = "[[package]] in words"
files = [
    {file = "pydantic-2.11.7.whl", hash = "sha256:0"},
]

[package.extras]
email = ["email-validator"]

[[package]]
name = "corp-lib"
version = "1.4.0"

[package.source]
type = "legacy"
url = "https://packages.corp.example/simple"
reference = "corp"

[[package]]
name = "torch"
version = "2.7.0+cpu"

[package.source]
type = "legacy"
url = "https://download.pytorch.org/whl/cpu"

[metadata]
lock-version = "2.1"
""",
        ),
        (
            "pdm.lock",
            """
[[metadata.targets]]
requires_python = ">=3.9"

[[package]]
name = "pydantic"
version = "2.11.7"
requires_python = ">=3.9"

[[package]]
name = "corp-lib"
version = "1.4.0"
git = "https://git.corp.example/lib.git"
revision = "0123"

[[package]]
name = "torch"
version = "2.7.0+cpu"
""",
        ),
        (
            "pylock.toml",
            """
lock-version = "1.0"

[[packages]]
name = "pydantic"
version = "2.11.7"
index = "https://pypi.org/simple"
wheels = [{ url = "https://files.pythonhosted.org/p.whl" }]

[[packages]]
name = "corp-lib"
version = "1.4.0"
index = "https://packages.corp.example/simple"

[[packages]]
name = "corp-vcs"
version = "1.4.0"

[packages.vcs]
type = "git"
url = "https://github.com/corp/vcs"

[[packages]]
name = "corp-folder"
version = "1.4.0"
directory = { path = "../lib" }

[[packages]]
name = "torch"
version = "2.7.0+cpu"
""",
        ),
    ],
)
def test_every_lock_is_read_and_what_is_not_public_left_out(checkout: Checkout, name: str, lock: str) -> None:
    checkout.write(name, lock)
    assert (checkout.language(), checkout.packages()) == ("python", ["pydantic 2.11.7", "torch 2.7.0+cpu"])


def test_requirements_give_their_pins(checkout: Checkout) -> None:
    checkout.write(
        "requirements.txt",
        "# pins\n-r other.txt\nFlask_Login==0.6.3 --hash=sha256:0\nuvicorn[standard] == 0.30.1 ; python_version>'3'\n"
        "django>=5\nsix===1.16.0 # why\nnumpy==1.*\n-e ./lib\nlib @ file:///x\n./wheel.whl\nhttps://x.example/y.whl==1\n"
        "pyyaml==6.0.1 \\\n    --hash=sha256:1\n",
    )
    checkout.write("requirements-dev.txt", "pytest==9.0.1\r\n")
    # the files in the order of their names
    assert checkout.packages() == [
        "pytest 9.0.1",
        "flask-login 0.6.3",
        "uvicorn 0.30.1",
        "six 1.16.0",
        "pyyaml 6.0.1",
    ]


@pytest.mark.parametrize("option", ["--index-url ", "--extra-index-url=", "-i ", "--find-links "])
def test_requirements_with_an_index_of_their_own_tell_nothing(checkout: Checkout, option: str) -> None:
    checkout.write("requirements.txt", "corp-lib==1.4.0\n")
    checkout.write("requirements-base.txt", f"{option}https://packages.corp.example/simple\n")
    assert (checkout.language(), checkout.packages()) == ("python", [])
    checkout.write("requirements-base.txt", "--extra-index-url https://download.pytorch.org/whl/cpu\n")
    assert checkout.packages() == ["corp-lib 1.4.0"]


def test_poetry_tables_name_what_is_asked_for(checkout: Checkout) -> None:
    checkout.write(
        "pyproject.toml",
        """
[tool.poetry]
name = "app"
[tool.poetry.dependencies]
python = "^3.11"
django = "==5.2.1"
celery = {version = "==5.5.0", extras = ["redis"]}
corp = {version = "==1.0.0", source = "corp"}
lib = {path = "../lib"}
app = "==1.0"
[tool.poetry.group.test.dependencies]
pytest = "==9.0.1"
[tool.poetry.dev-dependencies]
black = "==25.1.0"
""",
    )
    assert checkout.packages() == ["django 5.2.1", "celery 5.5.0", "black 25.1.0", "pytest 9.0.1"]


@pytest.mark.parametrize("table", ["tool.uv.index", "tool.poetry.source", "tool.pdm.source"])
def test_a_project_with_a_private_index_tells_only_what_a_lock_shows_to_be_public(
    checkout: Checkout, table: str
) -> None:
    manifest = f'[project]\ndependencies = ["pydantic==2.11.7"]\n[[{table}]]\nname = "corp"\nurl = "https://pip.corp.example"\n'
    checkout.write("pyproject.toml", manifest)
    assert checkout.packages() == []
    checkout.write("pdm.lock", '[[package]]\nname = "pydantic"\nversion = "2.11.7"\n')
    assert checkout.packages() == []
    (checkout.top / "pdm.lock").unlink()
    checkout.write("uv.lock", UV)
    assert checkout.packages()[0] == "pydantic 2.11.7"


def test_uv_sources_are_left_out(checkout: Checkout) -> None:
    checkout.write(
        "pyproject.toml",
        '[project]\ndependencies = ["a==1.0", "b_b==1.0", "c==1.0"]\n[tool.uv.sources]\na = { path = "../a" }\n'
        'b-b = [{ index = "corp" }]\n',
    )
    assert checkout.packages() == ["c 1.0"]


@pytest.mark.parametrize("site", ["lib/python3.12/site-packages", "Lib/site-packages"])
def test_without_a_lock_or_pin_the_venv_says_which_version_is_there(checkout: Checkout, site: str) -> None:
    checkout.write(
        "pyproject.toml", '[project]\ndependencies = ["pydantic>=2", "flask-login", "mine", "pinned==1.0", "gone"]'
    )
    for info in ("pydantic-2.11.7", "Flask_Login-0.6.3", "mine-1.0", "pinned-0.9", "unasked-1.0"):
        checkout.write(f".venv/{site}/{info}.dist-info/METADATA", "")
    checkout.write(f".venv/{site}/mine-1.0.dist-info/direct_url.json", "{}")
    assert checkout.packages() == ["pydantic 2.11.7", "flask-login 0.6.3", "pinned 1.0"]
    checkout.write("uv.lock", UV)
    assert "flask-login 0.6.3" not in checkout.packages()
