"""`commontrace status`: who the caller is, where the store is, what it holds."""

from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from commontrace._transport import without_password
from commontrace.cli.command import command
from commontrace.cli.output import Screen, answer, counted, joined
from commontrace.cli.remotes import draw_outbox
from commontrace.cli.state import open_client
from commontrace.models.syncing import OutboxItem

if TYPE_CHECKING:
    from commontrace import Client

_LOOKED_AT: Final = 5_000  # more than that and the count is a lower bound, so that the answer stays quick


@command("status")
def status() -> None:
    """Who you are, where the store is, and what it holds."""
    with open_client() as client:
        found = _gathered(client)
    answer(found, lambda screen: _draw(screen, found))


def _gathered(client: "Client") -> dict[str, Any]:
    me = client.contributors.me()
    tiers: Counter[str] = Counter()
    for trace in islice(client.traces.all(), _LOOKED_AT):
        tiers[trace.standing.tier if trace.state == "active" else trace.state] += 1
    total = tiers.total()
    return {
        "url": without_password(client.url),
        "contributor": me.model_dump(mode="json"),
        "traces": total,
        "complete": total < _LOOKED_AT,
        "tiers": dict(tiers.most_common()),
        "contexts": len(client.contexts.repositories()),
        "reputation": [one.model_dump() for one in client.contributors.reputation().tags],
        "outbox": [item.model_dump(mode="json") for item in client.remotes.outbox()],
    }


def _draw(screen: Screen, found: dict[str, Any]) -> None:
    me = found["contributor"]
    tiers = ", ".join(f"{number:,} {tier}" for tier, number in found["tiers"].items())
    traces = counted(found["traces"], "trace") + ("" if found["complete"] else " or more")
    screen.table(
        [
            (("store", "dim"), found["url"]),
            (("you", "dim"), f"{me['name']} of {me['organization_name']} ({', '.join(me['scopes'])})"),
            (("traces", "dim"), f"{traces}{f': {tiers}' if tiers else ''}"),
            (("reputation", "dim"), _worked_for(found["reputation"])),
            (("contexts", "dim"), counted(found["contexts"], "repository", "repositories")),
        ]
    )
    draw_outbox(screen, [OutboxItem.model_validate(item) for item in found["outbox"]])
    if not found["traces"]:
        screen.line(("The store is empty: commontrace quickstart loads traces to begin with.", "dim"))


def _worked_for(reputation: list[dict[str, Any]]) -> str:
    """What all of one's versions together have earned, among colleagues and among other organizations."""
    whole = [
        f"{one['score']:.2f} ({one['positive']} of {counted(one['voices'], who)})"
        for who, audience in (("colleague", "team"), ("organization", "public"))
        for one in reputation
        if (one["tag"], one["audience"]) == ("", audience)
    ]
    return joined(whole) or "nobody has reported yet"
