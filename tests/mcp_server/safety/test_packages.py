"""A package's name is known, like a known one, or neither; nothing is looked up."""

import pytest

from commontrace.models.traces import TraceContent
from commontrace.safety.packages import package_labels, verdict
from commontrace.safety.pipeline import screen


@pytest.mark.parametrize(
    "name",
    [
        "requests",
        "Requests",
        "scikit_learn",
        "typing_extensions",
        "pandas==2.0",
        "sqlalchemy[asyncio]>=2",
        "@types/node",
        "react-dom",
        "lodash@4",
    ],
)
def test_a_known_name_is_known_however_it_is_written(name: str) -> None:
    assert verdict(name) == ("known", "")


@pytest.mark.parametrize(
    ("name", "like"),
    [
        ("reqeusts", "requests"), ("requets", "requests"), ("requestss", "requests"), ("reqoests", "requests"),
        ("python-requests", "requests"), ("requests2", "requests"), ("crossenv", "cross-env"), ("fast-api", "fastapi"),
        ("djang0", "django"), ("tensorfllow==2.1", "tensorflow"), ("lodash-js", "lodash"),
    ],
)  # fmt: skip
def test_a_slip_of_a_known_name_is_called_its_look_alike(name: str, like: str) -> None:
    assert verdict(name) == ("look-alike", like)


@pytest.mark.parametrize(
    "name", ["react-codeshift", "foo-bar-xyz", "our-own-tool", "abc", "@scope/thing", "x" * 200, "", "=="]
)
def test_other_names_are_unknown_and_no_more(name: str) -> None:
    assert verdict(name) == ("unknown", "")


def test_labels_weigh_a_look_alike_and_hardly_an_unknown_name() -> None:
    labels = {label.label: label for label in package_labels(["requests", "reqeusts", "our-own-tool"])}
    assert labels["look-alike package"].score > 0.5
    assert labels["look-alike package"].reason == "reqeusts is like requests"
    assert labels["unknown package"].score < 0.2
    assert package_labels(["requests"]) == []


def test_what_a_trace_installs_has_a_verdict_and_a_look_alike_a_label() -> None:
    content = TraceContent(
        title="It fails", problem="It fails.", solution="Run `pip install reqeusts numpy our-own-tool`."
    )
    screened = screen(content)
    assert screened.risks.package_verdicts == {"reqeusts": "look-alike", "numpy": "known", "our-own-tool": "unknown"}
    assert [label.label for label in screened.labels] == ["look-alike package"]
