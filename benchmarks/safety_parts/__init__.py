"""Sections of `safety.py`: each module here is one. It has `TITLE`, and `run(data)` that gives tables."""

import json
import statistics
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Table:
    """Figures: one dictionary a row, all with the same keys; what they do not say stands in the note."""

    title: str
    rows: Sequence[dict[str, Any]]
    note: str = ""


def share(part: int, whole: int) -> str:
    """A percentage with one decimal."""
    return f"{100 * part / whole:.1f} %" if whole else "-"


@cache
def lines(path: Path) -> tuple[dict[str, Any], ...]:
    """The objects of a JSONL file."""
    with path.open(encoding="utf-8") as file:
        return tuple(map(json.loads, file))


@cache
def ordinary(data: Path) -> tuple[str, ...]:
    """Documents that nobody wrote to deceive: every corpus of the retrieval data, and the seed traces."""
    corpora = sorted((data / "retrieval").glob("*/corpus.jsonl"))
    documents = [f"{row['title']}\n{row['text']}" for corpus in corpora for row in lines(corpus)]
    seeds = json.loads((data / "seed_traces.json").read_text(encoding="utf-8"))
    return (*documents, *("\n".join((row["title"], row["context"], row["solution"])) for row in seeds))


def blocks(texts: Iterable[str], size: int = 2048) -> Iterator[str]:
    """The texts as pieces of `size` characters."""
    joined = "\n\n".join(texts)
    return (joined[start : start + size] for start in range(0, len(joined) - size, size))


def cpu(work: Callable[[str], object], texts: Sequence[str]) -> dict[str, str]:
    """CPU milliseconds a text: the median and the 99th of a hundred; the first call, which loads rules, is not one."""
    work(texts[0])
    spent = []
    for text in texts:
        before = time.process_time()
        work(text)
        spent.append(1000 * (time.process_time() - before))
    return {
        "ms a text (median)": f"{statistics.median(spent):.2f}",
        "ms (p99)": f"{statistics.quantiles(spent, n=100)[98]:.2f}",
    }
