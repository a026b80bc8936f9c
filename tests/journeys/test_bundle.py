"""The bundle for Claude Desktop and the entry for the MCP registry: what they promise is there."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from commontrace.settings import Settings

REPOSITORY = Path(__file__).parents[2]
MANIFEST: dict[str, Any] = json.loads((REPOSITORY / "deploy" / "claude-desktop" / "manifest.json").read_text())
REGISTRY: dict[str, Any] = json.loads((REPOSITORY / "server.json").read_text())
PROJECT: dict[str, Any] = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
TOOLS = json.loads((REPOSITORY / "tests" / "mcp_server" / "mcp" / "tools.json").read_text())
MCPB = "@anthropic-ai/mcpb@2.1.2"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folders = [tmp_path_factory.mktemp("bundle") for _ in range(2)]
    for folder in folders:
        script = REPOSITORY / "mcp_server" / "bundle_desktop.py"
        subprocess.run([sys.executable, str(script), str(folder)], check=True, capture_output=True)
    once, again = (next(folder.glob("*.mcpb")) for folder in folders)
    assert once.read_bytes() == again.read_bytes()
    return once


def test_the_bundle_holds_what_it_takes_to_install_and_nothing_that_only_tests_need(bundle: Path) -> None:
    with zipfile.ZipFile(bundle) as packed:
        names = set(packed.namelist())
        project = tomllib.loads(packed.read("pyproject.toml").decode())
    assert project["tool"]["uv"]["default-groups"] == []
    assert {"manifest.json", "icon.png", "uv.lock", "README.md", "LICENSE", MANIFEST["server"]["entry_point"]} <= names
    for folder in PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]:
        assert [name for name in names if name.startswith(f"{folder}/")]
    assert not [name for name in names if "__pycache__" in name or name.startswith(("tests/", ".venv/"))]


def test_the_manifest_says_what_the_package_and_the_server_say() -> None:
    assert (MANIFEST["name"], MANIFEST["version"]) == (PROJECT["project"]["name"], PROJECT["project"]["version"])
    assert [tool["name"] for tool in MANIFEST["tools"]] == [tool["name"] for tool in TOOLS]
    described = {tool["name"]: tool["description"] for tool in TOOLS}
    assert [
        tool for tool in MANIFEST["tools"] if not described[tool["name"]].startswith(tool["description"][:-1])
    ] == []
    given = MANIFEST["server"]["mcp_config"]["env"]
    assert set(given.values()) == {f"${{user_config.{name}}}" for name in MANIFEST["user_config"]}
    assert given.keys() <= {f"COMMONTRACE_{name.upper()}" for name in Settings.model_fields}


def test_the_entry_for_the_registry_names_this_package_and_settings_that_there_are() -> None:
    [package] = REGISTRY["packages"]
    assert re.fullmatch(r"[a-zA-Z0-9.-]+/[a-zA-Z0-9._-]+", REGISTRY["name"])
    assert len(REGISTRY["description"]) <= 100
    assert REGISTRY["version"] == package["version"] == PROJECT["project"]["version"]
    assert (package["registryType"], package["identifier"]) == ("pypi", PROJECT["project"]["name"])
    assert package["transport"] == {"type": "stdio"}
    named = {variable["name"]: variable.get("isSecret", False) for variable in package["environmentVariables"]}
    assert named == {"COMMONTRACE_URL": False, "COMMONTRACE_API_KEY": True}


def test_a_form_that_nobody_filled_in_sets_nothing(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    monkeypatch.setenv("COMMONTRACE_URL", "")
    monkeypatch.setenv("COMMONTRACE_API_KEY", "")
    settings = Settings.given()
    assert (settings.url, settings.api_key) == (f"sqlite:///{home}/data/commontrace/commontrace.db", None)


@pytest.mark.skipif(shutil.which("npm") is None, reason="needs npm to install the packer of Claude Desktop")
def test_the_bundle_is_valid_for_claude_desktop_and_packs_again(bundle: Path, tmp_path: Path) -> None:
    cache = Path(os.environ.get("MCPB_CACHE", str(REPOSITORY / ".cache" / "mcpb")))
    program = cache / "node_modules" / ".bin" / "mcpb"
    cache.mkdir(parents=True, exist_ok=True)
    with FileLock(cache.with_suffix(".lock")):
        if not program.exists():
            (cache / "package.json").write_text('{"private": true}')
            subprocess.run(["npm", "i", "--ignore-scripts", MCPB], cwd=cache, check=True, capture_output=True)
    unpacked = tmp_path / "unpacked"
    steps = [
        ["unpack", str(bundle), str(unpacked)],
        ["validate", str(unpacked)],
        ["pack", str(unpacked), f"{unpacked}.x"],
    ]
    runs = [subprocess.run([str(program), *step], capture_output=True, text=True, check=False) for step in steps]
    assert [run.returncode for run in runs] == [0, 0, 0], [run.stdout + run.stderr for run in runs]
    assert "Manifest schema validation passes" in runs[1].stdout
