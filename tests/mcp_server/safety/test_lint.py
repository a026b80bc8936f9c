"""What helps nobody is refused with a reason; what could help more is told how."""

import time
from typing import Any

import pytest

from commontrace.models.traces import TraceContent
from commontrace.safety.lint import lint, refusals
from factories import contribution

TEMPLATE = "it is a template that nobody filled in"
TRANSCRIPT = "the solution is a whole transcript; say what fixed it"
UNITS = ["\n", " \n", "1", "<your", "[your", "a", "User", "todo ", "$", " ", "\t", "word ", "é"]


def trace(**changes: Any) -> TraceContent:
    return contribution(**changes)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"title": " \u2014 "}, "the title is empty"),
        ({"problem": "\n"}, "the problem is empty"),
        ({"solution": " "}, "the solution is empty"),
        ({"solution": "..."}, "the solution is empty"),
        ({"solution": "restart it"}, "the solution says too little"),
        ({"solution": "It breaks at night.", "problem": "it breaks at night"}, "the solution repeats the problem"),
        ({"solution": "Fix: <insert the fix here>"}, TEMPLATE),
        (
            {"solution": "Cause: [describe the cause]. Fix: [fill in the fix]."},
            TEMPLATE,
        ),
        ({"problem": "TODO: describe the problem in a few words"}, TEMPLATE),
        ({"solution": "Lorem ipsum dolor sit amet, consectetur adipiscing"}, TEMPLATE),
        ({"problem": "N/A"}, TEMPLATE),
        ({"problem": "asdf"}, TEMPLATE),
        ({"solution": "User: hi\nAssistant: yes?\n" * 3}, TRANSCRIPT),
        (
            {"solution": "**Human**: hi\n> Assistant : yes?\n" * 3},
            TRANSCRIPT,
        ),
        (
            {"solution": '[{"role": "user", "content": "a"}, {"role":"assistant", "content": "b"}]\n' * 3},
            TRANSCRIPT,
        ),
    ],
)
def test_what_helps_nobody_is_refused(changes: dict[str, str], reason: str) -> None:
    assert reason in refusals(trace(**changes))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"solution": "`ulimit -n 4096`"},
        {"solution": "    make clean"},
        {"solution": "Upgrade to pydantic 2.12"},
        {"solution": "Run `git remote set-url origin <your-repository-url>` and push again."},
        {"solution": "Run:\n\n$ make clean all\n\nDone."},
        {"solution": "删除缓存目录，然后重新安装依赖。"},
        {"solution": "キャッシュを消す"},
        {"solution": "System: Linux\nUser: ann\nthen log in again"},
        {"problem": "The generator writes TBD into every field, and the parser refuses it."},
    ],
)
def test_what_helps_is_not_refused(changes: dict[str, str]) -> None:
    assert refusals(trace(**changes)) == []


def test_the_score_says_what_is_missing() -> None:
    poor = TraceContent(title="it", problem="it breaks", solution="turn it off and on")
    assert lint(poor).score == 0
    assert lint(poor).reasons == [
        "quote the error verbatim",
        "say what causes it",
        "give the exact command or code",
        "say how you verified it",
        "name the versions",
        "say what did not work and why",
        "describe the problem in a sentence or two",
        "add tags",
    ]


@pytest.mark.parametrize(
    ("changes", "points"),
    [
        ({"errors": ["x"]}, 20),
        ({"problem": "it breaks with ValueError"}, 20),
        ({"problem": "it breaks because of that"}, 15),
        ({"solution": "turn it `off`"}, 15),
        ({"solution": "do:\n\n    off\n"}, 15),
        ({"verification": "it stayed up"}, 15),
        ({"evidence": {"command": "make"}}, 15),
        ({"environment": {"packages": [{"name": "x"}]}}, 10),
        ({"problem": "it breaks on 3.11"}, 10),
        ({"failed_attempts": [{"tried": "waiting"}]}, 10),
        ({"problem": "it breaks each time that one turns it on"}, 10),
        ({"tags": ["x"]}, 5),
    ],
)
def test_what_is_there_scores(changes: dict[str, Any], points: int) -> None:
    poor = {"title": "it", "problem": "it breaks", "solution": "turn it off and on"}
    assert lint(TraceContent.model_validate({**poor, **changes})).score == points


def test_a_missing_verification_lowers_the_score_and_refuses_nothing() -> None:
    without = trace(verification="")
    assert lint(without).score == lint(trace()).score - 15
    assert refusals(without) == []


@pytest.mark.parametrize(
    "unit", ["\n", " \n", "1", "<your", "[your", "a", "User", "todo ", "$", " ", "\t", "word ", "é"]
)
def test_the_worst_text_takes_no_time(unit: str) -> None:
    text = unit * (40_000 // len(unit))
    started = time.process_time()
    worst = trace(problem=text, solution=text)
    lint(worst)
    assert refusals(worst)
    assert time.process_time() - started < 10


def test_no_seed_trace_is_refused(seeds: list[dict[str, Any]]) -> None:
    texts = [{"title": seed["title"], "problem": seed["context"], "solution": seed["solution"]} for seed in seeds]
    assert [text for text in texts if refusals(TraceContent.model_validate(text))] == []
