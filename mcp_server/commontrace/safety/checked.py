"""What is said before a command runs: where it came from, and what it would do. Pure."""

from collections.abc import Sequence

from commontrace.models.checks import CommandCheck
from commontrace.models.traces import Label
from commontrace.safety.command_rules import Finding
from commontrace.safety.use_check import worth_asking


def with_risks(found: CommandCheck, risks: Sequence[Finding]) -> CommandCheck:
    """What is known of where a command came from, and its risks before it."""
    reasons = [*worth_asking(risks), *found.reasons]
    labels = [Label(label=label, reason=reason, score=score) for label, reason, score in risks]
    return found.model_copy(update={"verdict": "ask" if reasons else "ok", "reasons": reasons, "labels": labels})
