"""Whose a key or a token is: what a request carries becomes a caller."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Row

from commontrace.errors import AuthenticationError, BackendError
from commontrace_backend.contributors import keys, store
from commontrace_backend.contributors.caller import Caller, Proof
from commontrace_backend.database.engine import Database
from commontrace_backend.database.session import ReadSession
from commontrace_backend.database.tenancy import EVERY_TENANT

if TYPE_CHECKING:
    from commontrace_backend.contributors.provider import Provider
    from commontrace_backend.contributors.signing import Signer

_SEEN_EVERY: Final = timedelta(minutes=10)  # a read must not cost a write each time
_LONGEST: Final = 8192  # characters of a token that anybody looks at


@dataclass(frozen=True, slots=True)
class Secrets:
    """What a store proves things with.

    Attributes:
        pepper: mixed into the digests of keys.
        seed: random, the store's own; tokens are signed with what both give together.
    """

    pepper: str
    seed: str


@dataclass(frozen=True, slots=True)
class _Shown:
    """What a request carries, and what of it is known without the store."""

    proof: Proof
    key: keys.Key | None = None
    key_id: str = ""
    identity: tuple[str, str] = ("", "")
    scopes: frozenset[str] | None = None
    ends_at: datetime | None = None


class Keyring:
    """Turns keys and tokens into callers; on a local store everybody is its owner."""

    def __init__(
        self, secrets: Secrets, owner: Caller | None, environment: str, provider: "Provider | None" = None
    ) -> None:
        self.pepper = secrets.pepper
        self.environment = environment
        self.owner = owner
        self._seed = secrets.seed
        self._provider = provider

    @cached_property
    def signer(self) -> "Signer":
        """Signs tokens, and knows those that it signed."""
        from commontrace_backend.contributors.signing import Signer  # here, for most never need cryptography

        return Signer(self._seed, self.pepper)

    def is_owner(self, caller: Caller) -> bool:
        """Whether this is the owner of a local store, and not somebody with a key on it."""
        return self.owner is not None and caller.contributor_id == self.owner.contributor_id

    async def caller(self, database: Database, text: str) -> Caller:
        """The contributor behind a key or a token.

        Raises:
            AuthenticationError: it is bad, expired or revoked, or the key that it stands for is.
            UnavailableError: it is for an identity provider to judge, which does not answer.
        """
        shown = await self._read(text)
        async with database.reading(EVERY_TENANT) as session:
            row = await self._good_row(session, shown)
        if row.last_used_at is None or row.asked_at - row.last_used_at > _SEEN_EVERY:
            with suppress(BackendError):  # a busy or read-only store can still be read
                async with database.writing(EVERY_TENANT, durable=False) as session:
                    await store.touch_key(session, row.key_id, row.asked_at)
        return Caller(
            contributor_id=row.contributor_id,
            contributor_name=row.contributor_name,
            tenant_id=row.tenant_id,
            lineage_id=row.lineage_id,
            scopes=frozenset(scope for scope in row.scopes if shown.scopes is None or scope in shown.scopes),
            key_id=row.key_id,
            publication=row.publication,
            proof=shown.proof,
        )

    async def _read(self, text: str) -> _Shown:
        if text.count(".") != 2 or len(text) > _LONGEST:  # noqa: PLR2004 - a signed token has three parts
            key = keys.parse_key(text)
            return _Shown("key", key=key, key_id=key.key_id)
        if self._provider is None or self.signer.is_ours(text):
            grant = self.signer.read(text)
            return _Shown("token", key_id=grant.key_id, scopes=grant.scopes, ends_at=grant.ends_at)
        subject = await self._provider.subject_of(text)
        return _Shown("identity", identity=(subject.issuer, subject.subject), scopes=subject.scopes)

    async def _good_row(self, session: ReadSession, shown: _Shown) -> Row[Any]:
        if shown.proof == "identity":
            row = await store.find_identity(session, *shown.identity)
            if row is None:
                raise AuthenticationError(
                    "Nobody is linked to who this token is about.",
                    "Ask the server's operator: commontrace keys link ISSUER SUBJECT NAME",
                )
        else:
            row = await store.find_key(session, shown.key_id)
            if row is None or (shown.key and not keys.matches(shown.key.text, self.pepper, row.digest)):
                raise AuthenticationError("This server does not know that API key.", "Ask its admin for a new one.")
        if shown.ends_at is not None and shown.ends_at <= row.asked_at:
            raise AuthenticationError("This token has expired.", "Get another one: commontrace keys token")
        if row.revoked_at is not None:
            raise AuthenticationError("This API key was revoked.", "Ask the server's admin for a new one.")
        if row.expires_at is not None and row.expires_at <= row.asked_at:
            raise AuthenticationError("This API key has expired.", "Ask the server's admin for a new one.")
        return row
