"""`commontrace vouches`: whom public standing counts for your organization."""

from typing import Final

import click

from commontrace.cli.command import Lazy, LazyGroup, command
from commontrace.cli.listing import LIMIT, first
from commontrace.cli.output import Screen, answer, joined
from commontrace.cli.state import open_client
from commontrace.models.reviews import Vouch

vouches: Final = LazyGroup(
    "vouches",
    {
        "Vouches": {
            "list": Lazy(__name__, "list_vouches", "The organizations that have a voice for yours"),
            "add": Lazy(__name__, "add", "Answer for an organization, or pin it as a seed"),
            "remove": Lazy(__name__, "remove", "Take that back"),
        }
    },
    help="Whom public standing counts for your organization.",
)


@command("list")
@LIMIT
def list_vouches(limit: int) -> None:
    """The organizations that have a voice for yours, loudest first."""
    with open_client() as client:
        found = first(client.vouches.known, limit)
    answer(found, lambda screen: _listed(screen, found))


def _listed(screen: Screen, found: list[Vouch]) -> None:
    if not found:
        screen.line("Yours knows no other organization. Answer for one: commontrace vouches add NAME --reason TEXT")
    screen.table([((f"{vouch.voice:.2f}", "bold cyan"), vouch.organization_name, _why(vouch)) for vouch in found])


def _why(vouch: Vouch) -> str:
    return joined(
        [
            "seed" * vouch.seed,
            f"vouched for: {vouch.reason}" if vouch.vouched else "",
            "brought in by yours" * vouch.invited,
            f"confirmed {vouch.confirmed}×" if vouch.confirmed else "",
        ]
    )


@command("add")
@click.argument("organization", metavar="NAME")
@click.option("--reason", required=True, help="Why; it stays on record.")
@click.option("--seed", is_flag=True, help="Everybody's trust begins there too; for who runs the store.")
def add(organization: str, reason: str, *, seed: bool) -> None:
    """Answer for the organization NAME: its outcomes count in public for yours and for who trusts yours."""
    with open_client() as client:
        found = client.vouches.add(organization, reason, seed=seed)
    answer(found, lambda screen: _listed(screen, found))


@command("remove")
@click.argument("organization", metavar="NAME")
@click.option("--reason", default="no longer", help="Why; it stays on record.")
@click.option("--seed", is_flag=True, help="The seed, and not your own vouch.")
def remove(organization: str, reason: str, *, seed: bool) -> None:
    """Answer for the organization NAME no longer."""
    with open_client() as client:
        found = client.vouches.remove(organization, reason, seed=seed)
    answer(found, lambda screen: _listed(screen, found))
