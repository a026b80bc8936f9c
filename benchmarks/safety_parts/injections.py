"""Instructions to the reader: how many of the attack sets get a label, and how many ordinary documents do."""

from collections import Counter, defaultdict
from pathlib import Path

from commontrace.safety.labels import labels_of
from safety_parts import Table, blocks, cpu, lines, ordinary, share

TITLE = "Injections"
SETS = ("bipia", "agentdojo", "cyberseceval")


def run(data: Path) -> list[Table]:
    """Recall by set and by kind; PoisonedRAG, which holds no instruction, tells what labels cannot find."""
    rows, kinds = [], []
    for name in SETS:
        cases = lines(data / "safety" / f"{name}.jsonl")
        found = {case["id"]: bool(labels_of(case["text"])) for case in cases}
        rows.append({"set": name, "texts": len(cases), "labelled": share(sum(found.values()), len(cases))})
        by_kind: defaultdict[str, list[bool]] = defaultdict(list)
        for case in cases:
            by_kind[case["kind"]].append(found[case["id"]])
        kinds += [{"set": name, "kind": kind, "labelled": f"{sum(held)}/{len(held)}"} for kind, held in by_kind.items()]
    passages = [passage for case in lines(data / "safety" / "poisonedrag.jsonl") for passage in case["poison"]]
    poisoned = sum(bool(labels_of(passage)) for passage in passages)
    rows.append({"set": "poisonedrag", "texts": len(passages), "labelled": share(poisoned, len(passages))})
    documents = ordinary(data)
    reasons: Counter[str] = Counter()
    touched = 0
    for text in documents:
        found_in = labels_of(text)
        touched += bool(found_in)
        reasons.update(f"{label.label}: {label.reason}" for label in found_in)
    alarms = [{"label": reason, "documents": number} for reason, number in reasons.most_common()]
    return [
        Table("Labelled", rows, "labels inform; provenance and structure decide"),
        Table("By kind", kinds),
        Table(
            f"False alarms on {len(documents)} ordinary documents: {touched} ({share(touched, len(documents))})", alarms
        ),
        Table("Cost of labels, 2 kB", [cpu(labels_of, list(blocks(documents))[:400])]),
    ]
