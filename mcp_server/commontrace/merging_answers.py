"""Answers of several stores in one order. Pure."""

import re
from collections.abc import Mapping
from typing import Final

from commontrace.errors import CommonTraceError
from commontrace.models.search import Hit, QueryAnswer
from commontrace.models.syncing import Elsewhere, FederatedAnswer, FederatedHit, Source
from commontrace.versions import version_id

_RANK: Final = 60
"""The constant of reciprocal rank fusion: Cormack, Clarke and Büttcher, SIGIR 2009."""

_FORGED: Final = "{} answered with words that are not what their id says; they are left out."
_LACKING: Final = re.compile(r"No trace ([0-9a-f]{6,32})\.")


def merged(
    own: QueryAnswer, others: Mapping[str, QueryAnswer | CommonTraceError | None], limit: int, seconds: float
) -> FederatedAnswer:
    """One answer of several: an exact error first, then by reciprocal rank; each version once.

    A hit keeps the standing that it has where it is from; what other stores think of the same version stands beside it.
    Words that are not what their version's id says are left out: they would borrow the standing of others.

    Args:
        own: what the own store answered.
        others: by remote what it answered, why it could not, or None where it was late.
        limit: how many hits at most.
        seconds: how long remotes had.
    """
    answers = {"": own, **{name: _sound(said) for name, said in others.items() if isinstance(said, QueryAnswer)}}
    scores: dict[str, float] = {}
    places: dict[str, list[tuple[str, Hit]]] = {}
    exact: set[str] = set()
    for name, answer in answers.items():
        for rank, hit in enumerate(answer.hits, 1):
            scores[hit.version_id] = scores.get(hit.version_id, 0.0) + 1 / (_RANK + rank)
            places.setdefault(hit.version_id, []).append((name, hit))
            if answer.mode == "fingerprint":
                exact.add(hit.version_id)
    order = sorted(places, key=lambda one: (one not in exact, -scores[one]))
    return FederatedAnswer(
        hits=[_hit(places[one]) for one in order[:limit]],
        sources=[
            Source(remote="", answered=True, hits=len(own.hits)),
            *(_source(name, answers.get(name, said)) for name, said in others.items()),
        ],
        mode="fingerprint" if exact else own.mode,
        left_out=max(0, len(order) - limit) + sum(answer.left_out for answer in answers.values()),
        notes=[
            *_own_notes(own, answers),
            *(_late(name, said, seconds) for name, said in others.items() if name not in answers),
            *(_FORGED.format(name) for name in others if name in answers and answers[name] is not others[name]),
        ],
    )


def _sound(said: QueryAnswer) -> QueryAnswer:
    sound = [hit for hit in said.hits if hit.body is None or version_id(hit.body) == hit.version_id]
    return said if len(sound) == len(said.hits) else said.model_copy(update={"hits": sound})


def _own_notes(own: QueryAnswer, answers: Mapping[str, QueryAnswer]) -> list[str]:
    """What the own store says, but that it lacks a trace which another one has."""
    ids = [hit.trace_id for answer in answers.values() for hit in answer.hits]
    lacking = ((note, _LACKING.match(note)) for note in own.notes)
    return [note for note, found in lacking if found is None or not any(one.startswith(found[1]) for one in ids)]


def _hit(places: list[tuple[str, Hit]]) -> FederatedHit:
    (name, hit), *others = places
    elsewhere = [Elsewhere(remote=other, trace_id=one.trace_id, standing=one.standing) for other, one in others]
    return FederatedHit(**hit.model_dump(), remote=name, elsewhere=elsewhere)


def _source(name: str, said: QueryAnswer | CommonTraceError | None) -> Source:
    if isinstance(said, QueryAnswer):
        return Source(remote=name, answered=True, hits=len(said.hits))
    return Source(remote=name, answered=False, problem=said.detail if said else "It did not answer in time.")


def _late(name: str, said: object, seconds: float) -> str:
    why = said.detail if isinstance(said, CommonTraceError) else f"no answer within {seconds:g} s"
    return f"{name} is not part of this answer: {why}"
