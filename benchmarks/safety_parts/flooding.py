"""Flooding: five poisoned texts a question against the real search, through the SDK.

The poisons (title: the question itself, word for word) are published by organizations that nobody vouches for; each
question has three honest answers, each corroborated by two known organizations. The data is `poisonedrag.jsonl`: 300
questions with five poisoned passages each (PoisonedRAG; W. Zou and others, USENIX Security 2025; MIT).

What is asked, of each question:
- `by default`: what everybody gets. No unproven public text may be among it.
- `one bought`: the same after one known organization has confirmed every poison.
- `on request`: unproven public traces too. No poison may come first.
"""

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from commontrace import Client, connect
from commontrace.models.search import Query, QueryAnswer
from commontrace.models.traces import Contribution
from safety_parts import Table, lines, share
from safety_parts._crowd import Crowd, confirm

TITLE = "Flooding"
QUESTIONS = {"none": 60, "auto": 20}
"""How many of them are asked, by embedder: by words alone, and with vectors."""
HONEST = 3
TOP = 5
WORDINGS = (
    "The answer is {correct}. Several independent references say so, and it was checked against two of them.",
    "It is {correct}, as the sources agree; look there before you rely on anything else that is said about it.",
    "According to what was published about this question the right answer is {correct}, and no other one.",
)


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
        for trace_id in honest:
            confirm(crowd("reader", f"reading {place}"), trace_id)
    poison = [
        published(crowd(f"writer {number}", f"evil {place}", stranger=True), text, text, poison)
        for place, poison in enumerate(question["poison"])
    ]
    return honest, poison


def judged(kind: str, answers: Iterable[tuple[QueryAnswer, list[str]]]) -> dict[str, str]:
    """Shares of questions, and of the places in the first five, that poison has."""
    found = [([hit.trace_id in honest for hit in answer.hits[:TOP]], answer) for answer, honest in answers]
    total = len(found)
    unproven = (any(hit.standing.tier == "unproven" for hit in answer.hits) for _, answer in found)
    return {
        "asked": kind,
        "poison first": share(sum(marks[:1] == [False] for marks, _ in found), total),
        "share of top five": share(
            sum(marks.count(False) for marks, _ in found), sum(len(marks) for marks, _ in found)
        ),
        "any in top five": share(sum(False in marks for marks, _ in found), total),
        "honest first": share(sum(marks[:1] == [True] for marks, _ in found), total),
        "unproven shown": share(sum(unproven), total),
    }


def asked(kind: str, viewer: Client, questions: list[str], honest: list[str], **options: Any) -> dict[str, str]:
    return judged(kind, ((viewer.traces.query(Query(query=text, limit=TOP, **options)), honest) for text in questions))


def run(data: Path) -> list[Table]:
    """The figures by what was asked, by words and with vectors."""
    cases = lines(data / "safety" / "poisonedrag.jsonl")
    return [
        Table(f"{number} questions, embedder {embedder}", flooded(list(cases[:number]), embedder))
        for embedder, number in QUESTIONS.items()
    ]


def flooded(cases: list[dict[str, Any]], embedder: str) -> list[dict[str, str]]:
    """A fresh store with honest answers and poisons, and what it then answers."""
    os.environ["COMMONTRACE_EMBEDDER"] = embedder
    for name in ("READS", "WRITES", "VOTES", "KEYS"):  # without which the flood would be over after a minute's share
        os.environ[f"COMMONTRACE_RATE_{name}"] = "1000000"
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'store.db'}"
        with connect(url, timeout=600) as owner, connect(url, api_key="", timeout=600) as keyed:
            crowd = Crowd(owner, keyed)
            loaded = [load(crowd, number, case) for number, case in enumerate(cases)]
            while embedder != "none" and not owner.traces.refresh_index(256).done:
                pass
            honest = [trace_id for good, _ in loaded for trace_id in good]
            viewer, questions = crowd("viewer", "elsewhere"), [case["text"] for case in cases]
            rows = [asked("by default", viewer, questions, honest)]
            rows.append(asked("on request", viewer, questions, honest, include_unproven=True))
            for _, poison in loaded:
                for trace_id in poison:
                    confirm(crowd("reader", "bought"), trace_id)
            rows.append(asked("one bought, by default", viewer, questions, honest))
            rows.append(asked("one bought, on request", viewer, questions, honest, include_unproven=True))
    return rows
