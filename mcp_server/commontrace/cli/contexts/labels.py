"""`trace label`, `claim`, `release`: words on commits, and branches that one has for oneself."""

import click

from commontrace.cli.contexts.command import context_command, open_repository, short
from commontrace.cli.listing import LIMIT, first
from commontrace.cli.output import Part, Screen, answer
from commontrace.models.contexts import ClaimInfo


@context_command("label")
@click.argument("name", required=False)
@click.argument("ref", default="HEAD")
@click.option("-d", "--delete", is_flag=True, help="Take the label NAME off REF; undo brings it back.")
@LIMIT
def label(name: str | None, ref: str, delete: bool, limit: int) -> None:
    """List the labels, or put NAME on REF (HEAD, unless you say). A commit may have many."""
    if delete and name is None:
        raise click.UsageError("Say which label to take away.")
    with open_repository() as repo:
        if name is None:
            labels = first(repo.labels, limit)
            rows: list[tuple[Part, ...]] = [((item.name, "magenta"), short(item.commit_id)) for item in labels]
            answer(labels, lambda screen: screen.table(rows))
            return
        changed = repo.delete_label(name, ref) if delete else repo.label(name, ref)
    verb = ("Took ", " off ") if delete else ("Put ", " on ")
    answer(changed, lambda screen: screen.line(verb[0], (changed.name, "magenta"), verb[1], short(changed.commit_id)))


@context_command("claim")
@click.argument("branch", required=False)
@click.option("--minutes", type=click.IntRange(1, 10_080), default=30, show_default=True, help="For how long.")
def claim(branch: str | None, minutes: int) -> None:
    """Have BRANCH (the current one, unless you say) for this folder: nobody else moves it meanwhile."""
    with open_repository() as repo:
        found = repo.claim(branch, minutes=minutes)
    answer(found, lambda screen: _claimed(screen, found))


def _claimed(screen: Screen, found: ClaimInfo) -> None:
    screen.line((found.branch, "bold green"), f" is yours until {found.expires_at:%Y-%m-%d %H:%M} UTC")


@context_command("release")
@click.argument("branch", required=False)
def release(branch: str | None) -> None:
    """Let everybody move BRANCH (the current one, unless you say) again."""
    with open_repository() as repo:
        found = repo.release(branch)
    answer(found, lambda screen: screen.line((found.branch, "bold green"), " is free again"))
