"""The starter pack is whole, well formed, distinct and clean."""

import json
import re
from importlib.resources import files
from itertools import combinations, pairwise
from pathlib import Path

import pytest

from commontrace.fingerprint import fingerprint
from commontrace.models.traces import TraceContent
from commontrace.safety.lint import lint
from commontrace.safety.pipeline import screen
from commontrace_backend.starter import starter_traces

TRACES = [TraceContent.model_validate(fields) for fields in starter_traces()]
each_trace = pytest.mark.parametrize("trace", TRACES, ids=[trace.title[:40] for trace in TRACES])


def _trigrams(text: str) -> set[tuple[str, str, str]]:
    words = re.findall(r"\w+", text.lower())
    return {(a, b, c) for (a, b), (_, c) in pairwise(pairwise(words))}


def test_the_pack_has_at_least_25_traces() -> None:
    assert len(TRACES) >= 25


def test_every_line_of_the_file_is_one_json_object() -> None:
    text = files("commontrace_backend.starter").joinpath("traces.jsonl").read_text(encoding="utf-8")
    lines = text.removesuffix("\n").split("\n")
    assert [json.loads(line) for line in lines] == starter_traces()


@each_trace
def test_a_trace_says_problem_solution_dead_ends_limits_and_verification(trace: TraceContent) -> None:
    assert 20 <= len(trace.title) <= 120
    assert all((trace.problem, trace.solution, trace.applies_when, trace.not_when, trace.verification))
    assert 1 <= len(trace.failed_attempts) <= 3
    assert all(attempt.tried and attempt.why for attempt in trace.failed_attempts)
    assert 4 <= len(trace.solution.splitlines()) <= 25


@each_trace
def test_tags_are_few_distinct_and_lower_case(trace: TraceContent) -> None:
    assert 2 <= len(trace.tags) <= 5
    assert len(set(trace.tags)) == len(trace.tags)
    assert all(re.fullmatch(r"[a-z0-9.+#-]+", tag) for tag in trace.tags)


@each_trace
def test_every_error_text_can_be_recognised_again(trace: TraceContent) -> None:
    assert all(error.strip() and fingerprint(error) for error in trace.errors)


@each_trace
def test_nothing_in_a_trace_looks_like_a_secret_a_person_or_a_hidden_character(trace: TraceContent) -> None:
    screened = screen(trace)
    assert (list(screened.redactions), list(screened.hidden)) == ([], [])
    assert screened.content == trace


def test_no_two_traces_answer_the_same_error() -> None:
    keys = [key for trace in TRACES for key in {fingerprint(error) for error in trace.errors}]
    assert len(set(keys)) == len(keys)


def test_titles_are_unique() -> None:
    assert len({trace.title.casefold() for trace in TRACES}) == len(TRACES)


def test_no_two_solutions_are_near_duplicates() -> None:
    grams = [(trace.title, _trigrams(trace.solution)) for trace in TRACES]
    alike = [(one, two) for (one, a), (two, b) in combinations(grams, 2) if len(a & b) / len(a | b) > 0.5]
    assert alike == []


def test_the_example_of_the_guide_is_a_trace_that_lacks_nothing() -> None:
    guide = Path(__file__).resolve().parents[2] / "docs" / "writing-traces.md"
    found = re.search(r"```json\n(.*?)\n```\n\nWhy it works", guide.read_text(encoding="utf-8"), re.DOTALL)
    assert found
    assert lint(TraceContent.model_validate_json(found[1])).reasons == []
