"""Which names commits may have, and how an expression is read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commontrace.errors import InvalidInputError
from commontrace_backend.contexts.refs import RefExpression, check_name, parse

GOOD = ["main", "fix/parser-2", "a", "0", "v1.2.3", "release_1", "a/b/c", "deadbeef", "a" * 101, "a-", "x.y"]
# What git refuses too, and what would be mistaken for something else.
BAD = [
    "",
    "HEAD",
    "head",
    "@",
    "Main",
    "a b",
    "a..b",
    "a~1",
    "a^",
    "a:b",
    "a?",
    "a*",
    "a[b",
    "a\\b",
    "a@{1}",
    "-a",
    ".a",
    "a/.b",
    "a.",
    "a/b.",
    "a.lock",
    "a.lock/b",
    "/a",
    "a/",
    "a//b",
    "a\n",
    "a\0",
    "ü",
    "a" * 102,
]


@pytest.mark.parametrize("name", GOOD)
def test_a_good_name_is_taken_as_it_is(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize("name", BAD, ids=repr)
def test_a_name_that_could_mean_something_else_is_refused(name: str) -> None:
    with pytest.raises(InvalidInputError, match="cannot be the name") as caught:
        check_name(name)
    assert "fix/parser-2" in caught.value.hint


@pytest.mark.parametrize("name", GOOD)
def test_every_good_name_is_a_ref(name: str) -> None:
    assert parse(name) == RefExpression(name, None, 0)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("HEAD", ("HEAD", None, 0)),
        ("@", ("HEAD", None, 0)),
        ("HEAD~", ("HEAD", None, 1)),
        ("HEAD^", ("HEAD", None, 1)),
        ("HEAD~0", ("HEAD", None, 0)),
        ("HEAD~2", ("HEAD", None, 2)),
        ("main~2^^~3", ("main", None, 7)),
        ("@~1", ("HEAD", None, 1)),
        ("@{1}", ("HEAD", 1, 0)),
        ("@{2}~1", ("HEAD", 2, 1)),
        ("main@{0}", ("main", 0, 0)),
        ("main@{12}~3", ("main", 12, 3)),
        ("fix/parser^", ("fix/parser", None, 1)),
        ("deadbeef~1", ("deadbeef", None, 1)),
    ],
)
def test_an_expression_is_read(text: str, expected: tuple[str, int | None, int]) -> None:
    assert parse(text) == RefExpression(*expected)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "a b",
        "~1",
        "^",
        "HEAD~x",
        "HEAD^2",
        "main@{x}",
        "@@{1}",
        "@@",
        "@{x}",
        "main@{-1}",
        "main@{",
        "main~1@{1}",
        "a..b c",
    ],
)
def test_what_is_no_expression_is_refused_with_what_would_be_one(text: str) -> None:
    with pytest.raises(InvalidInputError, match="is not a ref") as caught:
        parse(text)
    assert "HEAD~2" in caught.value.hint


@given(st.text(max_size=30))
def test_reading_an_expression_gives_one_or_our_error(text: str) -> None:
    try:
        found = parse(text)
    except InvalidInputError:
        return
    assert found.base
    assert found.steps >= 0
