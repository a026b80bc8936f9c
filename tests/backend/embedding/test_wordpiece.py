"""WordPiece: known ids of bert-base-uncased, and laws for any text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commontrace_backend.embedding.wordpiece import LONGEST_WORD, WordPiece

WORDS = WordPiece()
VOCABULARY = 30_522
FIRST, LAST, UNKNOWN = 101, 102, 100


def inner(text: str, limit: int = 256) -> list[int]:
    first, *ids, last = WORDS.ids(text, limit)
    assert (first, last) == (FIRST, LAST)
    return ids


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("", []),
        (" \t\r\n", []),
        ("hello world", [7592, 2088]),
        ("Hello, WORLD!", [7592, 1010, 2088, 999]),
        ("unaffable", [14477, 20961, 3468]),
        ("embedding", [7861, 8270, 4667]),
        ("the quick brown fox jumps over the lazy dog", [1996, 4248, 2829, 4419, 14523, 2058, 1996, 13971, 3899]),
        ("2024", [16798, 2549]),
    ],
)
def test_known_texts_have_the_ids_that_the_model_was_trained_with(text: str, ids: list[int]) -> None:
    assert inner(text) == ids


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Café RÉSUMÉ", "cafe resume"),
        ("cafe\u0301", "cafe"),
        ("hel\x00lo\x07 wor\x7fld", "hello world"),
        ("naïve\u200bly \ufffdhello", "naively hello"),
        ("hello\u00a0world\u2003again", "hello world again"),
        ("a.b_c", "a . b _ c"),
        ("hello\u2014world\u201d", "hello \u2014 world \u201d"),
        ("中文hello", "中 文 hello"),
    ],
)
def test_texts_that_differ_in_what_does_not_count_have_the_same_ids(text: str, plain: str) -> None:
    assert inner(text) == inner(plain)
    assert UNKNOWN not in inner(plain)


def test_ideographs_stand_alone_and_other_scripts_do_not() -> None:
    assert len(inner("中文")) == 2
    assert inner("中文") == inner("中") + inner("文")
    assert inner("где") != inner("г") + inner("д") + inner("е")


def test_what_the_vocabulary_cannot_cover_is_unknown_as_a_whole() -> None:
    assert inner("😀") == [UNKNOWN]
    assert inner("hello 😀 world") == [7592, UNKNOWN, 2088]
    assert inner("ab😀cd") == [UNKNOWN]


def test_a_word_that_is_too_long_is_unknown() -> None:
    assert UNKNOWN not in inner("a" * LONGEST_WORD)
    assert inner("a" * (LONGEST_WORD + 1)) == [UNKNOWN]


def test_a_long_text_is_cut_and_keeps_its_marks() -> None:
    text = "hello world " * 1000
    for limit in (2, 3, 4, 16, 256):
        ids = WORDS.ids(text, limit)
        assert len(ids) == limit
        assert (ids[0], ids[-1]) == (FIRST, LAST)
    assert WORDS.ids(text, 5) == [FIRST, 7592, 2088, 7592, LAST]


def test_a_text_of_exactly_the_limit_is_whole() -> None:
    assert WORDS.ids("hello world", 4) == WORDS.ids("hello world", 400)


@given(st.text(max_size=300), st.integers(2, 64))
def test_any_text_has_ids_of_the_vocabulary_within_the_limit(text: str, limit: int) -> None:
    ids = WORDS.ids(text, limit)
    assert 2 <= len(ids) <= limit
    assert (ids[0], ids[-1]) == (FIRST, LAST)
    assert all(0 <= number < VOCABULARY for number in ids)
    assert inner(text, 1000)[: limit - 2] == ids[1:-1]


@given(st.lists(st.text(max_size=20), max_size=5))
def test_words_are_taken_one_by_one(words: list[str]) -> None:
    assert inner(" ".join(words), 1000) == [number for word in words for number in inner(word, 1000)]


@given(st.text(alphabet=st.characters(max_codepoint=126), max_size=60))
def test_plain_text_has_the_ids_it_has_beside_other_letters(text: str) -> None:
    """What is only ASCII takes a shorter way."""
    assert inner(f"{text} 中", 1000)[:-1] == inner(text, 1000)
