"""What every context command has: the repository it works in, and for changes which messages and what about."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
from click.shell_completion import CompletionItem

from commontrace.cli.command import Command
from commontrace.cli.output import Part, Screen, counted
from commontrace.cli.state import State, open_client, state
from commontrace.errors import CommonTraceError, NotFoundError
from commontrace.models.contexts import ChangeResult, Redacted, TokenCount

if TYPE_CHECKING:
    from commontrace import ContextRepository

_LONGEST_PLACE: Final = 3  # digits: four are the beginning of a slot
_SPANS: Final = ((60, 1, "second"), (3600, 60, "minute"), (86_400, 3600, "hour"), (8 * 86_400, 86_400, "day"))


def _keep(context: click.Context, _parameter: click.Parameter, value: str | None) -> None:
    if value is not None:
        context.ensure_object(State).repository = value


def repository_option() -> click.Option:
    """`-R NAME`, before or after the command."""
    return click.Option(
        ["-R", "--repo"],
        metavar="NAME",
        expose_value=False,
        callback=_keep,
        help="The context to work in. Default: `repository` in .commontrace.toml, else the checkout's name.",
    )


class ContextCommand(Command):
    """A command that works in one repository."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params.append(repository_option())


def context_command(name: str) -> Callable[[Callable[..., None]], ContextCommand]:
    """Make a function a context command of this name; its docstring is the help."""
    return click.command(name, cls=ContextCommand)


def repository() -> str:
    """The repository that was asked for, else the folder's."""
    from commontrace.project import default_repository

    return state().repository or default_repository(Path.cwd())


def short(commit_id: str | None) -> Part:
    """The first digits of a commit, in their colour."""
    return (commit_id or "")[:10], "yellow"


def tokens(count: TokenCount) -> str:
    """`42 tokens`, or `~42 tokens` where it is an estimate."""
    return f"{'~' if count.method == 'estimated' else ''}{count.tokens:,} token{'' if count.tokens == 1 else 's'}"


class Ref(click.ParamType[str, str]):
    """A ref, which a shell completes by the branches and tags that there are."""

    name = "ref"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Branches and tags that begin with what was typed; nothing where they cannot be read."""
        del param
        try:
            with ctx.scope(cleanup=False), open_repository() as repo:
                names = [*(branch.name for branch in repo.branches()), *(tag.name for tag in repo.tags())]
        except CommonTraceError:
            return []
        return [CompletionItem(name) for name in names if name.startswith(incomplete)]


REF: Final = Ref()


@contextmanager
def open_repository() -> "Iterator[ContextRepository]":
    """The repository that was asked for, on an open client."""
    with open_client() as client:
        yield client.contexts.open(repository())


def change_options(function: Callable[..., None]) -> Callable[..., None]:
    """What every command that changes a window takes, under the names of the contract."""
    for option in (
        click.option("--dry-run", is_flag=True, help="Say what would come of it; change nothing."),
        click.option("--expected-head", metavar="COMMIT", help="Refuse if the branch is not at this commit."),
        click.option("--agent", default="", help="Which agent does this, as it calls itself."),
        click.option("-m", "--message", default="", help="What this is about, in one line."),
    ):
        function = option(function)
    return function


def selection(function: Callable[..., None]) -> Callable[..., None]:
    """Which messages: slots, or a query."""
    about = "Those that a query finds, as in 'type:tool tokens>2000 age>50'."
    function = click.option("--select", metavar="QUERY", default="", help=about)(function)
    return click.argument("slots", nargs=-1, metavar="[SLOT]...")(function)


def slot_ids(repo: "ContextRepository", slots: Iterable[str]) -> list[str]:
    """Slots as they were named: by their first digits, or by their place in the window, as in `3`."""
    return [slot_id(repo, slot) for slot in slots]


def slot_id(repo: "ContextRepository", slot: str) -> str:
    """A slot by its first digits, or by its place in the window; raises NotFoundError for a place behind the end."""
    if not slot.isdigit() or len(slot) > _LONGEST_PLACE:
        return slot.lower()
    window = repo.window(explain=True).explanation
    if int(slot) >= len(window):
        raise NotFoundError(f"The window has {counted(len(window), 'message')}.", "See trace show --explain.")
    return window[int(slot)].slot_id


def draw_change(screen: Screen, done: ChangeResult, said: str, *, dry_run: bool) -> None:
    """What a change came to, in one line."""
    window = f"{counted(done.window_messages, 'message')}, {tokens(done.tokens)}"
    if not done.slots and done.commit_id is None:
        screen.line(f"Nothing to do: {window}")
        return
    head: tuple[Part, ...] = (("would be: ", "bold"),) if dry_run else (f"[{done.branch} ", short(done.commit_id), "] ")
    screen.line(*head, said, (f" · {window} ", "dim"), delta(done.token_delta))
    draw_redactions(screen, done)


def draw_redactions(screen: Screen, done: Redacted) -> None:
    """What was taken out of the texts before anything was stored."""
    if done.redactions:
        said = ", ".join(f"{item.count} × {item.type}" for item in done.redactions)
        screen.line((f"Taken out before it was stored: {said}", "yellow"))


def delta(number: int) -> tuple[str, str]:
    """How many tokens more or fewer; fewer is green."""
    return f"({number:+,})", "green" if number < 0 else "yellow" if number else "dim"


def ago(moment: datetime) -> str:
    """How long ago something was; after a week, the day."""
    passed = (datetime.now(UTC) - moment).total_seconds()
    for limit, unit, noun in _SPANS:
        if passed < limit:
            return f"{counted(int(max(passed, 0) // unit), noun)} ago"
    return f"{moment:%Y-%m-%d}"


def fitted(text: str, room: int) -> str:
    """The beginning of a text that has room in a line."""
    return text if len(text) <= room else f"{text[: max(room - 1, 0)]}…"
