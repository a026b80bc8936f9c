"""What a key's publication policy makes of the audience that is wanted for a trace. Pure."""

from dataclasses import dataclass

from commontrace.models.traces import TraceState, Visibility
from commontrace_backend.contributors.caller import Caller


@dataclass(frozen=True, slots=True)
class Audience:
    """Who sees a new trace, whom it waits to be shown to, and what its contributor is told about that."""

    visibility: Visibility
    state: TraceState = "active"
    wanted: Visibility | None = None
    note: str = ""


def audience(caller: Caller, wanted: Visibility) -> Audience:
    """What a key's publication policy makes of the audience that is wanted for a new trace."""
    if wanted == "private" or caller.publication == "direct":
        return Audience(wanted)
    if caller.publication == "drafts only":
        return Audience("private", note="This key keeps drafts only: it was stored as private.")
    return Audience(
        "private", "pending", wanted, f"This key publishes after approval: until an admin approves, {wanted} waits."
    )


def may_serve(caller: Caller, visibility: Visibility) -> bool:
    """Whether a key may put a new version before this audience by itself."""
    return visibility == "private" or caller.publication == "direct"
