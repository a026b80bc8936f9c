"""The files that bring a team's server up name commands, options and settings that exist; no engine is needed."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from commontrace.cli.app import app
from commontrace.settings import Settings
from commontrace_backend.settings import BackendSettings
from house.sources import ROOT

DEPLOY = ROOT / "deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
OURS = {name: service for name, service in COMPOSE["services"].items() if service.get("image") == "commontrace"}
SETTINGS = {f"COMMONTRACE_{name.upper()}" for name in (*Settings.model_fields, *BackendSettings.model_fields)}
EXAMPLE = (DEPLOY / ".env.example").read_text(encoding="utf-8")
ASKED_FOR = set(re.findall(r"\$\{(\w+)", (DEPLOY / "compose.yaml").read_text(encoding="utf-8")))


def parse(arguments: list[str]) -> None:
    """Parse a command line without running it; click.UsageError where it would not be understood."""
    words = [re.sub(r"\$\{\w+:-(\w+)\}", r"\1", word) for word in arguments]
    context = app.make_context("commontrace", words)
    command: click.Command = app
    while isinstance(command, click.Group):
        name, found, words = command.resolve_command(context, words)
        assert found is not None
        command, context = found, found.make_context(name, list(words), parent=context)


def test_the_compose_file_runs_every_process_of_a_server() -> None:
    assert set(OURS) == {"migrate", "api", "worker", "mcp"}


@pytest.mark.parametrize("name", OURS)
def test_a_service_runs_a_command_that_exists_with_options_that_it_has(name: str) -> None:
    parse(OURS[name]["command"])


@pytest.mark.parametrize("wrong", [["serves"], ["serve", "--forks", "2"], ["serve", "--port", "many"]])
def test_a_command_line_that_does_not_exist_is_noticed(wrong: list[str]) -> None:
    with pytest.raises(click.UsageError):
        parse(wrong)


@pytest.mark.parametrize("name", OURS)
def test_a_service_is_given_settings_that_exist(name: str) -> None:
    assert set(OURS[name]["environment"]) <= SETTINGS


@pytest.mark.parametrize("name", OURS)
def test_a_service_may_do_nothing_that_it_need_not(name: str) -> None:
    service = OURS[name]
    assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))


def test_whatever_the_compose_file_asks_for_is_in_the_example_and_nothing_else() -> None:
    assert set(re.findall(r"^(\w+)=", EXAMPLE, re.MULTILINE)) == ASKED_FOR


def test_no_secret_has_a_value_that_somebody_could_leave_as_it_is() -> None:
    secrets = [line for line in EXAMPLE.splitlines() if re.match(r"\w*(PASSWORD|PEPPER)=", line)]
    assert len(secrets) == 3
    assert all(line.endswith("=") for line in secrets)


def test_the_image_has_no_smell_and_does_not_run_as_root() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([hadolint, DEPLOY / "Dockerfile"], capture_output=True, text=True, check=False)
    assert done.stdout + done.stderr == ""
    lines = (DEPLOY / "Dockerfile").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line.startswith("USER ")] == ["USER 10001:10001"]


def test_the_image_is_built_from_files_that_are_there() -> None:
    let_in = (DEPLOY / "Dockerfile.dockerignore").read_text(encoding="utf-8").split()
    assert [name for name in let_in if name.startswith("!") and not (ROOT / name[1:]).exists()] == []


def test_the_script_that_makes_the_role_is_a_shell_script() -> None:
    subprocess.run(["sh", "-n", DEPLOY / "postgres" / "create-role.sh"], check=True)
