"""Secrets and personal data: what is redacted of generated ones, and how many ordinary documents lose something."""

import itertools
import random
import re
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from commontrace.cli.scan import scanned
from commontrace.safety.randomness import entropy
from commontrace.safety.re2s import compiled
from safety_parts import Table, blocks, cpu, ordinary, share
from safety_parts._innocent import INNOCENT
from safety_parts._patterns import example
from safety_parts._shapes import ALONE, KINDS, PLACES
from safety_parts._wordings import SURROUNDED

TITLE = "Secrets and personal data"
EACH = 8
SEED = 20_261_121
LEFT = 8
"""So many characters of a secret in a row, left in the safe form, are a miss."""


@dataclass(frozen=True)
class Case:
    """A text and the secret in it."""

    group: str
    shape: str
    text: str
    secret: str

    def caught(self) -> bool:
        """Whether next to nothing of the secret is left."""
        safe = re.sub(r"\[redacted [a-z:0-9-]+\]", "\0", scanned("", self.text)["text"])
        parts = self.secret.split("\n") if "\n" in self.secret else [self.secret]
        windows = {
            part[at : at + LEFT] for part in parts for at in range(max(1, len(part) - LEFT + 1)) if "--" not in part
        }
        return not any(window in safe for window in windows)


def tokens(each: int = EACH) -> Iterator[Case]:
    """Credentials that tell what they are, wherever they stand."""
    dice = random.Random(SEED)
    for kind, (place, template), _ in itertools.product(ALONE, PLACES.items(), range(max(1, each // 4))):
        secret = KINDS[kind](dice)
        yield Case("token", f"{kind} in {place}", template.replace("§", secret), secret)


def surrounded(each: int = EACH) -> Iterator[Case]:
    """Credentials that only their surroundings give away."""
    dice = random.Random(SEED)
    for group, kinds, template in SURROUNDED:
        for kind, _ in itertools.product(kinds.split("|"), range(each)):
            secret = KINDS[kind](dice)
            yield Case(group, f"{kind}: {template}", _filled(template, secret), secret)


def _filled(template: str, secret: str) -> str:
    half = len(secret) // 2
    return template.replace("§1", secret[:half]).replace("§2", secret[half:]).replace("§", secret)


def by_rules(data: Path, each: int = EACH) -> Iterator[Case]:
    """What each rule of gitleaks matches; it holds the rule's own entropy and none of its exceptions."""
    dice = random.Random(SEED)
    rules = tomllib.loads((data / "safety" / "gitleaks-rules.toml").read_text("utf-8"))["rules"]
    for rule in rules:
        if "regex" not in rule:
            continue
        found = (_positive(rule, dice) for _ in range(each * 40))
        for text, secret in itertools.islice(filter(None, found), each):
            yield Case("gitleaks", rule["id"], f"config:\n{text}\n", secret)


def _positive(rule: dict[str, Any], dice: random.Random) -> tuple[str, str] | None:
    text = example(rule["regex"], dice)
    match = compiled(rule["regex"]).search(text.encode("ascii", "replace"))
    if not match:
        return None
    spans = [match.span(rule["secretGroup"])] if "secretGroup" in rule else [
        span for group in range(1, compiled(rule["regex"]).groups + 1) if (span := match.span(group))[1] > span[0]
    ]  # fmt: skip
    start, end = spans[0] if spans else match.span()
    secret = text[start:end].strip("\"'` ")
    excepted = [word for listed in rule.get("allowlists", []) for word in listed.get("stopwords", [])]
    regexes = [one for listed in rule.get("allowlists", []) for one in listed.get("regexes", [])]
    held = entropy(secret) > rule.get("entropy", 0) and not any(word in secret.lower() for word in excepted)
    return (text, secret) if held and not any(compiled(one).search(text.encode()) for one in regexes) else None


def recall(cases: Iterator[Case]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Recall by group, and the shapes that are missed at least once."""
    seen: Counter[str] = Counter()
    caught: Counter[str] = Counter()
    missed: dict[str, list[bool]] = defaultdict(list)
    for case in cases:
        held = case.caught()
        seen[case.group] += 1
        caught[case.group] += held
        missed[f"{case.group}: {case.shape}"].append(held)
    rows = [{"group": group, "texts": seen[group], "recall": share(caught[group], seen[group])} for group in seen]
    total = {"group": "all", "texts": seen.total(), "recall": share(caught.total(), seen.total())}
    shapes = [
        {"shape": re.sub(r"\s+", " ", shape)[:110], "left": f"{held.count(False)}/{len(held)}"}
        for shape, held in missed.items()
        if not all(held)
    ]
    return [*rows, total], shapes


def alarms(texts: Any) -> list[dict[str, Any]]:
    """How many texts lose something, by type, and how many at all."""
    count: Counter[str] = Counter()
    for text in texts:
        types = {found["type"] for found in scanned("", text)["redactions"]}
        count.update(types | {kind.partition(":")[0] for kind in types})
    return [
        {"type": kind, "documents": number, "share": share(number, len(texts))}
        for kind, number in sorted(count.items(), key=lambda item: (":" in item[0], -item[1]))
    ]


def run(data: Path) -> list[Table]:
    """Recall on generated credentials, false alarms on ordinary documents and on placeholders, cost."""
    rows, shapes = recall(itertools.chain(tokens(), surrounded()))
    rules, missed = recall(by_rules(data))
    documents = ordinary(data)
    held = [text for text in INNOCENT if any(f["type"].startswith("secret") for f in scanned("", text)["redactions"])]
    return [
        Table(
            "Generated credentials in places and wordings", rows, "every one of them generated; none was ever in use"
        ),
        Table("Generated from the regular expressions of gitleaks", rules, "the same rules are part of ours"),
        Table("Shapes that are missed", [*shapes, *missed]),
        Table(f"False alarms on {len(documents)} ordinary documents", alarms(documents)),
        Table(
            f"Of {len(INNOCENT)} placeholders, references and hashes redacted", [{"text": text[:100]} for text in held]
        ),
        Table("Cost of a whole scan, 2 kB", [cpu(lambda text: scanned("", text), list(blocks(documents))[:400])]),
    ]
