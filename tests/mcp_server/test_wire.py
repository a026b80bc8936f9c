"""What travels: every error survives the journey, and an answer of something else is told apart."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commontrace import _wire
from commontrace.errors import (
    BY_CODE,
    AuthenticationError,
    BackendError,
    CommonTraceError,
    InvalidInputError,
    NotFoundError,
    TooLargeError,
    UnavailableError,
)
from commontrace.models.contributors import Contributor
from commontrace.models.search import Query
from commontrace.models.tags import TagCount
from commontrace.models.traces import Contribution
from commontrace_backend.problems import answer
from factories import contribution


@pytest.mark.parametrize("kind", BY_CODE.values(), ids=lambda kind: kind.__name__)
def test_every_error_arrives_as_the_class_that_was_raised(kind: type[CommonTraceError]) -> None:
    raised = kind("Something failed.", "Do this.", {"more": [1]})
    response = answer(raised)
    back = _wire.problem(response.status_code, bytes(response.body))
    assert type(back) is kind
    assert (back.detail, back.hint, back.extra) == (raised.detail, raised.hint, raised.extra)
    assert response.headers.get("retry-after") == ("1" if kind.retryable else None)
    assert str(back) == "Something failed. Do this."
    assert response.status_code == kind.status


def test_every_error_of_the_tree_has_a_code_of_its_own() -> None:
    def below(kind: type[CommonTraceError]) -> set[type[CommonTraceError]]:
        return {kind}.union(*(below(child) for child in kind.__subclasses__()))

    assert set(BY_CODE.values()) == below(CommonTraceError)
    assert all(kind.__doc__ for kind in BY_CODE.values())


def test_an_error_that_a_newer_server_knows_is_still_told() -> None:
    body = json.dumps({"title": "T", "status": 418, "code": "teapot", "detail": "D.", "hint": "H.", "new": 1}).encode()
    error = _wire.problem(418, body)
    assert (type(error), error.detail, error.hint) == (BackendError, "D.", "H.")


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"null", b"\xff", b'{"detail": "Not Found"}'])
@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, AuthenticationError),
        (404, NotFoundError),
        (413, TooLargeError),
        (502, UnavailableError),
        (503, UnavailableError),
        (504, UnavailableError),
        (418, BackendError),
    ],
)
def test_an_error_that_is_not_ours_is_told_by_its_status(
    status: int, kind: type[CommonTraceError], body: bytes
) -> None:
    error = _wire.problem(status, body)
    assert type(error) is kind
    assert f"status {status}, and not as CommonTrace does" in error.detail


@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b'{"traces": "none"}', b"\xff"])
def test_an_answer_that_is_not_ours_is_no_answer(body: bytes) -> None:
    with pytest.raises(BackendError, match=r"not what CommonTrace sends.*URL"):
        _wire.parse(Contributor, body)


def test_answers_are_parsed_as_what_was_asked_for() -> None:
    assert _wire.parse(type(None), b"") is None
    assert _wire.parse(list[TagCount], b'[{"tag": "a", "traces": 1, "newer": true}]') == [TagCount(tag="a", traces=1)]


def test_what_is_at_its_default_is_not_sent() -> None:
    assert _wire.encode(None) is None
    assert json.loads(_wire.encode(Query(query="x")) or b"") == {"query": "x"}


@given(st.text(max_size=100, alphabet=st.characters(exclude_categories=["Cs"])))
def test_any_text_survives_the_wire(text: str) -> None:
    made = contribution(problem=text)
    assert Contribution.model_validate_json(_wire.encode(made) or b"") == made


def test_half_a_character_cannot_be_sent() -> None:
    with pytest.raises(InvalidInputError, match=r"lone surrogate.*errors='replace'"):
        _wire.encode(Query(query="\udc80"))


def test_query_parameters_are_text_and_nothing_is_left_out() -> None:
    given = {"a": True, "b": 5, "c": None, "d": ["x", False], "e": "text", "f": ()}
    assert _wire.query_of(given) == {"a": "true", "b": "5", "d": ["x", "false"], "e": "text", "f": []}
    assert _wire.query_of(None) == {}
