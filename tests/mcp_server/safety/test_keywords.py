"""Rules are tried where a text holds one of their keywords, and nowhere else."""

from hypothesis import given
from hypothesis import strategies as st

from commontrace.safety.keywords import Keywords

WORDS = [["key", "api_key"], [], ["eyj", "j"], ["token"], ["ke", "to"], ["k8s."]]
TEXT = st.lists(st.sampled_from(["key", "api_", "eYJ", "tok", "en", "K8S", ".", "ü", "\ud800", " ", "\u212aey"])).map(
    "".join
)


@given(TEXT)
def test_the_rules_to_try_are_those_with_a_keyword_in_the_text_and_those_without_any(text: str) -> None:
    meant = [number for number, words in enumerate(WORDS) if not words or any(word in text.lower() for word in words)]
    assert Keywords(WORDS).rules(text) == meant


def test_a_text_with_none_of_them_is_left_to_the_rules_without_any() -> None:
    assert Keywords(WORDS).rules("nothing here") == [1]
    assert Keywords([["key"]]).rules("nothing here") == []
