"""`commontrace keys`: who may use a server."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final, TypedDict, TypeVar, Unpack, get_args

import click

from commontrace.cli.command import Lazy, LazyGroup, command
from commontrace.cli.listing import LIMIT, first
from commontrace.cli.output import Screen, answer, joined
from commontrace.cli.reading import read_text, validated
from commontrace.cli.state import open_client
from commontrace.models.contributors import (
    ApiKey,
    CreatedApiKey,
    NewApiKey,
    NewIdentity,
    NewToken,
    PublicationPolicy,
    Revocation,
    Scope,
    Token,
)

Asked = TypeVar("Asked", bound=Callable[..., None])

_DEFAULT: Final[tuple[Scope, ...]] = ("read", "contribute", "vote")

keys: Final = LazyGroup(
    "keys",
    {
        "Keys": {
            "create": Lazy(__name__, "create", "Create a key; it is shown once"),
            "token": Lazy(__name__, "token", "A short-lived token in place of your key"),
            "link": Lazy(__name__, "link", "Let somebody sign in with an identity provider"),
            "list": Lazy(__name__, "list_keys", "The keys of your organization"),
            "rotate": Lazy(__name__, "rotate", "Replace a key; both are good for a while"),
            "revoke": Lazy(__name__, "revoke", "Revoke keys, effective at once"),
            "leaked": Lazy(__name__, "leaked", "Revoke a key that you hold or found"),
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
    publication: PublicationPolicy


class Whose(TypedDict):
    """Whose keys are meant, where no single one is."""

    contributor: str | None
    organization: str | None
    lineage: str | None


class Span(click.ParamType[float]):
    """A length of time: `0`, `90m`, `24h`, `7d`; in hours."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Hours."""
        found = re.fullmatch(r"(\d{1,4})([mhd]?)", str(value))
        if not found or not (found[2] or found[1] == "0"):
            self.fail(f"{value!r} is no length of time. Use 90m, 24h or 7d.", param, ctx)
        return int(found[1]) * {"m": 1 / 60, "h": 1, "d": 24, "": 0}[found[2]]


def _with_options(function: Asked) -> Asked:
    """What a key and an identity can both be told."""
    for option in (
        click.option(
            "--publication",
            type=click.Choice(get_args(PublicationPolicy)),
            default="direct",
            show_default=True,
            help="What becomes of what it wants others to see.",
        ),
        click.option("--expires-in-days", type=click.IntRange(1, 3650), help="Default: never."),
        click.option("--admin", is_flag=True, help="Every scope."),
        click.option(
            "--scope", multiple=True, type=click.Choice(get_args(Scope)), help="Default: read, contribute, vote."
        ),
        click.option(
            "--stranger", is_flag=True, help="Do not vouch for a new organization: nobody counts it until known."
        ),
        click.option("--organization", help="Default: your own."),
    ):
        function = option(function)
    return function


@command("create")
@click.argument("name")
@_with_options
def create(name: str, **options: Unpack[Options]) -> None:
    """Create a key for the contributor NAME, who is made if the name is new. The key is shown once."""
    wanted = validated(NewApiKey, _fields(name, options))
    with open_client() as client:
        created = client.contributors.create_key(wanted)
    answer(created, lambda screen: _created(screen, created))


def _fields(name: str, options: Options) -> dict[str, object]:
    scopes = get_args(Scope) if options["admin"] else options["scope"] or _DEFAULT
    return {
        "contributor": name,
        "organization": options["organization"],
        "stranger": options["stranger"],
        "scopes": list(scopes),
        "expires_in_days": options["expires_in_days"],
        "publication": options["publication"],
    }


def _created(screen: Screen, created: CreatedApiKey) -> None:
    screen.line((created.key, "bold"))
    screen.line((f"for {created.contributor.name} of {created.organization_name}: {', '.join(created.scopes)}", "dim"))
    screen.line(("This is the only time it is shown. Use it as COMMONTRACE_API_KEY.", "yellow"))


@command("token")
@click.option(
    "--scope", multiple=True, type=click.Choice(get_args(Scope)), help="Default: all that the key has but admin."
)
@click.option("--lifetime", type=Span(), default="15m", show_default=True, help="At most 24h.")
def token(scope: tuple[Scope, ...], lifetime: float) -> None:
    """Get a token that stands for your key for a while. It is good wherever a key is, as COMMONTRACE_API_KEY too."""
    wanted = validated(NewToken, {"scopes": list(scope) or None, "minutes": round(lifetime * 60)})
    with open_client() as client:
        made = client.contributors.create_token(wanted)
    answer(made, lambda screen: _token(screen, made))


def _token(screen: Screen, made: Token) -> None:
    screen.block(made.token)  # in one line, however long
    screen.line((f"{', '.join(made.scopes)}; until {made.expires_at:%Y-%m-%d %H:%M} UTC", "dim"))


@command("link")
@click.argument("issuer")
@click.argument("subject")
@click.argument("name")
@_with_options
def link(issuer: str, subject: str, name: str, **options: Unpack[Options]) -> None:
    """Let SUBJECT of the identity provider ISSUER act as the contributor NAME, who is made if the name is new.

    ISSUER and SUBJECT are `iss` and `sub` of the provider's tokens. To take it back, revoke the id that is printed.
    """
    wanted = validated(NewIdentity, {**_fields(name, options), "issuer": issuer, "subject": subject})
    with open_client() as client:
        made = client.contributors.create_identity(wanted)
    answer(made, lambda screen: _linked(screen, made))


def _linked(screen: Screen, made: ApiKey) -> None:
    who = f"{made.contributor.name} of {made.organization_name}"
    screen.line((made.key_id, "bold cyan"), f" {made.subject} acts as {who}: {', '.join(made.scopes)}")


@command("list")
@LIMIT
def list_keys(limit: int) -> None:
    """The keys of your organization; to the owner of the store, all of them."""
    with open_client() as client:
        found = first(client.contributors.keys, limit)
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
            f"{key.subject} at {key.issuer}" if key.issuer else "",
            f"{'expires' if key.expires_at > datetime.now(UTC) else 'expired'} {key.expires_at:%Y-%m-%d}"
            if key.expires_at
            else "",
            "" if key.publication == "direct" else key.publication,
            f"last used {key.last_used_at:%Y-%m-%d}" if key.last_used_at else "never used",
        ],
        ", ",
    )


@command("rotate")
@click.argument("key_id", metavar="ID")
@click.option("--overlap", type=Span(), default="24h", show_default=True, help="How long both keys are good.")
def rotate(key_id: str, overlap: float) -> None:
    """Make a key with the same rights for the same contributor. The old one ends after the overlap."""
    with open_client() as client:
        created = client.contributors.rotate_key(key_id, overlap_hours=overlap)
    answer(created, lambda screen: _created(screen, created))


@command("revoke")
@click.argument("key_id", metavar="[ID]", required=False)
@click.option("--contributor", help="All keys of a contributor, by name or id.")
@click.option("--organization", help="All keys of an organization.")
@click.option("--lineage", help="A contributor's keys, and those of everybody whom they and theirs created keys for.")
def revoke(key_id: str | None, **whose: Unpack[Whose]) -> None:
    """Revoke a key by its id, or many at once. It takes effect at once."""
    named = {name: value for name, value in whose.items() if value is not None}
    if (key_id is not None) + len(named) != 1:
        raise click.UsageError("Give the ID of a key, or one of --contributor, --organization and --lineage.")
    with open_client() as client:
        if key_id:
            client.contributors.revoke_key(key_id)
            revoked = [key_id]
        else:
            revoked = client.contributors.revoke_keys(validated(Revocation, named))
    answer({"key_ids": revoked, "revoked": True}, lambda screen: _revoked(screen, revoked))


def _revoked(screen: Screen, key_ids: list[str]) -> None:
    for key_id in key_ids:
        screen.line(f"{key_id} revoked")
    if not key_ids:
        screen.line("No good key was left.")


@command("leaked")
@click.argument("source", metavar="[FILE]", default="-")
def leaked(source: str) -> None:
    """Revoke the key that stands in FILE or, by default, on standard input: to hold it is all it takes."""
    key = read_text(source).strip()
    if not key:
        raise click.UsageError("No key was given.")
    with open_client() as client:
        revoked = client.acting_as(key).contributors.report_leaked()
    answer({"key_ids": revoked, "revoked": True}, lambda screen: _revoked(screen, revoked))
