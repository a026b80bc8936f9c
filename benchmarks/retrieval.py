"""How good the answers are: loads a set of documents through the SDK, asks its queries, scores the ranking.

DIR holds corpus.jsonl (id, title, text, tags), queries.jsonl (id, text) and, to score, qrels.tsv (query, document,
1). RUN.tsv gets one `query<TAB>document<TAB>score` line a hit, best first.
"""

import argparse
import importlib
import json
import math
import os
import re
import statistics
import sys
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


Run = dict[str, list[tuple[str, float]]]
Judged = dict[str, set[str]]

STRANGE = (
    "which wine goes with roasted lamb",
    "how to prune apple trees in winter",
    "best hiking trails near Lake Garda",
    "capital gains tax on a second home",
    "symptoms of iron deficiency in cats",
    "who won the 1998 world cup final",
    "how to tune a violin by ear",
    "recipe for sourdough bread without a dutch oven",
    "what to wear to a summer wedding",
    "history of the silk road in one page",
    "how deep is the mariana trench",
    "remove red wine stains from a carpet",
    "exercises against lower back pain",
    "when do swallows fly south",
    "difference between baroque and rococo",
    "how to negotiate a salary raise",
    "cheapest way to ship a sofa abroad",
    "why is the sky blue at noon",
    "learn to juggle three balls",
    "is it safe to eat mussels in june",
)
"""Questions that no set of programming documents answers."""


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


def ask(client: Client, queries: list[dict[str, Any]], loaded: Loaded) -> dict[str, list[tuple[str, float]]]:
    """The ranking of each query: documents with their scores, best first."""
    run = {}
    for query in queries:
        answer = client.traces.query(Query(query=query["text"], limit=DEPTH, silence=False, fold=False))
        run[str(query["id"])] = scored(answer.hits, loaded.documents)
    return run


def written(run: Run, out: Path) -> None:
    with out.open("w", encoding="utf-8") as file:
        for query, ranking in run.items():
            file.writelines(f"{query}\t{document}\t{score:.6f}\n" for document, score in ranking)


def measures(run: Run, relevant: Judged) -> dict[str, float]:
    """Binary nDCG@10 (Järvelin and Kekäläinen, 2002), Recall@10 and MRR@10, averaged over the judged queries."""
    sums = {"ndcg@10": 0.0, "recall@10": 0.0, "mrr@10": 0.0}
    for query, wanted in relevant.items():
        found = [rank for rank, (document, _) in enumerate(run.get(query, []), start=1) if document in wanted]
        ideal = sum(1 / math.log2(rank + 1) for rank in range(1, min(len(wanted), DEPTH) + 1))
        sums["ndcg@10"] += sum(1 / math.log2(rank + 1) for rank in found) / ideal
        sums["recall@10"] += len(found) / len(wanted)
        sums["mrr@10"] += 1 / found[0] if found else 0.0
    return {name: round(value / len(relevant), 4) for name, value in sums.items()}


def judged(path: Path, queries: list[dict[str, Any]]) -> Judged:
    relevant: dict[str, set[str]] = defaultdict(set)
    asked = {str(query["id"]) for query in queries}
    for line in path.read_text(encoding="utf-8").splitlines():
        query, document, grade = line.split("\t")
        if query in asked and int(grade) > 0:
            relevant[query].add(document)
    return relevant


def embedded(client: Client) -> float:
    """Wait until every trace has its words and vectors; the CPU seconds that took."""
    began = time.process_time()
    while not (state := client.traces.refresh_index(64)).done:
        if state.reason:
            raise SystemExit(f"embedding does not go on: {state.reason}")
        print(f"\r{state.steps_done:,} of {state.steps:,} indexed ", end="", file=sys.stderr, flush=True)
    print("\r" + " " * 40, end="\r", file=sys.stderr)
    return time.process_time() - began


def abstention(client: Client, queries: list[dict[str, Any]], loaded: Loaded, relevant: Judged) -> dict[str, float]:
    """What silence costs and what it saves.

    `recall kept` is Recall@5 with silence as a share of that without. `false hits, answer removed` is the share of
    queries that show something once what answers them is withdrawn: its neighbours are still there. `false hits,
    other subject` is the share of STRANGE questions, about nothing a programmer keeps, that show something.
    """
    traces = {document: trace for trace, names in loaded.documents.items() for document in names}
    recalls, kept, false = 0, 0, 0
    judged_queries = [query for query in queries if relevant.get(str(query["id"]))]
    for query in judged_queries:
        wanted = relevant[str(query["id"])]
        free, quiet = (
            client.traces.query(Query(query=query["text"], limit=5, silence=silence, fold=False)).hits
            for silence in (False, True)
        )
        recalls += any(set(loaded.documents[hit.trace_id]) & wanted for hit in free)
        kept += any(set(loaded.documents[hit.trace_id]) & wanted for hit in quiet)
        gone = {traces[document] for document in wanted if document in traces}
        wide = Query(query=query["text"], limit=min(50, 5 + len(gone)), fold=False)
        false += any(hit.trace_id not in gone for hit in client.traces.query(wide).hits)
    strange = sum(bool(client.traces.query(text).hits) for text in STRANGE)
    return {
        "recall kept": round(kept / max(1, recalls), 4),
        "false hits, answer removed": round(false / len(judged_queries), 4),
        "false hits, other subject": round(strange / len(STRANGE), 4),
    }


FACTORS: dict[str, dict[str, float]] = {
    "headline of the words": {"commontrace_backend.index.question.HEADLINE": 1.0},
    "repetition": {"commontrace_backend.index.question.REPETITION": 0.0},
    "other names": {"commontrace_backend.index.question.ALIAS": 0.0},
    "headline's own vector": {"commontrace_backend.search.asking.HEADLINE": 0.0},
    "words beside vectors": {"commontrace_backend.search.fusion.WORDS": 0.0},
    "background of the words": {"commontrace_backend.search.fusion.BACKGROUND": 10**9},
}
"""What each factor is when it is taken out; the store stays as it is."""


def ablated(client: Client, queries: list[dict[str, Any]], loaded: Loaded, relevant: Judged) -> dict[str, float]:
    """nDCG@10 with each factor taken out, by its name."""
    found = {}
    for factor, constants in FACTORS.items():
        before = {name: getattr(*located(name)) for name in constants}
        for name, value in constants.items():
            setattr(*located(name), value)
        # A reworded query has no remembered vector.
        asked = [{**query, "text": f"{query['text']} "} for query in queries]
        found[f"without {factor}"] = measures(ask(client, asked, loaded), relevant)["ndcg@10"]
        for name, value in before.items():
            setattr(*located(name), value)
    return found


def located(name: str) -> tuple[Any, str]:
    module, _, attribute = name.rpartition(".")
    return importlib.import_module(module), attribute


def measure(given: argparse.Namespace, url: str) -> dict[str, Any]:
    queries = list(lines(given.queries or given.data / "queries.jsonl"))
    judgements = given.data / "qrels.tsv"
    relevant = judged(judgements, queries) if judgements.exists() else {}
    with connect(url, timeout=600) as client:
        loaded = load(client, list(lines(given.data / "corpus.jsonl"))[: given.limit_docs])
        cpu_embedding = embedded(client)
        client.traces.query(Query(query="the first query loads the model", silence=False))
        wall, cpu = time.perf_counter(), time.process_time()
        run = ask(client, queries, loaded)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        written(run, given.out)
        extra: dict[str, Any] = {}
        if relevant and given.abstention:
            extra |= abstention(client, queries, loaded, relevant)
        if relevant and given.ablate:
            extra |= ablated(client, queries, loaded, relevant)
    documents = sum(len(names) for names in loaded.documents.values())
    return {
        "mode": given.mode,
        "documents": documents,
        "padded": loaded.padded,
        "cut": loaded.cut,
        "dropped": len(loaded.dropped),
        "median lint score": statistics.median(loaded.lint) if loaded.lint else 0,
        "documents a second": round(documents / loaded.seconds, 1),
        "embedding cpu s": round(cpu_embedding, 1),
        "queries": len(queries),
        # Of this process: for a server elsewhere, only the client's share.
        "cpu ms a query": round(cpu * 1000 / max(1, len(queries)), 2),
        "wall ms a query": round(wall * 1000 / max(1, len(queries)), 2),
        **(measures(run, relevant) if relevant else {}),
        **extra,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, metavar="DIR")
    parser.add_argument("--out", type=Path, required=True, metavar="RUN.tsv")
    parser.add_argument("--mode", choices=("lexical", "hybrid"), default="hybrid", help="words alone, or vectors too")
    parser.add_argument("--queries", type=Path, metavar="FILE", help="other queries, as JSON lines with id and text")
    parser.add_argument("--ablate", action="store_true", help="also the ranking with each factor taken out")
    parser.add_argument("--abstention", action="store_true", help="also what silence costs and saves")
    parser.add_argument("--url", help="the backend (default: a new SQLite file, removed afterwards)")
    parser.add_argument("--limit-docs", type=int, metavar="N", help="load only the first N documents")
    given = parser.parse_args()
    os.environ["COMMONTRACE_EMBEDDER"] = "none" if given.mode == "lexical" else "auto"
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(given, given.url or f"sqlite:///{Path(folder) / 'store.db'}")
    for name, value in figures.items():
        print(f"{name:32} {value:>10}")
    print(json.dumps({"benchmark": "retrieval", "data": given.data.name, **figures}))


if __name__ == "__main__":
    main()
