"""What a version is: ids by content, differences by line, likeness by words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commontrace.models.traces import TraceContent
from commontrace.versions import canonical, version_id
from commontrace_backend.traces.similarity import NEAR_DUPLICATE, similarity
from commontrace_backend.traces.versions import changes
from factories import contribution


def content(**changes: object) -> TraceContent:
    return TraceContent.model_validate({"title": "T", "problem": "P", "solution": "S", **changes})


# Golden vectors: an id that changes orphans every stored version, vote and receipt.
GOLDEN = [
    (
        content(),
        b'{"problem":"P","solution":"S","title":"T"}',
        "3006e7b158407405aa08082185e3c0dd8f4e5d2344c91dba2d360f94eca86014",
    ),
    (
        content(tags=["b", "a"], title='Ünïcode 😀 \n"quoted"'),
        '{"problem":"P","solution":"S","tags":["b","a"],"title":"Ünïcode 😀 \\n\\"quoted\\""}'.encode(),
        "4a0cf684d48a9ee6e34d4a511d42f16785c608d6f5de5e795b579f8c758eaa6c",
    ),
    (
        content(
            environment={"language": "python", "packages": [{"name": "pydantic", "versions": ">=2"}]},
            failed_attempts=[{"tried": "a", "why": "b"}],
            source={"kind": "human"},
        ),
        (
            b'{"environment":{"language":"python","packages":[{"name":"pydantic","versions":">=2"}]},'
            b'"failed_attempts":[{"tried":"a","why":"b"}],"problem":"P","solution":"S","source":{"kind":"human"},"title":"T"}'
        ),
        "fa2cbc5159f59f11a909f9338d1a2d70eb9cb22c01ec8c6c16ebc2a99f114029",
    ),
]


@pytest.mark.parametrize(("made", "form", "identity"), GOLDEN)
def test_the_canonical_form_and_its_id_never_change(made: TraceContent, form: bytes, identity: str) -> None:
    assert canonical(made) == form
    assert version_id(made) == identity


@given(st.text(min_size=1, max_size=50), st.text(max_size=200), st.text(max_size=200))
def test_the_id_survives_a_journey_as_json_and_tells_contents_apart(title: str, problem: str, solution: str) -> None:
    made = content(title=title, problem=problem, solution=solution)
    assert version_id(TraceContent.model_validate_json(made.model_dump_json())) == version_id(made)
    assert version_id(made.model_copy(update={"solution": solution + "."})) != version_id(made)


def test_a_field_named_at_its_default_leaves_the_id_alone() -> None:
    assert version_id(content(tags=[], applies_when="", evidence=None)) == version_id(content())


def test_changes_name_each_field_with_a_diff_of_its_lines() -> None:
    before = content(solution="one\ntwo\nthree", tags=["a"])
    after = content(solution="one\n2\nthree", tags=["a", "b"])
    found = {change.field: change.diff for change in changes(before, after)}
    assert found.keys() == {"solution", "tags"}
    assert "-two" in found["solution"].splitlines()
    assert "+2" in found["solution"].splitlines()
    assert '+ "b"' in found["tags"]
    assert changes(before, before) == []


def test_the_same_words_in_other_dress_are_alike_and_other_words_are_not() -> None:
    one = TraceContent.model_validate(contribution().model_dump(include=set(TraceContent.model_fields)))
    louder = one.model_copy(update={"problem": one.problem.upper() + "!!!"})
    other = TraceContent.model_validate(contribution(1).model_dump(include=set(TraceContent.model_fields)))
    assert similarity(one, one) == 1.0
    assert similarity(one, louder) == 1.0
    assert similarity(one, other) < NEAR_DUPLICATE / 5
    assert similarity(content(problem=""), content(problem="")) == 0.0


@given(st.lists(st.sampled_from("abcdef"), max_size=30), st.lists(st.sampled_from("abcdef"), max_size=30))
def test_likeness_is_symmetric_and_between_0_and_1(one: list[str], other: list[str]) -> None:
    a, b = content(problem=" ".join(one)), content(problem=" ".join(other))
    assert similarity(a, b) == similarity(b, a)
    assert 0 <= similarity(a, b) <= 1
