"""Ids of blobs, slots, commits and states: golden vectors, and what must change them."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commontrace.errors import InvalidInputError
from commontrace.models.canonical import canonical
from commontrace.objects import Blob, Commit, appends, check_operation, identify
from commontrace.providers.messages import parse_message
from commontrace_backend.contexts.view import Shown, state_id

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
OBJECTS = st.dictionaries(TEXT, JSON, max_size=6)

GREETING = parse_message({"role": "user", "content": "Grüße 👋"})
COMMIT = Commit(
    parents=("a" * 64, "b" * 64),
    operations=({"op": "append", "slot": "c" * 32, "blob": "d" * 64},),
    author="e" * 32,
    agent="claude",
    time="2026-11-21T08:00:00.000000+00:00",
    message="first",
    traces=("f" * 32,),
    metadata={"turn": 1},
    generation={"model": "m", "temperature": 0.5},
)
CHANGES: list[dict[str, Any]] = [
    {"parents": ("b" * 64, "a" * 64)},
    {"parents": ("a" * 64,)},
    {"operations": ({"op": "append", "slot": "c" * 32, "blob": "0" * 64},)},
    {"operations": ({"op": "append", "slot": "0" * 32, "blob": "d" * 64},)},
    {"operations": ()},
    {"author": "0" * 32},
    {"agent": "codex"},
    {"time": "2026-11-21T08:00:00.000001+00:00"},
    {"message": "First"},
    {"traces": ()},
    {"metadata": {"turn": 2}},
    {"metadata": {"turn": "1"}},
    {"generation": {"model": "m", "temperature": 0.6}},
]


def changed(commit: Commit, changes: dict[str, Any]) -> str:
    return identify("commit", replace(commit, **changes).encoded())


def test_a_blob_has_the_id_that_it_has_always_had() -> None:
    blob = Blob.of(GREETING)
    assert blob.encoded == '{"parts":[{"text":"Grüße 👋","type":"text"}],"role":"user"}'.encode()
    assert blob.blob_id == "3178fb8d04ca91bd3da1a2ce26d86f58ccec682d6d541e17a8244a52732cbc66"


def test_a_blob_of_a_tool_call_has_the_id_that_it_has_always_had() -> None:
    call = {"id": "call_1", "type": "function", "function": {"name": "run", "arguments": '{"n": 1.0}'}}
    message = parse_message({"role": "assistant", "content": None, "tool_calls": [call]})
    assert Blob.of(message).blob_id == "934c453cb07a279d8dd71a82af7a3961c657acbb71cdd56af87e355ec7804fc3"


def test_slots_have_the_ids_that_they_have_always_had() -> None:
    operations = appends(["0" * 64, "0" * 64], origin=[["a" * 64], "me", "default", "", "2026"])
    assert operations == (
        {"op": "append", "slot": "9a3466041f53ca84e556746469cbb30e", "blob": "0" * 64},
        {"op": "append", "slot": "74992c0928ddf71102d55eb01f0c5d21", "blob": "0" * 64},
    )


def test_a_commit_has_the_id_that_it_has_always_had() -> None:
    assert changed(COMMIT, {}) == "10d1fdb67e6ae7e5ed42bc81c132a317272782fec76f3df0e9ab1c597b64f925"


def test_a_state_has_the_id_that_it_has_always_had() -> None:
    assert state_id([]) == "188feff7cf3e1d218d52d07acfa4e8cc812ad4873d9b09e45e14f8ab3363ec38"
    assert (
        state_id([Shown("c" * 32, "d" * 64, "x"), Shown("0" * 32, "e" * 64, "y")])
        == "761249904c75ea10bb818da1849d34ff661aefb64f4350b684bdabb718fb26ef"
    )


def test_a_state_is_what_is_shown_and_not_how_it_came_about() -> None:
    one, other = [Shown("1", "blob", "x")], [Shown("2", "blob", "y")]
    assert state_id(one) == state_id(other)
    assert state_id([*one, *other]) != state_id(one)


@pytest.mark.parametrize("changes", CHANGES, ids=lambda changes: json.dumps(changes)[:40])
def test_a_change_of_any_field_changes_the_id_of_a_commit(changes: dict[str, Any]) -> None:
    assert changed(COMMIT, changes) != changed(COMMIT, {})


def test_every_field_of_a_commit_is_among_those_changes() -> None:
    assert {name for changes in CHANGES for name in changes} == set(Commit.__dataclass_fields__)


@given(OBJECTS)
def test_canonical_json_reads_back_as_it_was(value: dict[str, Any]) -> None:
    assert json.loads(canonical(value)) == value


@given(OBJECTS)
def test_the_order_of_keys_does_not_matter(value: dict[str, Any]) -> None:
    assert canonical(dict(reversed(value.items()))) == canonical(value)


@given(JSON, JSON)
def test_different_values_have_different_bytes(one: Any, other: Any) -> None:
    if json.dumps(one, sort_keys=True) != json.dumps(other, sort_keys=True):
        assert canonical(one) != canonical(other)


@given(OBJECTS, OBJECTS)
def test_a_commit_reads_back_as_it_was(metadata: dict[str, Any], generation: dict[str, Any]) -> None:
    commit = replace(COMMIT, metadata=metadata, generation=generation)
    assert Commit.decode(commit.encoded()) == commit


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf"), {1, 2}, 1j], ids=repr)
def test_what_json_cannot_carry_is_refused(value: Any) -> None:
    with pytest.raises(InvalidInputError, match="JSON cannot carry"):
        canonical({"value": [value]})


@pytest.mark.parametrize("text", ["\0", "a\0", "\\\0", "\\\\\0"], ids=repr)
def test_a_nul_is_refused_wherever_it_stands(text: str) -> None:
    for value in (text, [text], {"key": text}, {text: 1}):
        with pytest.raises(InvalidInputError, match="NUL"):
            canonical(value)


@pytest.mark.parametrize("text", [r"\u0000", r"a\u0000", r"\\u0000", r"\\\u0000"])
def test_words_that_look_like_an_escaped_nul_are_words(text: str) -> None:
    assert json.loads(canonical([text])) == [text]


@pytest.mark.parametrize("text", ["\ud800", "a\udfff", "\udc00\ud800"], ids=ascii)
def test_half_a_surrogate_pair_is_refused(text: str) -> None:
    with pytest.raises(InvalidInputError, match="surrogate"):
        canonical({"text": text})


@pytest.mark.parametrize("levels", [101, 990, 100_000])
def test_a_value_nested_beyond_reason_is_refused(levels: int) -> None:
    value: object = 1
    for level in range(levels):
        value = [value] if level % 2 else {"key": value}
    with pytest.raises(InvalidInputError):
        canonical(value)


def test_a_wide_value_and_a_hundred_levels_are_fine() -> None:
    value: object = [[1]] * 500
    for _ in range(98):
        value = {"key": value}
    assert json.loads(canonical(value)) == value


@pytest.mark.parametrize(
    "operation",
    [{}, {"op": "append"}, {"op": "append", "slot": "s", "blob": "b", "more": 1}, {"op": "explode"}, {"op": None}],
    ids=str,
)
def test_an_operation_of_another_form_is_refused(operation: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError, match="not an operation"):
        check_operation(operation)


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "cover", "slot": "s", "blob": "b", "covers": []},
        {"op": "cover", "slot": "s", "blob": "b", "covers": [""]},
        {"op": "move", "slot": "s", "after": "s"},
        {"op": "edit", "slot": "", "blob": "b"},
        {"op": "annotate", "slot": "s", "key": "live", "value": False},
        {"op": "annotate", "slot": "s", "key": "priority", "value": {"level": "huge"}},
    ],
    ids=str,
)
def test_an_operation_that_could_mean_nothing_is_refused(operation: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError, match="has a field that it cannot have"):
        check_operation(operation)
