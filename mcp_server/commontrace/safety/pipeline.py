"""What happens to a text before it is stored or searched: normal form, redaction, labels, lint."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import ValidationError

from commontrace.models.traces import Label, LintVerdict, Redaction, Risks, TraceContent
from commontrace.safety.command_forms import keys_of
from commontrace.safety.labels import labels_of
from commontrace.safety.lint import lint, refusals
from commontrace.safety.normal_form import clean
from commontrace.safety.packages import package_labels
from commontrace.safety.redaction import redact
from commontrace.safety.risks import risks_of

NOTICED: Final = 0.2
"""The score of a label from which it is kept, and from which a text is no longer clean."""
_WARNINGS: Final = ("failed_attempts", "not_when")


@dataclass(frozen=True, slots=True)
class Screened:
    """A contribution in its safe form, and everything that was noticed on the way."""

    content: TraceContent
    redactions: list[Redaction]
    hidden: list[str]
    labels: list[Label]
    risks: Risks
    command_keys: list[str]
    lint: LintVerdict
    refusals: list[str]


@dataclass(frozen=True, slots=True)
class ScreenedText:
    """One text in its safe form, with the types of what was redacted and the kinds of what was hidden."""

    text: str
    redactions: tuple[str, ...]
    hidden: tuple[str, ...]


def screen_text(text: str) -> ScreenedText:
    """The safe form of a note, a query or a reason. Screening twice changes nothing."""
    redactions: list[str] = []
    hidden: dict[str, None] = {}
    before = None
    while text != before:  # a marker can be the neighbour that bares a hidden character
        before = text
        cleaned = clean(text)
        redacted = redact(cleaned.text)
        hidden.update(dict.fromkeys(cleaned.hidden))
        redactions += [found.type for found in redacted.found]
        text = redacted.text
    return ScreenedText(text, tuple(redactions), tuple(hidden))


def screen(content: TraceContent) -> Screened:
    """The safe form of every text in a contribution. Deterministic; screening twice changes nothing.

    A text that its markers make too long is cut; where nothing visible is left in a text that must not be empty,
    a dash stands for it.
    """
    noticed = _Noticed()
    dumped = content.model_dump(mode="json", include=set(TraceContent.model_fields))
    safe = _fitted({name: noticed.safe(value, name) for name, value in dumped.items()})
    risks = risks_of(safe.solution)
    return Screened(
        content=safe,
        redactions=[Redaction(field=name, type=kind, count=n) for (name, kind), n in noticed.redactions.items()],
        hidden=list(noticed.hidden),
        labels=[
            *_labels(noticed.texts),
            *(label for label in package_labels(risks.packages) if label.score >= NOTICED),
        ],
        risks=risks,
        command_keys=keys_of(safe),
        lint=lint(safe),
        refusals=refusals(safe),
    )


@dataclass(slots=True)
class _Noticed:
    """Screens the values of fields and keeps what it notices on the way."""

    redactions: Counter[tuple[str, str]] = field(default_factory=Counter)
    hidden: dict[str, None] = field(default_factory=dict)
    texts: list[tuple[str, str]] = field(default_factory=list)

    def safe(self, value: Any, name: str) -> Any:
        """The safe form of whatever a field holds; keys are written by contributors too."""
        if isinstance(value, str):
            return self._text(value, name)
        if isinstance(value, dict):
            return {self._text(key, name): self.safe(item, name) for key, item in value.items()}
        if isinstance(value, list):
            kept = [self.safe(item, name) for item in value]
            # A marker is no tag.
            return [item for item in kept if "[" not in item] if name == "tags" else kept
        return value

    def _text(self, value: str, name: str) -> str:
        safe = screen_text(value)
        self.redactions.update((name, kind) for kind in safe.redactions)
        self.hidden.update(dict.fromkeys(safe.hidden))
        self.texts.append((name, safe.text))
        return safe.text


def _labels(texts: list[tuple[str, str]]) -> list[Label]:
    """Labels of all that may be followed; a command named as a dead end is no risk, talk to the reader is."""
    advice = labels_of("\n".join(text for name, text in texts if name not in _WARNINGS))
    warnings = labels_of("\n".join(text for name, text in texts if name in _WARNINGS))
    return advice + [label for label in warnings if label.label != "risky command" and label not in advice]


def _fitted(fields: dict[str, Any]) -> TraceContent:
    try:
        return TraceContent.model_validate(fields)
    except ValidationError as error:
        for problem in error.errors():
            _mend(fields, problem["loc"], problem.get("ctx", {}).get("max_length"))
    return TraceContent.model_validate(fields)


def _mend(fields: Any, place: tuple[int | str, ...], limit: int | None) -> None:
    for step in place[:-1]:
        fields = fields[step]
    fields[place[-1]] = _cut(fields[place[-1]], limit) if limit else "-"


def _cut(text: str, limit: int) -> str:
    """At most `limit` characters, with no half of a marker at the end."""
    short = text[:limit]
    opening = short.rfind("[redacted ")
    if opening > short.rfind("]"):
        short = short[:opening]
    safe = screen_text(short.rstrip()).text
    return safe or "-" if len(safe) <= limit else _cut(safe, limit)
