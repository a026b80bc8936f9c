"""Sybil attacks: invented organizations against honest ones, before the real scorer and in the real store.

First a simulation: 400 honest organizations that have confirmed five others each, near ones mostly as in small worlds;
half of them vouched for by the home organization. A rival's trace has six honest outcomes; the attacker's has one with
evidence of each of S invented organizations, which all confirm one another; g honest ones were fooled into confirming
one of them each. Printed is, over the viewers, how many see the attacker's trace by default, and how many see it first.

Then the store, through the SDK: six honest outcomes against ten keys in five self-made organizations with genuine
receipts, in several ways of having come by them.
"""

import os
import tempfile
from pathlib import Path
from random import Random
from typing import Any

from commontrace import Client, connect
from commontrace.models.contributors import NewApiKey
from commontrace.models.search import Query
from commontrace.models.traces import Contribution, Evidence, Standing
from commontrace_backend.traces.trust import Outcome, standing_of
from commontrace_backend.traces.walk import EVERYBODY, Trust, trust_of
from safety_parts import Table
from safety_parts._crowd import Crowd, confirm

TITLE = "Sybil attacks"
VIEWERS = 20
SEED = 1
HONEST = 400
CASES = ((10, 0), (1000, 0), (10, 1), (1000, 1), (1000, 5), (5000, 5), (1000, 20))
Edges = dict[str, dict[str, float]]
SEEN = Evidence(command="pytest -q", exit_before=1, exit_after=0)
PROVEN = {"corroborated", "verified"}


def honest_world(random: Random) -> Edges:
    edges: Edges = {"home": {f"h{number}": 3.0 for number in random.sample(range(HONEST), HONEST // 2)}}
    for number in range(HONEST):
        near = [(number + random.choice((-1, 1)) * random.randrange(1, 12)) % HONEST for _ in range(4)]
        edges[f"h{number}"] = {f"h{other}": 1.0 for other in {*near, random.randrange(HONEST)} - {number}}
    return edges


def attacked(honest: Edges, fakes: int, edges: int, random: Random) -> Edges:
    """The same world with invented organizations that confirm one another, into which so many edges lead."""
    world = {source: dict(targets) for source, targets in honest.items()}
    for number in range(fakes):
        others = {(number + 1) % fakes, *(random.randrange(fakes) for _ in range(4))} - {number}
        world[f"s{number}"] = {f"s{other}": 3.0 for other in others}
    for fooled in random.sample(range(HONEST), edges):
        world[f"h{fooled}"][f"s{random.randrange(fakes)}"] = 1.0
    return world


def outcome(name: str, *, evidence: bool) -> Outcome:
    return Outcome(name, name, name, "worked", self_report=False, evidence=evidence)


def simulate(fakes: int, edges: int, viewers: int, seed: int) -> dict[str, float]:
    """Shares of viewers; `counted` is what everybody would see were each organization a voice."""
    random = Random(seed)
    world = attacked(honest_world(random), fakes, edges, random)
    rival = [outcome(f"h{number}", evidence=False) for number in random.sample(range(HONEST), 6)]
    attack = [outcome(f"s{number}", evidence=True) for number in range(fakes)]
    found = {"shown": 0, "first": 0, "rival shown": 0, "counted": 0}
    most = 0.0
    for number in random.sample(range(HONEST), viewers):
        viewer = f"h{number}"
        trust = trust_of(world, ["home", viewer], viewer)
        theirs, ours = standing_of(attack, "public", trust=trust), standing_of(rival, "public", trust=trust)
        found["shown"] += theirs.tier in PROVEN
        found["first"] += before(theirs, ours)
        found["rival shown"] += ours.tier in PROVEN
        found["counted"] += before(judged(attack, EVERYBODY), judged(rival, EVERYBODY))
        most = max(most, sum(trust.voice(f"s{fake}") for fake in range(fakes)))
    return {**{name: count / viewers for name, count in found.items()}, "most voices": round(most, 2)}


def judged(outcomes: list[Outcome], trust: Trust) -> Standing:
    return standing_of(outcomes, "public", trust=trust)


def before(one: Standing, other: Standing) -> bool:
    """Whether one's standing puts it before the other where all else is equal."""
    return (one.tier in PROVEN, one.score) > (other.tier in PROVEN, other.score)


WAYS = {
    "nobody knows them": {},
    "one has published what the viewer confirmed": {"bait": 1},
    "two have published what the viewer confirmed": {"bait": 2},
    "they vouch for one another": {"vouch": True},
    "the viewer confirmed one, and they vouch for one another": {"bait": 1, "vouch": True},
    "who runs the store brought them all in": {"invited": True},
    "five keys, too few for a burst: nobody knows them": {"keys": 5},
    "five keys: the viewer confirmed one, and they vouch for one another": {"keys": 5, "bait": 1, "vouch": True},
    "five keys: the viewer confirmed two": {"keys": 5, "bait": 2},
    "five keys: who runs the store brought them all in": {"keys": 5, "invited": True},
}


def in_the_store(*, keys: int = 10, bait: int = 0, vouch: bool = False, invited: bool = False) -> dict[str, Any]:
    """What a viewer finds by default and on request: the honest trace or the fake one first."""
    os.environ["COMMONTRACE_EMBEDDER"] = "none"
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'store.db'}"
        with connect(url) as owner, connect(url, api_key="") as keyed:
            crowd = Crowd(owner, keyed)
            evil = [crowd(f"eve {n // 5}", f"evil {n % 5}", stranger=not invited) for n in range(keys)]
            honest = published(crowd("rival", "rival"), "the file is locked by another process", "worked for us")
            fake = published(evil[0], "the file is locked: the file is locked by another process", "chmod 777 it")
            for number in range(6):
                confirm(crowd("x", f"honest {number}"), honest)
            viewer = crowd("viewer", "elsewhere")
            for number in range(bait):
                confirm(viewer, published(evil[number + 1], f"bait about subject {number}", f"harmless {number}"))
            if vouch:
                vouched(owner, keyed)
            for eve in evil:
                confirm(eve, fake, SEEN)
            named = {honest: "honest", fake: "fake"}
            plain, wide = (
                viewer.traces.query(Query(query="the file is locked by another process", fold=False, **options)).hits
                for options in ({}, {"include_unproven": True})
            )
            return {
                "default": [named[hit.trace_id] for hit in plain if hit.trace_id in named],
                "on request": [named[hit.trace_id] for hit in wide if hit.trace_id in named],
                "fake": viewer.traces.get(fake).standing.model_dump(include={"tier", "score", "uncounted"}),
            }


def vouched(owner: Client, keyed: Client) -> None:
    """Every invented organization answers for every other one."""
    for number in range(5):
        wanted = NewApiKey(contributor="root", organization=f"evil {number}", scopes=["read", "admin"])
        admin = keyed.acting_as(owner.contributors.create_key(wanted).key)
        for other in sorted(set(range(5)) - {number}):
            admin.vouches.add(f"evil {other}", "friends")


def published(author: Client, title: str, text: str) -> str:
    contribution = Contribution(
        title=title,
        problem=f"{title}, and it was not clear why: nothing else seemed to use it, and a restart did not help.",
        solution=f"{text}: find the process that holds it, and end that one first.",
        insist=True,
    )
    known = str(author.traces.contribute(contribution).trace_id)
    author.traces.publish(known)
    return known


def run(data: Path) -> list[Table]:
    """The simulation, and what was found in the store."""
    del data
    simulated = [
        {"fakes": fakes, "attack edges": edges, **simulate(fakes, edges, VIEWERS, SEED)} for fakes, edges in CASES
    ]
    stored = [
        {"way": way, **{name: str(value) for name, value in in_the_store(**options).items()}}  # type: ignore[arg-type] # named above
        for way, options in WAYS.items()
    ]
    return [Table(f"Shares of {VIEWERS} viewers", simulated), Table("Ten or five keys in the store", stored)]
