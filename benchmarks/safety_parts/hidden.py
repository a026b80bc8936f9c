"""Hidden and deceptive characters: which forms are neutralised or flagged, and the false alarms."""

from pathlib import Path

from commontrace.cli.scan import scanned
from commontrace.safety.disguise import disguises
from commontrace.safety.normal_form import clean
from safety_parts import Table, blocks, cpu, lines, ordinary

TITLE = "Hidden and deceptive text"
SEMANTIC = frozenset(("base64-instr", "rot13", "leet", "spaced", "lone-surrogate-escaped"))
"""Forms that no structure gives away: only what they say does."""


def run(data: Path) -> list[Table]:
    """Each form, and the false alarms."""
    rows = []
    for case in lines(data / "safety" / "hidden.jsonl"):
        found = scanned("", case["text"])
        flags = [*found["hidden"], *(label["reason"] for label in found["labels"])]
        kind = "semantic" if case["kind"] in SEMANTIC else "structural"
        rows.append({"form": case["kind"], "kind": kind, "handled": bool(flags), "how": "; ".join(flags)[:90]})
    structural = [row["handled"] for row in rows if row["kind"] == "structural"]
    handled = [row["handled"] for row in rows if row["kind"] == "semantic"]
    documents = ordinary(data)
    touched = sum(bool(clean(text).hidden) for text in documents)
    disguised = sum(any(True for _ in disguises(text)) for text in documents)
    return [
        Table("Forms", rows),
        Table(
            "Sums",
            [
                {"of": "structural forms handled", "figure": f"{sum(structural)} of {len(structural)}"},
                {"of": "semantic forms handled", "figure": f"{sum(handled)} of {len(handled)}"},
                {"of": "ordinary documents with hidden characters", "figure": f"{touched} of {len(documents)}"},
                {"of": "ordinary documents with a disguise", "figure": f"{disguised} of {len(documents)}"},
            ],
        ),
        Table("Cost of the normal form, 2 kB", [cpu(clean, list(blocks(documents))[:400])]),
    ]
