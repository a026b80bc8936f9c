"""`trace edit`, `annotate`, `pin`, `skip`, `remove`, `restore`, `move`, `notes`: changing what the window shows."""

import json
from typing import Any, get_args

import click

from commontrace.cli.contexts.command import (
    change_options,
    context_command,
    draw_change,
    open_repository,
    selection,
    slot_id,
    slot_ids,
)
from commontrace.cli.output import answer, counted
from commontrace.cli.reading import parse_json, read_object, read_tools
from commontrace.models.contexts import ChangeResult, Priority


def _answer(done: ChangeResult, verb: str, *, dry_run: bool) -> None:
    said = f"{verb} {counted(len(done.slots), 'message')}"
    answer(done, lambda screen: draw_change(screen, done, said, dry_run=dry_run))


@context_command("edit")
@click.argument("slot")
@click.option("--text", help="Other words, in place of all parts.")
@click.option("--file", metavar="FILE", help="The whole message as JSON, in the OpenAI or Anthropic shape.")
@click.option("--version", type=click.IntRange(0), help="What it said before: 0 is the first; see trace slot.")
@change_options
def edit(slot: str, text: str | None, file: str | None, version: int | None, **options: Any) -> None:
    """Give the message SLOT another content; what it said before stays in its history.

    SLOT is the first digits of a slot, or the message's place in the window, both as in trace show --explain.
    """
    content = read_object(file) if file else None
    with open_repository() as repo:
        done = repo.edit(slot_id(repo, slot), text, content=content, version=version, **options)
    _answer(done, "Edited", dry_run=options["dry_run"])


@context_command("annotate")
@selection
@click.option("--priority", type=click.Choice(get_args(Priority)), help="From what is never shown to what always is.")
@click.option("--reason", default="", help="Why.")
@click.option("--note", "notes", multiple=True, metavar="NAME=VALUE", help="Anything else; a VALUE may be JSON.")
@change_options
def annotate(slots: tuple[str, ...], notes: tuple[str, ...], **options: Any) -> None:
    """Give messages a priority with its reason, or other notes; those of a group together."""
    given = dict(_note(note) for note in notes)
    with open_repository() as repo:
        done = repo.annotate(slots=slot_ids(repo, slots), notes=given, **options)
    _answer(done, "Annotated", dry_run=options["dry_run"])


def _note(said: str) -> tuple[str, Any]:
    name, equals, value = said.partition("=")
    if not equals:
        raise click.BadParameter(f"{said!r} is not NAME=VALUE.", param_hint="--note")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


@context_command("pin")
@selection
@click.option("--reason", default="", help="Why.")
@change_options
def pin(slots: tuple[str, ...], **options: Any) -> None:
    """Pin messages: no budget leaves them out, no summary covers them."""
    with open_repository() as repo:
        done = repo.annotate("pinned", slots=slot_ids(repo, slots), **options)
    _answer(done, "Pinned", dry_run=options["dry_run"])


@context_command("skip")
@selection
@click.option("--reason", default="", help="Why.")
@change_options
def skip(slots: tuple[str, ...], **options: Any) -> None:
    """Leave messages out of the window; annotate --priority normal brings them back."""
    with open_repository() as repo:
        done = repo.annotate("skip", slots=slot_ids(repo, slots), **options)
    _answer(done, "Skipped", dry_run=options["dry_run"])


@context_command("remove")
@selection
@change_options
def remove(slots: tuple[str, ...], **options: Any) -> None:
    """Take messages out of the window; they stay in the history, and restore brings them back."""
    with open_repository() as repo:
        done = repo.remove(*slot_ids(repo, slots), **options)
    _answer(done, "Removed", dry_run=options["dry_run"])


@context_command("restore")
@click.argument("slots", nargs=-1, required=True, metavar="SLOT...")
@change_options
def restore(slots: tuple[str, ...], **options: Any) -> None:
    """Bring removed messages back to where they were."""
    with open_repository() as repo:
        done = repo.restore(*slot_ids(repo, slots), **options)
    _answer(done, "Restored", dry_run=options["dry_run"])


@context_command("move")
@selection
@click.option("--after", metavar="SLOT", default="", help="Behind which message; first, unless you say.")
@change_options
def move(slots: tuple[str, ...], after: str, **options: Any) -> None:
    """Put messages behind another one; groups stay together, and results behind their calls."""
    with open_repository() as repo:
        behind = slot_id(repo, after) if after else ""
        done = repo.move(*slot_ids(repo, slots), after=behind, **options)
    _answer(done, "Moved", dry_run=options["dry_run"])


@context_command("notes")
@click.option("--keep", multiple=True, metavar="PATTERN", help="What no summary may lose: a text, or /a pattern/.")
@click.option("--tools", metavar="FILE", help="The schemas of the tools, as a JSON list.")
@click.option("--types", metavar="JSON", help='Part types of your own: {"diagram": {"render": "text"}}.')
@click.option("--clear", multiple=True, type=click.Choice(["keep", "tools", "types"]), help="Take one away.")
@change_options
def notes(keep: tuple[str, ...], tools: str | None, types: str | None, clear: tuple[str, ...], **options: Any) -> None:
    """Say what holds for the whole context. Each commit knows what held there."""
    said: dict[str, Any] = {"clear": list(clear)} if clear else {}
    if keep:
        said["keep"] = list(keep)
    if tools:
        said["tools"] = read_tools(tools)
    if types:
        said["types"] = parse_json(types, "--types")
    if not said:
        raise click.UsageError("Say what is to hold: --keep, --tools, --types or --clear.")
    with open_repository() as repo:
        done = repo.notes(**said, **options)
    about = f"Set {', '.join(sorted(said.keys() - {'clear'} | {*clear}))}"
    answer(done, lambda screen: draw_change(screen, done, about, dry_run=options["dry_run"]))
