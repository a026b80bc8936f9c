"""The walk of trust: bounded by the edges that lead into a group, whatever the group does among itself."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from commontrace_backend.traces.trust import DOUBT, Outcome, independent, standing_of
from commontrace_backend.traces.walk import DAMPING, Edges, Trust, trust_of

HONEST = [f"h{number}" for number in range(8)]
FAKES = [f"s{number}" for number in range(12)]

weights = st.integers(1, 3).map(float)
honest_graphs = st.dictionaries(st.sampled_from(HONEST), st.dictionaries(st.sampled_from(HONEST), weights, max_size=5))
fake_graphs = st.dictionaries(st.sampled_from(FAKES), st.dictionaries(st.sampled_from(FAKES), weights, max_size=12))
attacks = st.lists(st.tuples(st.sampled_from(HONEST), st.sampled_from(FAKES)), max_size=4, unique=True)


def joined(honest: Edges, fakes: Edges, attack: list[tuple[str, str]]) -> Edges:
    edges = {source: dict(targets) for source, targets in {**honest, **fakes}.items()}
    for source, target in attack:
        edges.setdefault(source, {})[target] = 1.0
    return edges


def voices(trust: Trust, among: list[str]) -> dict[str, float]:
    return {name: trust.voice(name) for name in among}


@given(honest_graphs, fake_graphs, attacks)
def test_invented_organizations_have_at_most_two_voices_for_each_edge_that_leads_to_them(
    honest: Edges, fakes: Edges, attack: list[tuple[str, str]]
) -> None:
    trust = trust_of(joined(honest, fakes, attack), ["h0", "h1"])
    assert sum(voices(trust, FAKES).values()) <= len(attack) / (1 - DAMPING) + 1e-9


@given(honest_graphs, fake_graphs, fake_graphs, attacks)
def test_what_invented_organizations_say_of_each_other_changes_nothing_for_the_honest(
    honest: Edges, fakes: Edges, others: Edges, attack: list[tuple[str, str]]
) -> None:
    one = trust_of(joined(honest, fakes, attack), ["h0"])
    other = trust_of(joined(honest, others, attack), ["h0"])
    assert voices(one, HONEST) == voices(other, HONEST)


@given(honest_graphs, fake_graphs, st.sampled_from(HONEST), st.sampled_from(FAKES), st.booleans())
def test_one_edge_into_a_group_wins_it_no_voice_beside_the_one_that_let_it_in(
    honest: Edges, fakes: Edges, fooled: str, chosen: str, seen: bool
) -> None:
    assume(fooled != "h0")
    trust = trust_of(joined(honest, fakes, [("h0", fooled), (fooled, chosen)]), ["h0"])
    known = [name for name in FAKES if trust.voice(name)]
    assert len({trust.branch(name) for name in known}) == 1
    crowd = [Outcome(name, name, name, "worked", self_report=False, evidence=seen) for name in known]
    assert standing_of(crowd, "public", trust=trust).tier == "unproven"


@given(honest_graphs, fake_graphs, attacks, st.randoms(use_true_random=False))
def test_the_same_graph_gives_the_same_trust_in_whatever_order_it_comes(
    honest: Edges, fakes: Edges, attack: list[tuple[str, str]], random: object
) -> None:
    edges = joined(honest, fakes, attack)
    items = [(source, list(targets.items())) for source, targets in edges.items()]
    random.shuffle(items)  # type: ignore[attr-defined]  # Hypothesis gives a Random
    shuffled = {source: dict(reversed(targets)) for source, targets in items}
    one, other = trust_of(edges, ["h1", "h0"]), trust_of(shuffled, ["h0", "h1", "h0"])
    assert (one.voices, one.branches) == (other.voices, other.branches)


@given(honest_graphs, fake_graphs, attacks)
def test_whom_no_way_leads_to_has_no_voice_and_the_roots_have_a_whole_one(
    honest: Edges, fakes: Edges, attack: list[tuple[str, str]]
) -> None:
    edges = joined(honest, fakes, attack)
    reached, new = {"h0"}, {"h0"}
    while new:
        new = {target for source in new for target in edges.get(source, ())} - reached
        reached |= new
    trust = trust_of(edges, ["h0"])
    assert set(trust.voices) <= reached
    assert trust.voice("h0") == 1.0
    assert all(0 < voice <= 1 for voice in trust.voices.values())


@given(honest_graphs)
def test_who_shares_a_voice_is_reached_only_through_whose_voice_it_is(honest: Edges) -> None:
    trust = trust_of(honest, ["h0"])
    for name in trust.voices:
        gate = trust.branch(name)
        if gate == name:
            continue
        without = {source: {t: w for t, w in targets.items() if t != gate} for source, targets in honest.items()}
        assert name not in trust_of(without, ["h0"]).voices


def test_who_is_vouched_for_by_a_root_has_a_whole_voice_and_their_friends_a_part() -> None:
    trust = trust_of({"root": {"a": 1, "b": 1}, "a": {"c": 1}, "b": {"c": 1, "d": 1}}, ["root"])
    assert voices(trust, ["a", "b", "c", "d"]) == pytest.approx({"a": 1.0, "b": 1.0, "c": 0.75, "d": 0.25})
    assert {name: trust.branch(name) for name in "abcd"} == {"a": "a", "b": "b", "c": "c", "d": "b"}


def test_five_hundred_organizations_have_room_around_one_root() -> None:
    many = {str(number): 1.0 for number in range(500)}
    assert min(trust_of({"root": many}, ["root"]).voices.values()) == pytest.approx(1.0)


def test_a_ring_behind_one_organization_shares_its_voice() -> None:
    ring = {"s1": {"s2": 1.0}, "s2": {"s3": 1.0}, "s3": {"s1": 1.0, "s2": 1.0}}
    trust = trust_of({"root": {"a": 1.0, "b": 1.0}, "a": {"s1": 1.0, "s3": 1.0}, **ring}, ["root"])
    assert {trust.branch(name) for name in ("s1", "s2", "s3")} == {"a"}


def test_independent_accounts_are_of_known_organizations_lineages_and_branches_of_their_own() -> None:
    trust = Trust({"a": 1.0, "b": 1.0, "c": 1.0, "d": DOUBT / 2}, {"a": "a", "b": "b", "c": "b"})
    assert independent([("a", "1"), ("a", "2"), ("b", "3")], trust) == 2
    assert independent([("a", "1"), ("b", "1")], trust) == 1
    assert independent([("b", "1"), ("c", "2")], trust) == 1
    assert independent([("a", "1"), ("d", "2"), ("e", "3")], trust) == 1
