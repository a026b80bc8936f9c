"""How traces, versions and standings look in a terminal."""

from typing import Final

from commontrace.cli.output import Screen, joined
from commontrace.models.search import Hit, QueryAnswer
from commontrace.models.syncing import FederatedAnswer
from commontrace.models.traces import Environment, Label, Risks, Standing, Trace, TraceContent
from commontrace.safety.rendering import SERVED, origins, record

SHORT: Final = 10
_TIER_STYLES: Final = {
    "verified": "bold green",
    "corroborated": "green",
    "unproven": "yellow",
    "quarantined": "bold red",
    "superseded": "dim",
    "withdrawn": "dim",
}
_SECTIONS: Final = (
    ("problem", "Problem"),
    ("solution", "Solution"),
    ("applies_when", "Applies when"),
    ("not_when", "Not when"),
    ("verification", "Verification"),
)


def short(identifier: str) -> str:
    """The first digits of an id, enough to name it."""
    return identifier[:SHORT]


def standing(value: Standing) -> tuple[str, str]:
    """A tier with its numbers, in its colour."""
    return record(value), _TIER_STYLES[value.tier]


def draw_answer(screen: Screen, answer: QueryAnswer) -> None:
    """Hits, best first; or what to do where nothing is good enough."""
    for position, hit in enumerate(answer.hits, 1):
        _hit(screen, position, hit)
    if answer.hits:
        best = answer.hits[0].short_id
        if not any(hit.body for hit in answer.hits):
            screen.line((f"Full text: commontrace show {best}", "dim"))
        screen.line((f"After using one: commontrace vote {best} worked", "dim"))
        screen.line((SERVED[answer.mode], "dim"))
    if answer.left_out:
        screen.line((f"{answer.left_out} more left out; raise --limit or --max-tokens.", "dim"))
    for said in answer.notes:
        screen.line((said, "dim") if answer.hits else said)


def draw_federated(screen: Screen, answer: FederatedAnswer) -> None:
    """Hits of several stores, best first, each with where it is from; and who did not answer."""
    for position, hit in enumerate(answer.hits, 1):
        _hit(screen, position, hit)
    foreign = dict.fromkeys(hit.remote for hit in answer.hits if hit.remote)
    for name in foreign:
        screen.line((f"To have what is at {name} here: commontrace pull {name}", "dim"))
    if answer.left_out:
        screen.line((f"{answer.left_out} more left out; raise --limit or --max-tokens.", "dim"))
    for said in answer.notes:
        screen.line((said, "yellow"))


def _alike(hit: Hit) -> str:
    return f"alike: {', '.join(hit.also)}" if hit.also else ""


def _hit(screen: Screen, position: int, hit: Hit) -> None:
    screen.line((f"{position}. ", "dim"), (hit.short_id, "bold cyan"), "  ", standing(hit.standing))
    screen.line((hit.title, "bold"), indent=3)
    yours = "yours" if hit.visibility == "private" else ""
    screen.line((joined([hit.why, hit.fit, yours, _alike(hit), *origins(hit)]), "dim"), indent=3)
    _labels(screen, hit.labels, indent=3)
    for factor in hit.factors:
        screen.line((f"{factor.value:.3f}  {joined([factor.name, factor.reason])}", "dim"), indent=5)
    if hit.body:
        screen.line()
        draw_content(screen, hit.body, indent=3)
        _risks(screen, hit.risks, indent=3)
    screen.line()


def draw_trace(screen: Screen, trace: Trace) -> None:
    """A trace whole, with what is known about it."""
    screen.line((short(trace.trace_id), "bold cyan"), f"  v{trace.version_number}  ", standing(trace.standing))
    screen.line((trace.content.title, "bold"))
    by = f"by {trace.contributor.name}, {trace.visibility}, {trace.state}, {trace.updated_at:%Y-%m-%d}"
    screen.line((by, "dim"))
    for link in trace.links:
        screen.line((f"{link.kind} {link.target}", "dim"))
    if trace.flags or trace.open_amendments:
        screen.line((f"flags: {trace.flags}, open amendments: {trace.open_amendments}", "yellow"))
    _labels(screen, trace.labels)
    screen.line()
    draw_content(screen, trace.content)
    _risks(screen, trace.risks)


def draw_content(screen: Screen, content: TraceContent, indent: int = 0) -> None:
    """The words of a version, under their headings."""
    for name, heading in _SECTIONS:
        if text := getattr(content, name):
            _heading(screen, heading, indent)
            screen.markdown(text, indent=indent + 2)
    if content.errors:
        _heading(screen, "Errors", indent)
        for error in content.errors:
            screen.block(error, indent=indent + 2)
    _attempts(screen, content, indent)
    if said := _environment(content.environment):
        _heading(screen, "Environment", indent)
        screen.line(said, indent=indent + 2)
    if content.tags:
        screen.line((" ".join(f"#{tag}" for tag in content.tags), "cyan"), indent=indent)


def _attempts(screen: Screen, content: TraceContent, indent: int) -> None:
    if content.failed_attempts:
        _heading(screen, "Did not work", indent)
    for attempt in content.failed_attempts:
        screen.block(joined([attempt.tried, attempt.why], ": "), indent=indent + 2)


def _heading(screen: Screen, text: str, indent: int) -> None:
    screen.line((text, "bold underline"), indent=indent)


def _environment(where: Environment) -> str:
    packages = [joined([package.name, package.versions], " ") for package in where.packages]
    return joined([where.language or "", where.os or "", *packages, *where.tools], ", ")


def _labels(screen: Screen, labels: list[Label], indent: int = 0) -> None:
    for label in labels:
        screen.line((f"! {label.label}: {label.reason}", "bold red"), indent=indent)


def _risks(screen: Screen, risks: Risks, indent: int = 0) -> None:
    rows = (("runs", risks.commands), ("installs", risks.packages), ("leads to", risks.urls))
    for heading, found in rows:
        for item in found:
            screen.line((f"{heading} ", "dim"), (item, "yellow"), indent=indent)
