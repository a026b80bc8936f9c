"""How contexts read to an agent: compact lines, and what others wrote inside a fence."""

from typing import Any, Final

from commontrace.models.contexts import (
    BranchInfo,
    ChangeResult,
    CommitInfo,
    ConflictInfo,
    ConflictValue,
    ContextDiff,
    ContextStatus,
    DiffMessage,
    Explained,
    OperationInfo,
    PickResult,
    PlanResult,
    TokenCount,
    Window,
)
from commontrace.safety.rendering import one_line, outside, render_fenced

SLOT: Final = 8
_LONGEST: Final = 200


def count(value: TokenCount) -> str:
    """A number of tokens and how it was come by."""
    return f"{value.tokens} tokens ({value.method}, {value.encoding})"


def branch_line(branch: BranchInfo) -> str:
    """A branch, marked where HEAD is."""
    at = branch.commit_id[:10] if branch.commit_id else "unborn"
    return f"{'*' if branch.current else ' '} {branch.name} {at}"


def commit_line(commit: CommitInfo) -> str:
    """A commit in one line."""
    names = f" ({', '.join(commit.refs)})" if commit.refs else ""
    labels = "".join(f" [{label}]" for label in commit.labels)
    said = one_line(commit.message)
    return f"{commit.short_id} {commit.created_at:%Y-%m-%d %H:%M} +{commit.messages}{names}{labels} {said}"


def operation_text(operation: OperationInfo) -> str:
    """What was done; a commit says it in the words of its message."""
    return f"{operation.kind}:\n{render_fenced('what it did', operation.summary)}"


def change_line(done: ChangeResult, *, dry_run: bool = False) -> str:
    """What a change came to."""
    if not done.slots and done.commit_id is None:
        return f"Nothing to do: {done.window_messages} messages, {count(done.tokens)}"
    where = "would be" if dry_run else f"{done.branch} {(done.commit_id or '')[:10]}"
    slots = f" {' '.join(slot[:SLOT] for slot in done.slots[:20])}" if done.slots else ""
    more = f" and {len(done.slots) - 20} more" if len(done.slots) > 20 else ""  # noqa: PLR2004 - as many as are named
    window = f"{done.window_messages} messages, {count(done.tokens)}, {done.token_delta:+}"
    return f"{where}: changed{slots}{more}; window {window}"


def pick_line(done: PickResult, *, dry_run: bool) -> str:
    """The commits that were made."""
    where = "would be" if dry_run else f"{done.branch} at {(done.head or '')[:10]}"
    skipped = f", {len(done.skipped)} brought nothing" if done.skipped else ""
    return f"{where}: {len(done.commits)} commits{skipped}; {done.window_messages} messages, {count(done.tokens)}"


def conflict_record(conflict: ConflictInfo) -> dict[str, Any]:
    """A conflict for a structured answer: what each side says, ours first."""
    ours, *theirs = [_value(value) for value in conflict.values]
    return {
        "slot": conflict.slot_id[:SLOT],
        "kind": conflict.kind,
        "register_name": conflict.register_name,
        "ours": ours,
        "theirs": theirs[-1] if theirs else None,
    }


def _value(value: ConflictValue) -> Any:
    return one_line(value.text)[:_LONGEST] if value.text is not None else value.value


def window_text(window: Window) -> str:
    """A window with its sums, and why each message is in or out."""
    said = f"{window.included} messages, {count(window.tokens)}"
    left = f"; {window.left_out} older ones left out, raise max_tokens" if window.left_out else ""
    reasons = "\n".join(_reason(place, item) for place, item in enumerate(window.explanation))
    body = window.text if window.text is not None else _json(window)
    why = [render_fenced("slots", reasons)] if reasons else []
    return "\n".join([f"{said}{left}", *why, render_fenced("window", body)])


def _reason(place: int, item: Explained) -> str:
    tier = "in " if item.tier == "whole" else item.tier
    priority = "" if item.priority == "normal" else f" {item.priority}"
    return (
        f"{place} {tier} {item.slot_id[:SLOT]} {one_line(item.role)} {item.tokens}{priority}: {one_line(item.reason)}"
    )


def _json(window: Window) -> str:
    return window.model_dump_json(include={"system", "messages"}, exclude_none=True, indent=1)


def difference(found: ContextDiff, max_tokens: int) -> str:
    """What changes between two windows, as far as it fits."""
    lines: list[str] = []
    left = max_tokens
    for change in found.changes:
        left -= change.tokens
        if left < 0:
            lines.append(f"({len(found.changes) - len(lines)} more changes; raise max_tokens)")
            break
        lines.append(_change(change))
    head = f"{len(found.changes)} changes, {found.token_delta:+} tokens"
    return "\n".join([head, render_fenced("diff", "\n".join(lines))] if lines else [head])


def _change(change: DiffMessage) -> str:
    slot = change.slot_id[:SLOT]
    if change.change == "moved":
        return f"> {slot} {change.role} moved"
    if change.change == "priority":
        return f"! {slot} {change.role} {change.priority}"
    if change.change == "edited":
        before = _signed("-", f"{change.role_before or change.role}: {change.text_before or ''}")
        return f"~ {slot} edited\n{before}\n" + _signed("+", f"{change.role}: {change.text}")
    return _signed("+" if change.change == "added" else "-", f"{change.role}: {change.text}")


def _signed(sign: str, text: str) -> str:
    return "\n".join(f"{sign} {line}" for line in text.split("\n"))


def status_text(found: ContextStatus) -> str:
    """Where writing goes on, and what the window there is made of."""
    at = found.commit_id[:10] if found.commit_id else "unborn"
    lines = [f"{found.repository} on {found.branch} at {at}: {found.messages} messages, {count(found.tokens)}"]
    shares = [
        f"{title}: {', '.join(f'{one_line(name)} {shares[name]}' for name in sorted(shares))}"
        for title, shares in (("role", found.by_role), ("type", found.by_type), ("hidden", found.hidden))
        if shares
    ]
    if shares:
        lines.append(render_fenced("tokens", "\n".join(shares)))
    if found.tools:
        lines.append(f"tools: {found.tools} schemas, {found.tool_tokens} tokens")
    if found.left is not None:
        lines.append(f"left of {found.budget}: {found.left} tokens")
    if found.claim:
        lines.append(f"claimed by {'you' if found.claim.yours else found.claim.contributor}")
    if found.conflicts:
        said = "\n".join(str(conflict_record(conflict)) for conflict in found.conflicts)
        lines += [f"{len(found.conflicts)} conflicts to settle:", render_fenced("conflicts", said)]
    return "\n".join(lines)


def plan_text(found: PlanResult) -> str:
    """A budget plan, an action a line."""
    plan = found.plan
    lines = [f"{plan.tokens_before} → {plan.tokens_after} of {plan.budget} tokens, re-bills {plan.rebilled}"]
    lines += [
        f"{action.action} {len(action.slots)} messages ({' '.join(slot[:SLOT] for slot in action.slots[:5])}): "
        f"saves {action.tokens_saved}, re-bills {action.rebilled}, risk {action.risk}; {outside(action.reason)}"
        for action in plan.actions
    ]
    if found.applied:
        lines.append(change_line(found.applied))
    elif plan.actions:
        lines.append(f"Do it: context_plan(budget={plan.budget}, apply=true)")
    return "\n".join(lines)
