"""Whether a window still fits what a policy allows. Pure."""

from typing import Literal

from commontrace.models.contexts.compression import BudgetPolicy, BudgetVerdict


def verdict(tokens: int, policy: BudgetPolicy, *, compressing: bool = False) -> BudgetVerdict:
    """What a policy says of a window of so many tokens, counted at their upper bound.

    Between `low` and `high` the answer depends on where the window comes from: one that has been filling up is fine,
    one that is being compressed is compressed on, down to `low`.
    """
    room, start, end = policy.room, int(policy.high * policy.room), int(policy.low * policy.room)
    said: Literal["ok", "warn", "reject", "compress"] = "ok"
    if policy.when_full == "compress":
        said = "compress" if tokens > (end if compressing else start) else "ok"
    elif policy.when_full == "reject" and tokens > room:
        said = "reject"
    elif tokens > start:
        said = "warn"
    reasons = {
        "ok": f"{tokens} of {room} tokens are used",
        "warn": f"{tokens} of {room} tokens are used, more than {start}",
        "reject": f"{tokens} tokens do not fit the {room} that there is room for",
        "compress": f"{tokens} of {room} tokens are used; bring them down to {end}",
    }
    return BudgetVerdict(
        verdict=said, tokens=tokens, room=room, target=end if said == "compress" else None, reason=reasons[said]
    )
