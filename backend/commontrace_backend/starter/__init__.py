"""The starter pack: traces that the project writes itself and ships, one JSON object per line."""

import json
from importlib.resources import files


def starter_traces() -> list[dict[str, object]]:
    """The traces of the starter pack, in the order of the file.

    Each has the fields of `commontrace.models.traces.TraceContent`: title, problem, solution, failed_attempts,
    errors, tags, environment, applies_when, not_when, verification.
    """
    text = files(__name__).joinpath("traces.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]
