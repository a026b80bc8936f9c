"""`trace calls`, `usage`: which windows models were given, what they used, and what that teaches."""

from collections.abc import Sequence

import click

from commontrace.cli.contexts.command import context_command, open_repository, short, tokens
from commontrace.cli.listing import LIMIT, first
from commontrace.cli.output import Part, Screen, answer, counted, document
from commontrace.models.contexts import CallRecord, ModelUsage, RebuiltCall, UsageSummary


@context_command("calls")
@click.argument("call", type=click.IntRange(1), required=False)
@LIMIT
@click.pass_context
def calls(context: click.Context, call: int | None, limit: int) -> None:
    """The recorded calls, newest first; or with the number of a CALL its request, made anew.

    Exit code 1 where the request made anew is not the one that was sent.
    """
    with open_repository() as repo:
        if call is None:
            listed = first(repo.calls, limit)
            answer(listed, lambda screen: _calls(screen, listed))
            return
        rebuilt = repo.rebuild_call(call)
    answer(rebuilt, lambda screen: _rebuilt(screen, rebuilt))
    if rebuilt.same is False:
        context.exit(1)


def _calls(screen: Screen, found: Sequence[CallRecord]) -> None:
    rows: list[tuple[Part, ...]] = [
        (
            (str(call.call_id), "yellow"),
            f"{call.created_at:%Y-%m-%d %H:%M:%S}",
            short(call.commit_id),
            call.rendering.format,
            call.model or "(no model)",
            f"{call.reported:,} in" if call.reported is not None else f"~{call.estimated:,} in",
            f"{call.usage.output:,} out" if call.usage and call.usage.output is not None else "",
            (f"{call.usage.cache_read:,} cached" if call.usage and call.usage.cache_read else "", "green"),
        )
        for call in found
    ]
    screen.table(rows)
    if not rows:
        screen.line("No calls were recorded.")


def _rebuilt(screen: Screen, found: RebuiltCall) -> None:
    said = {
        True: ("The request as it was sent, to the byte.", "green"),
        False: ("Not the request that was sent.", "red"),
        None: ("As far as a purge left it.", "yellow"),
    }
    Screen(stderr=True).line(said[found.same])
    window = found.window
    if window.text is not None:
        screen.block(window.text)
        return
    system = {"system": window.system} if window.system else {}
    tools = {"tools": found.tools} if found.tools else {}
    click.echo(document({**system, "messages": window.messages, **tools}))


@context_command("usage")
def usage() -> None:
    """What the recorded calls used, by model, and what estimates of each model are off by."""
    with open_repository() as repo:
        found = repo.usage()
    answer(found, lambda screen: _usage(screen, found))


def _usage(screen: Screen, found: UsageSummary) -> None:
    screen.line(f"{counted(found.calls, 'call')}; the window now has {tokens(found.window)}")
    screen.table([_model(model) for model in found.models], indent=2)


def _model(model: ModelUsage) -> tuple[Part, ...]:
    kinds = (
        ("in", model.input),
        ("cached", model.cache_read),
        ("to cache", model.cache_write),
        ("out", model.output),
        ("reasoning", model.reasoning),
    )
    low, high = model.band
    return (
        (model.model or "(no model)", "bold"),
        counted(model.calls, "call"),
        ", ".join(f"{count:,} {kind}" for kind, count in kinds if count is not None) or "nothing reported",
        (f"estimates × {model.factor:g} ({low:g} to {high:g})", "dim"),
    )
