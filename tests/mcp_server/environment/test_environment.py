"""What is read of any project: from which folders, how much, and whatever its files hold."""

import json
import os
import sys
from pathlib import Path
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkouts import Checkout
from commontrace.environment import read_environment
from commontrace.models.traces import MOST_PACKAGES

CARGO = """
[package]
name = "app"
[dependencies]
serde = { version = "1", features = ["derive"] }
tokio = "1.40"
renamed = { package = "rand", version = "0.8" }
mine = { path = "../mine" }
theirs = { git = "https://git.corp.example/theirs" }
corp = { version = "1", registry = "corp" }
syn = "2"
shared.workspace = true
exact = "=0.4.2"
[dev-dependencies]
insta = "1"
[target.'cfg(unix)'.dependencies]
nix = "0.29"
[workspace.dependencies]
shared = "3"
"""
INDEX = "registry+https://github.com/rust-lang/crates.io-index"
CRATES = [
    ("aho-corasick", "1.1.3", INDEX),
    ("corp", "1.0.0", "registry+https://crates.corp.example/index"),
    ("insta", "1.40.0", "sparse+https://index.crates.io/"),
    ("mine", "0.1.0", None),
    ("rand", "0.8.5", INDEX),
    ("serde", "1.0.210", INDEX),
    ("shared", "3.0.1", INDEX),
    ("syn", "1.0.109", INDEX),
    ("syn", "2.0.79", INDEX),
    ("theirs", "0.1.0", "git+https://git.corp.example/theirs#0123"),
    ("tokio", "1.40.0", INDEX),
]


def cargo_lock() -> str:
    blocks = [
        f'[[package]]\nname = "{name}"\nversion = "{version}"\n' + (f'source = "{source}"\n' if source else "")
        for name, version, source in CRATES
    ]
    return "# generated\nversion = 4\n\n" + "\n".join(blocks)


def test_rust_crates_come_from_the_lock(checkout: Checkout) -> None:
    checkout.write("Cargo.toml", CARGO)
    assert (checkout.language(), checkout.packages()) == ("rust", ["exact 0.4.2"])
    checkout.write("Cargo.lock", cargo_lock())
    assert checkout.packages() == [
        "serde 1.0.210",
        "tokio 1.40.0",
        "rand 0.8.5",
        "syn 1.0.109",
        "syn 2.0.79",
        "shared 3.0.1",
        "insta 1.40.0",
        "aho-corasick 1.1.3",
    ]


GO = """module github.com/acme/app // the app

go 1.22

require github.com/spf13/cobra v1.8.0

require (
	// a comment
	golang.org/x/text v0.14.0
	github.com/acme/shared v0.1.0
	git.corp.example/secret/lib v1.0.0
	"gopkg.in/yaml.v3" v3.0.1
	github.com/forked/lib v1.0.0
	github.com/local/lib v1.0.0 // indirect
	github.com/pseudo/lib v0.0.0-20230101000000-abcdef123456
	github.com/old/lib v2.0.0+incompatible // indirect
	modernc.org/sqlite v1.29.0 // indirect; and more
)

exclude (
	github.com/bad/lib v1.0.0
)

replace github.com/forked/lib => git.corp.example/forked/lib v1.0.1

replace (
	github.com/local/lib v1.0.0 => ../lib
)
"""


def test_go_modules_come_from_go_mod(checkout: Checkout) -> None:
    checkout.write("go.mod", GO)
    assert checkout.language() == "go"
    assert checkout.packages() == [
        "github.com/spf13/cobra v1.8.0",
        "golang.org/x/text v0.14.0",
        "gopkg.in/yaml.v3 v3.0.1",
        "github.com/pseudo/lib v0.0.0-20230101000000-abcdef123456",
        "github.com/old/lib v2.0.0+incompatible",
        "modernc.org/sqlite v1.29.0",
    ]


def test_a_go_module_without_a_name_is_read(checkout: Checkout) -> None:
    checkout.write("go.mod", "require github.com/spf13/cobra v1.8.0\n")
    assert checkout.packages() == ["github.com/spf13/cobra v1.8.0"]


def test_files_are_looked_for_up_to_the_top_of_the_checkout_and_no_further(checkout: Checkout) -> None:
    (checkout.top.parent / "go.mod").write_text(GO)
    checkout.write("Cargo.toml", CARGO)
    checkout.write("Cargo.lock", cargo_lock())
    checkout.write("web/src/deep/x.js", "")
    checkout.write("web/package.json", '{"dependencies": {"vite": "5.4.1"}}')
    here = read_environment(checkout.top / "web" / "src" / "deep")
    # the nearest says the language; packages of both come, the nearest first
    assert here.language == "javascript"
    assert [package.name for package in here.packages[:2]] == ["vite", "serde"]
    assert read_environment(checkout.top).language == "rust"


def test_outside_of_a_checkout_only_the_folder_itself_is_read(tmp_path: Path) -> None:
    (tmp_path / "go.mod").write_text(GO)
    (tmp_path / "below").mkdir()
    assert read_environment(tmp_path).language == "go"
    assert read_environment(tmp_path / "below").language is None
    assert read_environment(tmp_path / "missing").packages == []


def test_two_languages_of_one_folder_are_both_said(checkout: Checkout) -> None:
    checkout.write("setup.py", "")
    checkout.write("package.json", "{}")
    assert checkout.language() == "python, javascript"


@pytest.mark.parametrize(("platform", "system"), [("linux", "linux"), ("darwin", "macos"), ("win32", "windows")])
def test_the_operating_system_has_its_usual_name(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch, platform: str, system: str
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    assert read_environment(checkout.top).os == system


def test_pinned_runtimes_are_tools(checkout: Checkout) -> None:
    checkout.write(".python-version", "3.12\n")
    checkout.write("web/.nvmrc", "v22.1.0\n")
    assert read_environment(checkout.top / "web").tools == ["python 3.12", "node 22.1.0"]
    checkout.write("web/.nvmrc", "lts/*\n")
    assert read_environment(checkout.top / "web").tools == ["python 3.12"]


def test_what_is_asked_for_wins_where_there_are_too_many(checkout: Checkout) -> None:
    names = [f"p{number:04}" for number in range(1000)]
    checkout.write("pyproject.toml", f"[project]\ndependencies = {json.dumps(names[900:])}")
    source = '{ registry = "https://pypi.org/simple" }'
    checkout.write(
        "uv.lock", "\n".join(f'[[package]]\nname = "{n}"\nversion = "1.0"\nsource = {source}' for n in names)
    )
    found = checkout.packages()
    assert len(found) == MOST_PACKAGES == 300
    assert found == [f"{name} 1.0" for name in [*names[900:], *names[:200]]]


FILES = """uv.lock poetry.lock pyproject.toml requirements.txt package.json package-lock.json pnpm-lock.yaml yarn.lock
Cargo.toml Cargo.lock go.mod .npmrc .yarnrc.yml .python-version""".split()  # noqa: SIM905 - names read best as words


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("kind", ["folder", "binary", "huge", "loop", "nested"])
def test_a_damaged_file_is_as_good_as_none(checkout: Checkout, name: str, kind: str) -> None:
    path = checkout.top / name
    if kind == "folder":
        path.mkdir()
    elif kind == "loop":
        path.symlink_to(path)
    elif kind == "huge":
        with path.open("wb") as file:
            file.truncate(21 * 1024 * 1024)
    else:
        path.write_bytes(os.urandom(5000) if kind == "binary" else b"[" * 200_000)
    assert read_environment(checkout.top).packages == []


@pytest.mark.parametrize("name", ["x" * 5000, "with\0nul", "loop"])
def test_a_folder_that_cannot_be_is_as_good_as_an_empty_one(tmp_path: Path, name: str) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    here = read_environment(tmp_path / name)
    assert (here.language, here.packages, here.tools) == (None, [], [])


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(["1.0.0", "^1", "react"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["packages", "dependencies", "node_modules/react", "version", "resolved", "name", "link", "react"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(manifest=json_values, lock=json_values)
def test_json_of_any_shape_is_no_error(
    tmp_path_factory: pytest.TempPathFactory, manifest: object, lock: object
) -> None:
    folder = tmp_path_factory.mktemp("project")
    (folder / "package.json").write_text(json.dumps(manifest))
    (folder / "package-lock.json").write_text(json.dumps(lock))
    assert read_environment(folder).os


LINES = """[[package]]
[package.source]
name = "x"
version = "1.0"
name = 7
source = {
url = "https://x"
[project]
[tool.poetry.dependencies]
[tool.uv]
sources = 1
index = [1]
dependencies = ["x==1", 7]
dependencies = 3
[dependencies]
x = 1
x = []
x = "=1.0"
require (
x.y/z v1.0
replace a => b
)
packages:
  /x@1.0:
  x@1.0:
"x@^1", y:
  version 1
  resolved x
importers:
  .:
-i x
registry=x""".splitlines()
lines = st.lists(st.sampled_from(LINES) | st.text(max_size=12), max_size=10)


@given(st.sampled_from(FILES), lines)
def test_text_of_any_shape_is_no_error(tmp_path_factory: pytest.TempPathFactory, name: str, text: list[str]) -> None:
    folder = tmp_path_factory.mktemp("project")
    (folder / "package.json").write_text('{"dependencies": {"x": "^1"}}')
    (folder / name).write_text("\n".join(text), encoding="utf-8", errors="replace")
    assert read_environment(folder).os


def test_a_big_lock_is_read_in_a_moment(checkout: Checkout) -> None:
    wheels = (
        '    { url = "https://files.pythonhosted.org/packages/aa/bb/wheel.whl", hash = "sha256:00", size = 100 },\n'
        * 12
    )
    source = '{ registry = "https://pypi.org/simple" }'
    blocks = [
        f'[[package]]\nname = "p{number}"\nversion = "1.{number}"\nsource = {source}\nwheels = [\n{wheels}]\n\n'
        for number in range(1500)
    ]
    checkout.write("uv.lock", "version = 1\n\n" + "".join(blocks))
    checkout.write("pyproject.toml", '[project]\nname = "app"\ndependencies = ["p7"]')
    begun = process_time()
    assert checkout.packages()[0] == "p7 1.7"
    # 2 MB take about 20 ms; a busy machine may need several times that.
    assert process_time() - begun < 3
