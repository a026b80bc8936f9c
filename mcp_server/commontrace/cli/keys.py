"""`commontrace keys`: who may use a server."""

from typing import Final, TypedDict, Unpack, get_args

import click

from commontrace.cli.command import Lazy, LazyGroup, command
from commontrace.cli.output import Screen, answer, joined
from commontrace.cli.reading import validated
from commontrace.cli.state import open_client
from commontrace.models.contributors import ApiKey, CreatedApiKey, NewApiKey, Scope

_DEFAULT: Final[tuple[Scope, ...]] = ("read", "contribute", "vote")

keys: Final = LazyGroup(
    "keys",
    {
        "Keys": {
            "create": Lazy(__name__, "create", "Create a key; it is shown once"),
            "list": Lazy(__name__, "list_keys", "The keys of your organization"),
            "revoke": Lazy(__name__, "revoke", "Revoke a key, effective at once"),
        }
    },
    help="API keys of a server. Run it where the database is, or with a key that has the scope admin.",
)


class Options(TypedDict):
    """What a key can be told."""

    organization: str | None
    stranger: bool
    scope: tuple[Scope, ...]
    admin: bool
    expires_in_days: int | None


@command("create")
@click.argument("name")
@click.option("--organization", help="Default: your own.")
@click.option("--stranger", is_flag=True, help="Do not vouch for a new organization: nobody counts it until known.")
@click.option("--scope", multiple=True, type=click.Choice(get_args(Scope)), help="Default: read, contribute, vote.")
@click.option("--admin", is_flag=True, help="Every scope.")
@click.option("--expires-in-days", type=click.IntRange(1, 3650), help="Default: never.")
def create(name: str, **options: Unpack[Options]) -> None:
    """Create a key for the contributor NAME, who is made if the name is new. The key is shown once."""
    scopes = get_args(Scope) if options["admin"] else options["scope"] or _DEFAULT
    wanted = validated(
        NewApiKey,
        {
            "contributor": name,
            "organization": options["organization"],
            "stranger": options["stranger"],
            "scopes": list(scopes),
            "expires_in_days": options["expires_in_days"],
        },
    )
    with open_client() as client:
        created = client.contributors.create_key(wanted)
    answer(created, lambda screen: _created(screen, created))


def _created(screen: Screen, created: CreatedApiKey) -> None:
    screen.line((created.key, "bold"))
    screen.line((f"for {created.contributor.name} of {created.organization_name}: {', '.join(created.scopes)}", "dim"))
    screen.line(("This is the only time it is shown. Use it as COMMONTRACE_API_KEY.", "yellow"))


@command("list")
def list_keys() -> None:
    """The keys of your organization; to the owner of the store, all of them."""
    with open_client() as client:
        found = client.contributors.keys()
    answer(found, lambda screen: _listed(screen, found))


def _listed(screen: Screen, found: list[ApiKey]) -> None:
    if not found:
        screen.line("No keys. Create one: commontrace keys create NAME --admin")
    screen.table(
        [
            ((key.key_id, "bold cyan"), key.contributor.name, key.organization_name, ",".join(key.scopes), _state(key))
            for key in found
        ]
    )


def _state(key: ApiKey) -> str:
    if key.revoked_at:
        return f"revoked {key.revoked_at:%Y-%m-%d}"
    return joined(
        [
            f"expires {key.expires_at:%Y-%m-%d}" if key.expires_at else "",
            f"last used {key.last_used_at:%Y-%m-%d}" if key.last_used_at else "never used",
        ],
        ", ",
    )


@command("revoke")
@click.argument("key_id", metavar="ID")
def revoke(key_id: str) -> None:
    """Revoke a key by its id, effective at once."""
    with open_client() as client:
        client.contributors.revoke_key(key_id)
    answer({"key_id": key_id, "revoked": True}, lambda screen: screen.line(f"{key_id} revoked"))
