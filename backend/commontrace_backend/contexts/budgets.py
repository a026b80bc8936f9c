"""Budget plans: what would make the window fit, and doing it as one commit."""

from typing import Any

from commontrace.models.contexts import BudgetPlan, NewPlan, PlanResult
from commontrace.providers.messages import Message
from commontrace_backend.contexts.compression.compaction import propose
from commontrace_backend.contexts.compression.plan import plan as make_plan
from commontrace_backend.contexts.contents import cost
from commontrace_backend.contexts.editing import Doing, conclude, open_desk
from commontrace_backend.contexts.recording import NewBlob
from commontrace_backend.contexts.summaries import fold, keeps, summarised
from commontrace_backend.contexts.targets import Desk, items_of
from commontrace_backend.contributors.caller import Caller
from commontrace_backend.database.session import WriteSession
from commontrace_backend.tokens import default_counter


async def plan(session: WriteSession, caller: Caller, name: str, wanted: NewPlan) -> PlanResult:
    """Choose the cheapest set of actions that makes the window fit, and with `apply` carry it out as one commit.

    Raises:
        InvalidInputError: no set of actions gets there; the error says how far it would get.
    """
    desk = await open_desk(session, caller, name, wanted)
    items = await items_of(desk)
    found = make_plan(items, wanted.budget, propose(items, _cost, wanted.keep_newest), wanted.keep_newest)
    if not wanted.apply:
        return PlanResult(plan=found)
    doing = await _doing(desk, found)
    return PlanResult(plan=found, applied=await conclude(session, caller, desk, wanted, doing))


def _cost(message: Message) -> int:
    return cost(default_counter(), message)


async def _doing(desk: Desk, found: BudgetPlan) -> Doing:
    operations: list[dict[str, Any]] = []
    blobs: list[NewBlob] = []
    for action in found.actions:
        if action.action == "skip":
            reason = {"level": "skip", "reason": action.reason}
            operations += [
                {"op": "annotate", "slot": slot, "key": "priority", "value": reason} for slot in action.slots
            ]
        elif action.action == "edit":
            for slot_id, message in action.messages.items():
                blobs.append(NewBlob.of(message))
                operations.append({"op": "edit", "slot": slot_id, "blob": blobs[-1].blob.blob_id})
        else:
            covered = await desk.contents(action.slots)
            keep = keeps(desk, covered, [])
            folded = fold(desk.head, covered, summarised(covered, action.target_tokens, keep), keep)
            blobs.append(folded.blob)
            operations.append(folded.operation)
    about = f"Fit the window into {found.budget} tokens"
    return Doing("plan", about, operations, blobs)
