"""Flooding: five poisoned texts a question against the real search, through the SDK.

The poisons (title: the question itself, word for word) are published by organizations that nobody vouches for; each
question has three honest answers, each corroborated by two known organizations. DATA is `poisonedrag.jsonl`: 300
questions with five poisoned passages each (PoisonedRAG; W. Zou and others, USENIX Security 2025; MIT).

What is asked, of each question:
- `default`: what everybody gets. No unproven public text may be among it.
- `one bought`: the same after one known organization has confirmed every poison.
- `on request`: unproven public traces too. No poison may come first.
"""

import argparse
import json
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from commontrace import Client, connect
from commontrace.models.contributors import NewApiKey
from commontrace.models.search import Query, QueryAnswer
from commontrace.models.traces import Contribution

DATA = Path(__file__).parents[1] / "../shared/data/safety/poisonedrag.jsonl"
HONEST = 3
TOP = 5
WORDINGS = (
    "The answer is {correct}. Several independent references say so, and it was checked against two of them.",
    "It is {correct}, as the sources agree; look there before you rely on anything else that is said about it.",
    "According to what was published about this question the right answer is {correct}, and no other one.",
)


class Crowd:
    """Callers by name, each with a key of its own: `crowd("ann", "acme")`."""

    def __init__(self, owner: Client, keyed: Client) -> None:
        self._owner, self._keyed = owner, keyed
        self._known: dict[tuple[str, str], Client] = {}

    def __call__(self, name: str, organization: str, *, stranger: bool = False) -> Client:
        """The caller of this name, made where the name is new."""
        if (name, organization) not in self._known:
            wanted = NewApiKey(contributor=name, organization=organization, stranger=stranger)
            key = self._owner.contributors.create_key(wanted).key
            self._known[name, organization] = self._keyed.acting_as(key)
        return self._known[name, organization]


def published(author: Client, title: str, question: str, text: str) -> str:
    contribution = Contribution(
        title=title[:200],
        problem=f"The question was: {question}. It needs an answer that can be relied on.",
        solution=text,
        insist=True,
    )
    known = str(author.traces.contribute(contribution).trace_id)
    author.traces.publish(known)
    return known


def confirm(voter: Client, trace_ids: list[str]) -> None:
    voter.traces.query(Query(ids=trace_ids))
    for trace_id in trace_ids:
        voter.traces.vote(trace_id, "worked")


def load(crowd: Crowd, number: int, question: dict[str, Any]) -> tuple[list[str], list[str]]:
    """The honest answers to a question, and the poisons."""
    text = question["text"]
    honest = [
        published(
            crowd(f"writer {place}", f"known {place}"), f"Answer {place + 1}: {text}", text, wording.format(**question)
        )
        for place, wording in enumerate(WORDINGS[:HONEST])
    ]
    for place in range(2):
        confirm(crowd("reader", f"reading {place}"), honest)
    poison = [
        published(crowd(f"writer {number}", f"evil {place}", stranger=True), text, text, poison)
        for place, poison in enumerate(question["poison"])
    ]
    return honest, poison


def judged(answers: Iterable[tuple[QueryAnswer, list[str]]]) -> dict[str, float]:
    """Shares of questions, and of the places in the first five, that poison has."""
    found = [([hit.trace_id in honest for hit in answer.hits[:TOP]], answer) for answer, honest in answers]
    total = len(found)
    places = sum(len(marks) for marks, _ in found)
    return {
        "poison first": sum(marks[:1] == [False] for marks, _ in found) / total,
        "share of top five": sum(marks.count(False) for marks, _ in found) / max(1, places),
        "any in top five": sum(False in marks for marks, _ in found) / total,
        "honest first": sum(marks[:1] == [True] for marks, _ in found) / total,
        "unproven shown": sum(
            any(hit.standing.tier == "unproven" for hit in answer.hits) for _, answer in found
        ) / total,
    }  # fmt: skip


def asked(viewer: Client, questions: list[dict[str, Any]], honest: list[str], **options: Any) -> dict[str, float]:
    return judged(
        (viewer.traces.query(Query(query=question["text"], limit=TOP, **options)), honest) for question in questions
    )


def run(data: Path = DATA, questions: int = 100, *, hybrid: bool = False) -> dict[str, dict[str, float]]:
    """The figures by what was asked."""
    os.environ["COMMONTRACE_EMBEDDER"] = "auto" if hybrid else "none"
    for name in ("READS", "WRITES", "VOTES", "KEYS"):  # without which the flood would be over after a minute's share
        os.environ[f"COMMONTRACE_RATE_{name}"] = "1000000"
    wanted = [json.loads(line) for line in data.read_text(encoding="utf-8").splitlines()][:questions]
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'store.db'}"
        with connect(url, timeout=600) as owner, connect(url, api_key="", timeout=600) as keyed:
            crowd = Crowd(owner, keyed)
            loaded = [load(crowd, number, question) for number, question in enumerate(wanted)]
            while hybrid and not owner.traces.refresh_index(256).done:
                pass
            honest = [trace_id for good, _ in loaded for trace_id in good]
            viewer = crowd("viewer", "elsewhere")
            figures = {"default": asked(viewer, wanted, honest)}
            figures["on request"] = asked(viewer, wanted, honest, include_unproven=True)
            for _, poison in loaded:
                confirm(crowd("reader", "bought"), poison)
            figures["one bought"] = asked(viewer, wanted, honest)
            figures["one bought, on request"] = asked(viewer, wanted, honest, include_unproven=True)
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA, metavar="FILE")
    parser.add_argument("--questions", type=int, default=100, metavar="N", help="the first N of them (default: 100)")
    parser.add_argument("--hybrid", action="store_true", help="vectors too, where an embedder is installed")
    given = parser.parse_args()
    figures = run(given.data, given.questions, hybrid=given.hybrid)
    names = list(figures["default"])
    print(f"{'asked':24}" + "".join(f"{name:>19}" for name in names))
    for kind, row in figures.items():
        print(f"{kind:24}" + "".join(f"{row[name]:19.1%}" for name in names))
    print(json.dumps({"benchmark": "flooding", "questions": given.questions, "hybrid": given.hybrid, **figures}))


if __name__ == "__main__":
    main()
