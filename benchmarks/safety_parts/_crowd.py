"""Many callers on one store, and what they say of traces."""

from commontrace import Client
from commontrace.models.contributors import NewApiKey
from commontrace.models.search import Query
from commontrace.models.traces import Evidence


class Crowd:
    """Callers by name, each with a key of its own: `crowd("ann", "acme")`."""

    def __init__(self, owner: Client, keyed: Client) -> None:
        self._owner, self._keyed = owner, keyed
        self._known: dict[tuple[str, str], Client] = {}

    def __call__(self, name: str, organization: str, *, stranger: bool = False) -> Client:
        """The caller of this name, made where the name is new."""
        if (name, organization) not in self._known:
            wanted = NewApiKey(contributor=name, organization=organization, stranger=stranger)
            key = self._owner.contributors.create_key(wanted).key
            self._known[name, organization] = self._keyed.acting_as(key)
        return self._known[name, organization]


def confirm(voter: Client, trace_id: str, evidence: Evidence | None = None) -> None:
    """Be shown a trace, and report that it worked."""
    voter.traces.query(Query(ids=[trace_id]))
    voter.traces.vote(trace_id, "worked", evidence=evidence)
