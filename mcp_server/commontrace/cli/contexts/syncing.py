"""`trace push`, `fetch`, `pull`: a context to a remote and back."""

from typing import TYPE_CHECKING, TypedDict, Unpack

import click

from commontrace.cli.contexts.command import context_command, open_repository, short
from commontrace.cli.output import Screen, answer, counted, waits_shown
from commontrace.models.contexts import ContextTransfer

if TYPE_CHECKING:
    from commontrace import ContextRepository


class Options(TypedDict):
    """What a push can be told."""

    force_with_lease: bool
    transcripts: bool
    dry_run: bool
    show: bool
    later: bool


@context_command("push")
@click.argument("remote", default="")
@click.argument("branches", nargs=-1, metavar="[BRANCH]...")
@click.option("--force-with-lease", is_flag=True, help="Also where the branch there goes elsewhere, if as last seen.")
@click.option("--transcripts", is_flag=True, help="Also commits that were taken from an agent's transcript.")
@click.option("--dry-run", is_flag=True, help="Show which commits would go; send nothing.")
@click.option("--show", is_flag=True, help="With --dry-run: every message, word for word.")
@click.option("--later", is_flag=True, help="Keep it in the outbox where the remote does not answer.")
def push(remote: str, branches: tuple[str, ...], **options: Unpack[Options]) -> None:
    """Send branches and tags (this one, unless you say) to REMOTE, with the commits that are not there.

    Branches move last and all at once; a push that was interrupted goes on where it stopped. A message that holds a
    secret stops it before anything is sent.
    """
    with open_repository() as repo, waits_shown():
        done = _pushed(repo, remote, branches, options)
    answer(done, lambda screen: _draw(screen, done, "would go to" if done.dry_run else "went to"))


def _pushed(repo: "ContextRepository", remote: str, branches: tuple[str, ...], options: Options) -> ContextTransfer:
    if options["dry_run"]:
        return repo.push_preview(remote, *branches, show=options["show"])
    return repo.push(
        remote,
        *branches,
        force_with_lease=options["force_with_lease"],
        transcripts=options["transcripts"],
        later=options["later"],
    )


def _draw(screen: Screen, done: ContextTransfer, said: str) -> None:
    if done.waits:
        screen.line((f"{done.waits} It waits in the outbox: commontrace sync delivers it.", "yellow"))
        return
    for commit in done.preview:
        captured = "  captured from a transcript" if commit.captured else ""
        about = f"  {counted(commit.messages, 'message')}, {counted(commit.bytes, 'byte')}"
        screen.line(short(commit.commit_id), f"  {commit.message}", (about, "dim"), (captured, "yellow"))
        for text in commit.texts:
            screen.block(text, indent=2)
    screen.line((counted(done.commits, "commit"), "bold"), f" ({counted(done.bytes, 'byte')}) {said} {done.remote}")
    for move in done.moved:
        before = short(move.before) if move.before else ("new", "green")
        screen.line(
            f"  {move.ref.partition('/')[2]} ", before, " → ", short(move.after) if move.after else ("gone", "red")
        )


@context_command("fetch")
@click.argument("remote", default="")
@click.argument("branches", nargs=-1, metavar="[BRANCH]...")
@click.option("--prune", is_flag=True, help="Forget where branches were seen that are not there any more.")
def fetch(remote: str, branches: tuple[str, ...], prune: bool) -> None:
    """Bring in what is new of REMOTE's branches and tags. Its main is origin/main here; no branch of yours moves."""
    with open_repository() as repo, waits_shown():
        done = repo.fetch(remote, *branches, prune=prune)
    answer(done, lambda screen: _draw(screen, done, "came from"))


@context_command("pull")
@click.argument("remote", default="")
@click.argument("branch", default="")
def pull(remote: str, branch: str) -> None:
    """Fetch BRANCH (the one you are on, unless you say) from REMOTE and merge it; conflicts are kept as values."""
    with open_repository() as repo, waits_shown():
        done = repo.pull(remote, branch)
    answer(done, lambda screen: _pulled(screen, done))


def _pulled(screen: Screen, done: ContextTransfer) -> None:
    _draw(screen, done, "came from")
    screen.line(f"{done.branch}: {done.merged}")
    if done.conflicts:
        screen.line((f"{counted(done.conflicts, 'conflict')}; trace status names it, trace resolve settles it", "red"))
