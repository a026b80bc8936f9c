"""How good the answers are: loads a set of documents through the SDK, asks its queries, scores the ranking.

DIR holds corpus.jsonl (id, title, text, tags), queries.jsonl (id, text) and, to score, qrels.tsv (query, document,
1). RUN.tsv gets one `query<TAB>document<TAB>score` line a hit, best first.
"""

import argparse
import json
import math
import re
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from commontrace import Client, connect
from commontrace.errors import InvalidInputError
from commontrace.models.search import Hit, Query
from commontrace.models.traces import Contribution

DEPTH = 10
LONGEST_TITLE, LONGEST_TEXT = 200, 40_000
# A document that says too little for a trace is told its title again; how often is reported.
PADDINGS = (0, 1, 4, 16)


@dataclass
class Loaded:
    """The documents in the store."""

    documents: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))  # by trace id
    padded: int = 0
    cut: int = 0
    dropped: list[str] = field(default_factory=list)
    lint: list[int] = field(default_factory=list)
    seconds: float = 0.0


def lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        yield from (json.loads(line) for line in file if line.strip())


def contribution(document: dict[str, Any], padding: int) -> Contribution:
    """Title to title (else its first line that has a word), title to problem, text to solution."""
    text = str(document["text"])[:LONGEST_TEXT]
    first = next((line.strip() for line in text.splitlines() if re.search(r"\w", line)), str(document["id"]))
    title = (str(document.get("title") or "").strip() or first)[:LONGEST_TITLE]
    tags = [re.sub(r"[^a-z0-9.+#_-]+", "-", str(tag).lower()).strip("-._+#")[:50] for tag in document.get("tags", [])]
    return Contribution(
        title=title,
        problem=title,
        solution="\n".join([*[title] * padding, text])[:LONGEST_TEXT],
        tags=[tag for tag in tags if tag][:20],
        insist=True,
    )


def load(client: Client, documents: Iterable[dict[str, Any]]) -> Loaded:
    loaded = Loaded()
    began = time.perf_counter()
    for document in documents:
        for padding in PADDINGS:
            try:
                result = client.traces.contribute(contribution(document, padding))
            except InvalidInputError:
                continue
            loaded.documents[str(result.trace_id)].append(str(document["id"]))
            loaded.padded += padding > 0
            loaded.cut += len(document["text"]) > LONGEST_TEXT
            loaded.lint.append(result.lint.score)
            break
        else:
            loaded.dropped.append(str(document["id"]))
    loaded.seconds = time.perf_counter() - began
    return loaded


def scored(hits: list[Hit], documents: dict[str, list[str]]) -> list[tuple[str, float]]:
    """Documents with scores that keep the order of the answer, also where two scores are equal."""
    found = [(document, hit.score) for hit in hits for document in documents.get(hit.trace_id, [])]
    return [(document, score - 1e-6 * rank) for rank, (document, score) in enumerate(found[:DEPTH])]


def ask(client: Client, queries: list[dict[str, Any]], loaded: Loaded, out: Path) -> dict[str, list[str]]:
    """The ranking of each query, also written to `out`."""
    run: dict[str, list[str]] = {}
    with out.open("w", encoding="utf-8") as file:
        for query in queries:
            answer = client.traces.query(Query(query=query["text"], limit=DEPTH, silence=False))
            ranking = scored(answer.hits, loaded.documents)
            run[query["id"]] = [document for document, _ in ranking]
            file.writelines(f"{query['id']}\t{document}\t{score:.6f}\n" for document, score in ranking)
    return run


def measures(run: dict[str, list[str]], relevant: dict[str, set[str]]) -> dict[str, float]:
    """Binary nDCG@10 (Järvelin and Kekäläinen, 2002), Recall@10 and MRR@10, averaged over the judged queries."""
    sums = {"ndcg@10": 0.0, "recall@10": 0.0, "mrr@10": 0.0}
    for query, wanted in relevant.items():
        found = [rank for rank, document in enumerate(run.get(query, []), start=1) if document in wanted]
        ideal = sum(1 / math.log2(rank + 1) for rank in range(1, min(len(wanted), DEPTH) + 1))
        sums["ndcg@10"] += sum(1 / math.log2(rank + 1) for rank in found) / ideal
        sums["recall@10"] += len(found) / len(wanted)
        sums["mrr@10"] += 1 / found[0] if found else 0.0
    return {name: round(value / len(relevant), 4) for name, value in sums.items()}


def judged(path: Path, queries: list[dict[str, Any]]) -> dict[str, set[str]]:
    relevant: dict[str, set[str]] = defaultdict(set)
    asked = {query["id"] for query in queries}
    for line in path.read_text(encoding="utf-8").splitlines():
        query, document, grade = line.split("\t")
        if query in asked and int(grade) > 0:
            relevant[query].add(document)
    return relevant


def measure(url: str, data: Path, out: Path, limit: int | None) -> dict[str, Any]:
    queries = list(lines(data / "queries.jsonl"))
    with connect(url) as client:
        loaded = load(client, list(lines(data / "corpus.jsonl"))[:limit])
        wall, cpu = time.perf_counter(), time.process_time()
        run = ask(client, queries, loaded, out)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    documents = sum(len(names) for names in loaded.documents.values())
    figures: dict[str, Any] = {
        "documents": documents,
        "padded": loaded.padded,
        "cut": loaded.cut,
        "dropped": len(loaded.dropped),
        "median lint score": statistics.median(loaded.lint) if loaded.lint else 0,
        "documents a second": round(documents / loaded.seconds, 1),
        "queries": len(queries),
        # Of this process: for a server elsewhere, only the client's share.
        "cpu ms a query": round(cpu * 1000 / len(queries), 2),
        "wall ms a query": round(wall * 1000 / len(queries), 2),
    }
    judgements = data / "qrels.tsv"
    return figures | (measures(run, judged(judgements, queries)) if judgements.exists() else {})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, metavar="DIR")
    parser.add_argument("--out", type=Path, required=True, metavar="RUN.tsv")
    parser.add_argument("--url", help="the backend (default: a new SQLite file, removed afterwards)")
    parser.add_argument("--limit-docs", type=int, metavar="N", help="load only the first N documents")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = given.url or f"sqlite:///{Path(folder) / 'store.db'}"
        figures = measure(url, given.data, given.out, given.limit_docs)
    for name, value in figures.items():
        print(f"{name:20} {value:>10}")
    print(json.dumps({"benchmark": "retrieval", "data": given.data.name, **figures}))


if __name__ == "__main__":
    main()
