import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from commandline import Cli
from commontrace.cli.app import app
from commontrace.cli.command import Lazy, LazyGroup, command

PAGE = (Path(__file__).parents[3] / "docs" / "cli.md").read_text(encoding="utf-8")


def commands(group: LazyGroup, prefix: str = "") -> Iterator[tuple[str, click.Command, str]]:
    for name, lazy in group.lazy.items():
        found = group.get_command(click.Context(group), name)
        assert found is not None
        yield f"{prefix}{name}", found, lazy.summary
        if isinstance(found, LazyGroup):
            yield from commands(found, f"{prefix}{name} ")


ALL = list(commands(app))


@pytest.mark.parametrize(("name", "command"), [(name, command) for name, command, _ in ALL])
def test_every_command_loads_by_its_name_and_explains_itself(name: str, command: click.Command) -> None:
    assert command.name == name.rsplit(maxsplit=1)[-1]
    assert command.help
    assert {"--json", "--url"} <= {option for param in command.params for option in param.opts}


@pytest.mark.parametrize("name", [name for name, _, _ in ALL])
def test_every_command_is_in_the_docs(name: str) -> None:
    written = (
        name.replace("context ", "trace ") if " " in name and name.startswith("context") else f"commontrace {name}"
    )
    assert re.search(rf"`{re.escape(written)}\b", PAGE)


@pytest.mark.parametrize(
    "option",
    sorted({option for _, command, _ in ALL for p in command.params for option in p.opts if option.startswith("--")}),
)
def test_every_option_is_in_the_docs(option: str) -> None:
    assert re.search(rf"{re.escape(option)}(?![\w-])", PAGE)


def test_the_groups_help_shows_every_summary_and_imports_no_command() -> None:
    code = (
        "import sys; from commontrace.cli.app import app\n"
        "try: app(['--help'])\n"
        "except SystemExit: pass\n"
        "print(*[name for name in sys.modules if name.startswith('commontrace')])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    *shown, modules = run.stdout.splitlines()
    assert [lazy.summary for lazy in app.lazy.values() if lazy.summary not in "\n".join(shown)] == []
    assert (
        set(modules.split()) & {"commontrace.cli.query", "commontrace.models.traces", "commontrace.settings"} == set()
    )


@command("defect")
def defect() -> None:
    """Fails as no command should."""
    raise ZeroDivisionError


def test_a_defect_of_ours_keeps_its_traceback() -> None:
    group = LazyGroup("broken", {"Broken": {"defect": Lazy(__name__, "defect", "Fails")}})
    with pytest.raises(ZeroDivisionError):
        CliRunner().invoke(group, ["defect"], catch_exceptions=False)


def test_a_command_that_is_not_there_is_a_usage_error(cli: Cli) -> None:
    result = cli("frobnicate")
    assert result.exit_code == 2
    assert "frobnicate" in result.stderr


def test_the_version_is_also_an_option_of_the_whole_line(cli: Cli) -> None:
    assert cli("--json", "--version").stdout.startswith("commontrace ")


def test_global_options_go_before_and_after_the_command(cli: Cli, url: str) -> None:
    before = cli("--json", "--url", url, "tags")
    after = cli("tags", "--url", url, "--json")
    assert before.stdout == after.stdout == "[]\n"
