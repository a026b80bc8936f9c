"""Cuts an answer to the size that was asked for, and says what was left out. Pure but for the tokenizer."""

from typing import Literal

from commontrace.models.search import Hit, Query, QueryAnswer
from commontrace.safety.rendering import render_answer
from commontrace_backend.tokens import default_counter

NOTHING = "Nothing good enough is known. Solve it, then contribute what worked with contribute_trace."

Mode = Literal["fingerprint", "hybrid", "lexical", "ids", "tags"]


def fit_to_size(hits: list[Hit], wanted: Query, mode: Mode, left_out: int, notes: list[str]) -> QueryAnswer:
    """Hits whose text form holds at most `max_tokens`: bodies go first, from the last hit upwards.

    `left_out` counts the good hits that did not fit the limit already.
    """
    said = notes if hits else [*notes, NOTHING]
    result = QueryAnswer(hits=hits, mode=mode, left_out=left_out, notes=said)
    if wanted.max_tokens is None or fits(result, wanted.max_tokens):
        return result
    return _shrink(result, wanted.max_tokens)


def _shrink(result: QueryAnswer, budget: int) -> QueryAnswer:
    hits = list(result.hits)
    for position in reversed(range(len(hits))):
        if hits[position].body is not None:
            hits[position] = hits[position].model_copy(update={"body": None})
            smaller = _said(result, hits, f"Bodies were left out to stay within {budget} tokens; ask for fewer ids.")
            if fits(smaller, budget):
                return smaller
    while len(hits) > 1:
        hits.pop()
        smaller = _said(result, hits, f"Hits were left out to stay within {budget} tokens.")
        if fits(smaller, budget):
            return smaller
    return _said(result, hits, f"Left out to stay within {budget} tokens.")


def _said(result: QueryAnswer, hits: list[Hit], note: str) -> QueryAnswer:
    left_out = result.left_out + len(result.hits) - len(hits)
    return result.model_copy(update={"hits": hits, "left_out": left_out, "notes": [*result.notes, note]})


def fits(result: QueryAnswer, budget: int) -> bool:
    """Whether the text form stays within a budget of tokens; counted only where the bytes leave it open."""
    rendered = render_answer(result)
    return len(rendered.encode()) <= budget or default_counter().count(rendered).tokens <= budget
