"""The quality lint: no real trace is refused, and what helps nobody is."""

import json
from pathlib import Path

from commontrace.models.traces import TraceContent
from commontrace.safety.lint import lint, refusals
from safety_parts import Table, share

TITLE = "Quality lint"
TURNS = "".join(f"User: it still fails with error {n}\nAssistant: Try step {n} then.\n" for n in range(6))
USELESS = {
    "empty solution": ("pytest hangs in CI", "It hangs on the last test.", "   "),
    "says fixed": ("pytest hangs in CI", "It hangs on the last test.", "Fixed."),
    "works now": ("pytest hangs in CI", "It hangs on the last test.", "It works now!"),
    "template": ("<Title>", "<Describe the problem>", "<Describe the solution here>"),
    "brackets": ("Title", "[Describe the problem]", "[Insert the solution]"),
    "to do": ("pytest hangs", "TODO: describe", "TODO: write down what fixed it"),
    "lorem": ("pytest hangs", "Lorem ipsum dolor sit amet", "Lorem ipsum dolor sit amet, consectetur"),
    "repeats the problem": ("pytest hangs", "It hangs on the last test.", "It hangs on the last test."),
    "transcript": ("pytest hangs", "It hangs on the last test.", TURNS),
    "JSON transcript": ("pytest hangs", "It hangs.", json.dumps([{"role": "user", "content": "step"}] * 8)),
    "dashes": ("pytest hangs", "---", "---"),
    "asks back": ("pytest hangs", "It hangs on the last test.", "Did you find a solution? Same problem here."),
    "same here": ("pytest hangs", "It hangs on the last test.", "Same here, +1"),
}  # fmt: skip


def run(data: Path) -> list[Table]:
    """Refusals of the seed traces and of useless ones; the spread of scores."""
    seeds = json.loads((data / "seed_traces.json").read_text(encoding="utf-8"))
    contents = [
        TraceContent(title=row["title"][:200], problem=row["context"], solution=row["solution"], tags=[])
        for row in seeds
    ]
    refused = [{"title": one.title[:60], "why": "; ".join(refusals(one))} for one in contents if refusals(one)]
    scores = sorted(lint(one).score for one in contents)
    rows = []
    for name, (title, problem, solution) in USELESS.items():
        why = refusals(TraceContent(title=title, problem=problem, solution=solution))
        rows.append({"what": name, "refused": bool(why), "why": "; ".join(why)})
    held = sum(row["refused"] is True for row in rows)
    return [
        Table(
            (
                f"Of {len(contents)} seed traces refused: {len(refused)}; scores {scores[0]} to {scores[-1]},"
                f" median {scores[len(scores) // 2]}"
            ),
            refused,
        ),
        Table(f"Useless ones refused: {held} of {len(rows)} ({share(held, len(rows))})", rows),
    ]
