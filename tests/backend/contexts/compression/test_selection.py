"""Which messages a query means."""

import pytest

from commontrace.errors import InvalidInputError
from commontrace_backend.contexts.compression.items import Item, whole_groups
from commontrace_backend.contexts.compression.selection import parse_query, select
from transcripts import SESSION, assistant, tool, user, window

ITEMS = window(SESSION, {0: "pinned", 1: "important", 2: "skip"})


def found(query: str, items: list[Item] = ITEMS) -> list[int]:
    return [item.position for item in select(parse_query(query), items)]


@pytest.mark.parametrize(
    ("query", "positions"),
    [
        ("type:tool", [3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 14, 15]),
        ("type:call", [3, 5, 7, 10, 12, 14]),
        ("type:result", [4, 6, 8, 11, 13, 15]),
        ("TYPE:tool_result 0..5", [4]),
        ("type:text role:user", [1, 16, 18]),
        ("role:system", [0]),
        ("name:read_file", [3, 4, 12, 13]),
        ("name:BASH 5..6", [5, 6]),
        ('text:"ROOT cause"', [9]),
        ("text:/PARSE-[0-9]+/", [1]),
        ("text:/recursion|stack/ -type:tool", [9]),
        ("priority:pinned", [0]),
        ("priority:skip", [2]),
        ("-priority:normal", [0, 1, 2]),
        ("slot:0004", [4]),
        ("commit:c000 -slot:0000", [1, 2, 3]),
        ("tokens>2000", [8]),
        ("tokens>=2542 tokens<=2k", []),
        ("tokens>2k", [8]),
        ("tokens:8", [11]),
        ("age=0", [19]),
        ("age<2 role:user", [18]),
        ("age>=19", [0]),
        ("3..5", [3, 4, 5]),
        ("..1", [0, 1]),
        ("18..", [18, 19]),
        ("7", [7]),
        ("-1..", [0]),
        ("1..10 5..20 -role:user", [5, 7, 9, 10]),
        ("summary:no 1", [1]),
        ("summary:yes", []),
    ],
)
def test_every_term_must_hold(query: str, positions: list[int]) -> None:
    assert found(query) == positions


def test_pictures_and_thoughts_are_types_under_every_providers_name() -> None:
    said = [
        {"role": "assistant", "parts": [{"type": "thinking", "thinking": "hm"}]},
        {"role": "assistant", "parts": [{"type": "reasoning"}, {"type": "text", "text": "yes"}]},
        {"role": "user", "parts": [{"type": "image_url", "image_url": {}}]},
        {"role": "user", "parts": [{"type": "Custom"}]},
    ]
    items = window(said)
    assert [found(query, items) for query in ("type:reasoning", "type:image", "type:Custom", "type:text")] == [
        [0, 1],
        [2],
        [3],
        [1],
    ]


def test_the_group_of_what_was_found_can_be_taken_whole() -> None:
    chosen = select(parse_query("type:result tokens>2000"), ITEMS)
    assert [item.position for item in whole_groups(chosen, ITEMS)] == [7, 8]


def test_a_call_that_nobody_answered_has_its_name_too() -> None:
    assert found("name:deploy", window(tool("a", "deploy", {}, "")[:1])) == [0]


def test_quotes_keep_a_value_together_and_an_apostrophe_is_none() -> None:
    items = window([user("I don't know"), assistant("# not a comment")])
    assert found("text:don't", items) == [0]
    assert found('text:"# not a" role:assistant', items) == [1]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("", "The query is empty"),
        ("   ", "The query is empty"),
        ("parser", "none: parser"),
        ("role:", "none: role:"),
        ("colour:red", "none: colour:red"),
        ("tokens>many", "none: tokens>many"),
        ("-", "none: -"),
        ("..", "none: .."),
        ("role:user bad", "none: bad"),
        ("5..3", "ends before it begins"),
        ("priority:high", "Use one of skip, normal, important, pinned"),
        ("summary:maybe", "neither yes nor no"),
        ("text:/(/", "is no regular expression"),
        ('text:"open', "a quote that is not closed"),
        ("text:" + "x" * 1_000, "at most 1000 characters"),
    ],
)
def test_what_cannot_be_read_is_named_with_what_is_possible(query: str, said: str) -> None:
    with pytest.raises(InvalidInputError, match=said) as caught:
        parse_query(query)
    assert caught.value.hint
