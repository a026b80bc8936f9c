from pathlib import Path

from commandline import Cli, Run
from commontrace.safety import RULES_VERSION
from outdated import SECRET, age


def test_the_command_says_what_leaks_and_of_which_trace(cli: Cli, fix: Run, store: Path) -> None:
    trace = cli.json("contribute", fix(1))["trace_id"]
    assert cli.good("rescan").splitlines() == [f"1 version screened with rules {RULES_VERSION}."]
    age(store, trace)
    shown = cli.good("rescan")
    assert f"leaks secret:github-token: trace {trace}" in shown
    assert SECRET not in shown
    assert cli.json("rescan")["leaks"][0]["trace_id"] == trace
