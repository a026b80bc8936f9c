"""However traces go around among three stores, in the end each has every version of each once."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from commontrace import Client, connect
from commontrace.errors import NearDuplicateError
from commontrace.lineage import ancestors, in_order, newest, relation
from commontrace.models.traces import AmendmentProposal
from factories import contribution

STORES = ("a", "b", "c")
_STORE = st.sampled_from(STORES)
_STEP = st.one_of(
    st.tuples(st.just("add"), _STORE, st.integers(0, 1)),
    st.tuples(st.just("edit"), _STORE, st.integers(0, 1)),
    st.tuples(st.sampled_from(["push", "pull"]), _STORE, _STORE),
)


@contextmanager
def three(template: Path) -> Iterator[dict[str, Client]]:
    with TemporaryDirectory() as place, ExitStack() as stack:
        urls = {name: f"sqlite:///{shutil.copy(template, Path(place) / f'{name}.db')}" for name in STORES}
        clients = {name: stack.enter_context(connect(url)) for name, url in urls.items()}
        known = {one.name for one in clients["a"].remotes.all()}
        for name in known & {*STORES}:
            clients["a"].remotes.remove(name)
        for name, url in urls.items():
            clients["a"].remotes.add(name, url)
        yield clients


def do(clients: dict[str, Client], number: int, step: tuple[str, str, object]) -> None:
    action, name, about = step
    client = clients[name]
    if action == "add":
        with suppress(NearDuplicateError):  # an edited one is there
            client.traces.contribute(contribution(int(str(about)), visibility="team"))
    elif action == "edit":
        for trace in list(client.traces.all())[: int(str(about)) + 1]:
            client.traces.amend(trace.trace_id, AmendmentProposal(title=f"Edit {number} in {name}", reason="better"))
    elif about != name:
        getattr(client.remotes, action)(str(about))


def held(client: Client) -> list[frozenset[str]]:
    """The versions of each trace."""
    return sorted(
        (frozenset(one.version_id for one in client.traces.history(trace.trace_id)) for trace in client.traces.all()),
        key=sorted,
    )


def alike_or_waiting(clients: dict[str, Client]) -> bool:
    """Whether every store serves the same version of a trace, or somebody is asked which it shall be."""
    found = [trace for client in clients.values() for trace in client.traces.all()]
    versions = {trace.version_id for trace in found}
    return len(versions) * len(STORES) == len(found) or any(trace.open_amendments for trace in found)


@given(steps=st.lists(_STEP, min_size=3, max_size=9))
@settings(max_examples=3, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_every_order_of_pushes_and_pulls_ends_with_the_same_versions_everywhere(
    template: Path, steps: list[tuple[str, str, object]]
) -> None:
    with three(template) as clients:
        for number, step in enumerate([("add", "a", 0), *steps]):
            do(clients, number, step)
        for _ in range(2):
            for name, other in (("a", "b"), ("b", "c"), ("c", "a"), ("a", "c"), ("c", "b"), ("b", "a")):
                clients[name].remotes.pull(other)
        first, *others = (held(clients[name]) for name in STORES)
        assert others == [first, first]
        assert len({version for versions in first for version in versions}) == sum(map(len, first))
        assert alike_or_waiting(clients)
        assert [clients[name].remotes.pull(other).items for name, other in ("ab", "bc", "ca")] == [[], [], []]


_VERSIONS = st.integers(0, 5)
_AFTER = st.dictionaries(_VERSIONS.map(str), st.lists(_VERSIONS.map(str), max_size=3), max_size=6)


@given(after=_AFTER, ours=_VERSIONS.map(str), theirs=_VERSIONS.map(str))
def test_one_side_is_ahead_exactly_where_the_other_is_behind(
    after: dict[str, list[str]], ours: str, theirs: str
) -> None:
    turned = {"ahead": "behind", "behind": "ahead", "same": "same", "diverged": "diverged"}
    assert relation(after, theirs, ours) == turned[relation(after, ours, theirs)]
    assert sorted(in_order(after)) == sorted(after)
    for version in ancestors(after, ours) - {ours}:
        assert relation(after, version, ours) in {"behind", "diverged"}


@given(versions=st.lists(st.integers(0, 99).map(str), min_size=1, unique=True), most=st.integers(1, 9), data=st.data())
def test_the_version_that_is_served_travels_however_many_came_after(
    versions: list[str], most: int, data: st.DataObject
) -> None:
    served = data.draw(st.sampled_from(versions))
    chosen = newest(versions, most, served)
    assert served in chosen
    assert len(chosen) == min(most, len(versions))
    assert [one for one in versions if one in chosen] == chosen
    assert {*chosen} - {served} <= {*versions[-most:]}
