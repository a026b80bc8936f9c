"""What a query asks for, word by word. Pure but for the stemmer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from commontrace_backend.index.bm25 import Term, Totals, idf
from commontrace_backend.index.protocol import Question
from commontrace_backend.index.synonyms import aliases
from commontrace_backend.index.terms import Stemmer, query_words, words_of

MOST_TERMS: Final = 24
"""A long query is cut to the terms that weigh most: the others cost time and decide nothing."""

HEADLINE: Final = 2.0
"""How much more a word of the headline counts: the first line of a question says what it is about."""

REPETITION: Final = 0.25
"""Exponent of how often a word is said: twice says a little more than once."""

ALIAS: Final = 0.4
"""How much another name of a word counts against the word itself."""

_COMMON: Final = 0.1  # share of documents that makes a word a common one
_FEW: Final = 500  # documents that cost nothing to look at
_KEPT: Final = 3  # rarer words that must remain for the common ones to be left out
_TYPO_LENGTH: Final = 4


@dataclass(frozen=True, slots=True)
class Said:
    """A stem of the query: the word it came from, how much the asker leans on it, and what else it is called."""

    word: str
    stem: str
    emphasis: float
    aliases: tuple[tuple[str, str], ...]  # word and stem


def said(question: Question, stemmer: Stemmer) -> list[Said]:
    """The stems of a query in order."""
    words = query_words(question.text)
    headline = set(words_of(question.headline))
    others = {word: aliases().get(word, ()) for word in words}
    stems = stemmer.stems([*words, *(alias for group in others.values() for alias in group)])
    found: dict[str, Said] = {}
    for word, count in words.items():
        stem = stems.get(word)
        if stem is None:
            continue
        before = found.get(stem)
        emphasis = count**REPETITION * (HEADLINE if word in headline else 1.0)
        if before is None or emphasis > before.emphasis:
            named = tuple((alias, stems[alias]) for alias in others[word] if alias in stems)
            found[stem] = Said(before.word if before else word, stem, emphasis, named)
    return list(found.values())


def weighed(asked: list[Said], frequency: Mapping[str, int], totals: Totals) -> list[Term]:
    """The terms that weigh most, the heaviest first, and after them their other names.

    `frequency` counts the documents that hold a stem; a missing stem is in none.
    """
    terms = [
        Term(
            item.word,
            item.stem,
            item.emphasis * idf(frequency.get(item.stem, 0), totals.documents),
            frequency.get(item.stem, 0),
        )
        for item in asked
    ]
    # Words that no document holds must not crowd out those that decide.
    chosen = sorted(terms, key=lambda term: (not term.documents, -term.weight, term.stem))[:MOST_TERMS]
    by_stem = {item.stem: item for item in asked}
    taken = {term.stem for term in terms}
    added: dict[str, Term] = {}
    for term in chosen:
        for alias, stem in by_stem[term.stem].aliases:
            if stem in frequency and stem not in taken and stem not in added:
                weight = ALIAS * by_stem[term.stem].emphasis * idf(frequency[stem], totals.documents)
                added[stem] = Term(alias, stem, min(weight, ALIAS * term.weight), frequency[stem], added=True)
    return [*chosen, *added.values()]


def deciding(terms: Sequence[Term], totals: Totals) -> list[Term]:
    """The terms to look for candidates by: in a large store, common ones only where few rarer ones are left."""
    held = [term for term in terms if term.documents]
    rarer = [term for term in held if term.documents <= max(_FEW, _COMMON * totals.documents)]
    return rarer if len(rarer) >= _KEPT else held


def may_be_misspelt(terms: list[Term]) -> list[Term]:
    """The unknown words worth correcting: only where nothing that is known says what the query is about."""
    known = sum(term.weight for term in terms if term.documents and not term.added)
    unknown = [term for term in terms if not term.documents and len(term.stem) >= _TYPO_LENGTH]
    return unknown if known <= sum(term.weight for term in unknown) else []


def correction(term: Term, near: Mapping[str, int], totals: Totals) -> Term | None:
    """The known stem that a misspelt one most probably means: one slip away, two in a long word."""
    slips = {stem: _distance(term.stem, stem) for stem in near}
    allowed = [stem for stem, distance in slips.items() if distance <= (1 if len(term.stem) < 8 else 2)]  # noqa: PLR2004
    if not allowed:
        return None
    best = min(allowed, key=lambda stem: (slips[stem], -near[stem], stem))
    return Term(f"{best} for {term.shown}", best, idf(near[best], totals.documents), near[best])


def _distance(one: str, other: str) -> int:
    """Edits, insertions, deletions and swaps of neighbours (Damerau, 1964; optimal string alignment)."""
    before: list[int] = []
    last = list(range(len(other) + 1))
    for row, mine in enumerate(one, start=1):
        line = [row]
        for column, theirs in enumerate(other, start=1):
            cost = min(last[column] + 1, line[-1] + 1, last[column - 1] + (mine != theirs))
            if row > 1 and column > 1 and mine == other[column - 2] and one[row - 2] == theirs:
                cost = min(cost, before[column - 2] + 1)
            line.append(cost)
        before, last = last, line
    return last[-1]
