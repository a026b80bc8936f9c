"""What a summary does not say that its source said."""

import pytest

from commontrace_backend.contexts.compression.loss import losses
from transcripts import SESSION, assistant, tool, user


def lost(source: str, summary: str) -> dict[str, list[str]]:
    report = losses([user(source)], summary)
    return {name: loss.examples for name, loss in report if loss.lost}


@pytest.mark.parametrize(
    ("source", "kind", "values"),
    [
        ("call parse_config and HttpClient.send, use `fetch all` with --dry-run", "names",
         ["fetch all", "parse_config", "HttpClient.send", "--dry-run"]),
        ("we asked Ann about PostgreSQL", "names", ["Ann", "PostgreSQL"]),
        ("1,000 requests in 12.5% more time, on port 5432 for 300ms", "numbers", ["1000", "12.5%", "5432", "300ms"]),
        ("v2.1.3 of 2026-11-21T10:00, see #4821", "numbers", ["v2.1.3", "2026-11-21T10:00", "#4821"]),
        ("open src/a.py, ./run.sh, /etc/hosts and C:\\temp\\x.txt, but not and/or", "paths",
         ["src/a.py", "./run.sh", "/etc/hosts", "C:\\temp\\x.txt"]),
        ("see https://example.com/a?b=1.", "urls", ["https://example.com/a?b=1"]),
        ("Go on. Never touch billing! It is fine.", "negations", ["Never touch billing!"]),
        ("It does work. It doesn't scale.", "negations", ["It doesn't scale."]),
    ],
)  # fmt: skip
def test_what_is_lost_is_named_by_its_kind(source: str, kind: str, values: list[str]) -> None:
    assert lost(source, "nothing of it")[kind] == values


def test_what_the_summary_says_is_not_lost() -> None:
    source = "Never change parse_config in src/a.py: 1,000 users of https://example.com/a need it."
    assert lost(source, "https://example.com/a, 1000 users: parse_config in src/a.py must not change, never") == {}


def test_a_number_within_a_longer_one_does_not_count_as_said() -> None:
    assert lost("port 12", "port 1234, v12a")["numbers"] == ["12"]
    assert "numbers" not in lost("port 12", "1234 and (12)")


def test_a_negation_must_be_negated_in_the_summary_too() -> None:
    assert lost("Do not deploy the billing service.", "Deploy the billing service.")["negations"]
    assert not lost("Do not deploy the billing service.", "The billing service was never to deploy.")


def test_of_tools_only_errors_count_and_calls() -> None:
    listing = "rule_one\nrule_two\nTypeError: bad_name is undefined"
    report = losses(tool("a", "read_file", {"path": "src/lexer.py"}, listing), "nothing")
    assert report.names.examples == ["TypeError", "bad_name"]
    assert report.paths.examples == ["src/lexer.py"]


def test_parts_without_words_lose_nothing() -> None:
    report = losses([{"role": "user", "parts": [{"type": "image", "source": {"data": "rule_one"}}]}], "")
    kinds = ("names", "numbers", "paths", "urls", "negations", "keeps")
    assert {name: (loss.total, loss.share_kept) for name, loss in report} == dict.fromkeys(kinds, (0, 1))


def test_lists_are_bounded_and_counts_are_not() -> None:
    source = " ".join(f"name_{number}" for number in range(100)) + " often_said" * 3
    report = losses([user(source), assistant("name_7 " + "x_y" * 150)], "name_1 name_2")
    assert (report.names.total, report.names.lost, len(report.names.examples)) == (102, 100, 20)
    assert report.names.examples[:2] == ["often_said", "name_7"]
    assert report.names.share_kept == pytest.approx(2 / 102)
    assert max(len(example) for example in report.names.examples) <= 200


def test_what_is_too_long_to_be_words_is_read_no_further() -> None:
    report = losses([user("word " * 50_000 + "late_name"), *tool("a", "run", {}, "Error: " + "x" * 3_000 + " b_c")], "")
    assert report.names.total == 0


def test_must_keeps_are_looked_for_in_everything() -> None:
    report = losses(SESSION, "PARSE-4821", ["/PARSE-[0-9]+/", "rule_17", "never said"])
    assert (report.keeps.total, report.keeps.lost, report.keeps.examples) == (2, 1, ["rule_17"])
