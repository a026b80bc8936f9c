"""What happens to a text before it is stored or searched: normal form, redaction, labels, lint."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from commontrace.models.traces import Label, LintVerdict, Redaction, Risks, TraceContent
from commontrace.safety.labels import labels_of
from commontrace.safety.lint import lint, refusals
from commontrace.safety.normal_form import clean
from commontrace.safety.redaction import redact
from commontrace.safety.risks import risks_of


@dataclass(frozen=True, slots=True)
class Screened:
    """A contribution in its safe form, and everything that was noticed on the way."""

    content: TraceContent
    redactions: list[Redaction]
    hidden: list[str]
    labels: list[Label]
    risks: Risks
    lint: LintVerdict
    refusals: list[str]


@dataclass(frozen=True, slots=True)
class ScreenedText:
    """One text in its safe form, with the types of what was redacted and the kinds of what was hidden."""

    text: str
    redactions: tuple[str, ...]
    hidden: tuple[str, ...]


def screen_text(text: str) -> ScreenedText:
    """The safe form of a note, a query or a reason."""
    cleaned = clean(text)
    redacted = redact(cleaned.text)
    return ScreenedText(redacted.text, tuple(found.type for found in redacted.found), cleaned.hidden)


def screen(content: TraceContent) -> Screened:
    """The safe form of every text in a contribution. Deterministic; screening twice changes nothing."""
    redactions: Counter[tuple[str, str]] = Counter()
    hidden: dict[str, None] = {}

    def walk(value: Any, field: str) -> Any:
        if isinstance(value, str):
            safe = screen_text(value)
            redactions.update((field, kind) for kind in safe.redactions)
            hidden.update(dict.fromkeys(safe.hidden))
            return safe.text
        if isinstance(value, dict):
            return {key: walk(item, field) for key, item in value.items()}
        return [walk(item, field) for item in value] if isinstance(value, list) else value

    fields = content.model_dump(mode="json")
    safe = TraceContent.model_validate(
        {name: value if name in {"tags", "source"} else walk(value, name) for name, value in fields.items()}
    )
    words = "\n".join([safe.title, safe.problem, safe.solution, *safe.errors])
    return Screened(
        content=safe,
        redactions=[Redaction(field=field, type=kind, count=count) for (field, kind), count in redactions.items()],
        hidden=list(hidden),
        labels=labels_of(words),
        risks=risks_of(safe.solution),
        lint=lint(safe),
        refusals=refusals(safe),
    )
