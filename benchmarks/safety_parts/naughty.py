"""Naughty strings and poisoned passages: the safe form is reached, stays as it is, and nothing crashes."""

from pathlib import Path

from commontrace.safety.pipeline import screen_text
from safety_parts import Table, lines

TITLE = "Naughty strings"


def run(data: Path) -> list[Table]:
    """Round trips of the safe form."""
    naughty = [case["text"] for case in lines(data / "safety" / "blns.jsonl")]
    passages = [passage for case in lines(data / "safety" / "poisonedrag.jsonl") for passage in case["poison"]]
    rows = []
    for name, texts in (("blns", naughty), ("poisonedrag", passages)):
        once = [screen_text(text).text for text in texts]
        rows.append({
            "set": name,
            "texts": len(texts),
            "as they came": sum(text == safe for text, safe in zip(texts, once, strict=True)),
            "made safe": sum(text != safe for text, safe in zip(texts, once, strict=True)),
            "changed when screened again": sum(screen_text(safe).text != safe for safe in once),
            "crashes": 0,
        })  # fmt: skip
    return [Table("Safe forms", rows, "a crash would end this program")]
