"""What must be kept word for word: texts and expressions."""

import pytest

from commontrace.errors import InvalidInputError
from commontrace.patterns import missing_keeps, values_of


def test_a_text_stands_for_itself_where_it_is_found() -> None:
    assert values_of("src/a.py", "see src/a.py") == ["src/a.py"]
    assert values_of("src/a.py", "see SRC/A.PY") == []
    assert values_of("/", "a/b") == ["/"]
    assert values_of("/src/a.py", "in /src/a.py") == ["/src/a.py"]


def test_an_expression_stands_for_everything_it_matches_once() -> None:
    assert values_of("/PROJ-[0-9]+|ü+/", "PROJ-12 üü, PROJ-3; 😀 PROJ-12") == ["PROJ-12", "üü", "PROJ-3"]
    assert values_of("/x*/", "abc") == []


@pytest.mark.parametrize("pattern", ["/(/", "/(?=a)/", r"/(a)\1/", "", "  "])
def test_a_pattern_that_cannot_be_read_is_refused(pattern: str) -> None:
    with pytest.raises(InvalidInputError, match=r"is no regular expression|is empty") as caught:
        values_of(pattern, "text")
    assert caught.value.hint


def test_an_expression_made_to_be_slow_is_not() -> None:
    assert values_of("/(a+)+b/", "a" * 100_000) == []


def test_what_is_missing_was_there_before() -> None:
    sources = ["PROJ-1 and PROJ-2", "port 5432"]
    assert missing_keeps(sources, "PROJ-2", ["/PROJ-[0-9]/", "5432", "never said"]) == ["PROJ-1", "5432"]
    assert missing_keeps(sources, "PROJ-1 PROJ-2 5432", ["/PROJ-[0-9]/", "5432"]) == []
