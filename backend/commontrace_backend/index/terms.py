"""Words as SQLite's full-text search sees them: its own tokenizer, asked through an empty database in memory."""

import re
import sqlite3
import threading
from collections import Counter
from collections.abc import Iterable
from typing import Final

TOKENIZER: Final = "porter unicode61"
_WORD: Final = re.compile(r"[^\W_]+")
_PART: Final = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[0-9]+")
_KNOWN_LIMIT: Final = 100_000

STOP_WORDS: Final = frozenset(
    """
    a about after all also am an and any are as at be because been before being but by can could did do
    does doing for from get got had has have having he her here his how i if in into is it its just like
    me my no not now of off on one only or our out over own please same she should so some such than
    that the their them then there these they this those through to too trying under up us use using
    very want was way we were what when where which while who why will with would you your
    """.split()  # noqa: SIM905 - a list of words reads best as words
)


class Stemmer:
    """Maps words to the stems that the full-text index holds; remembers those it has seen."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[str, str] = {}
        self._asked = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
        self._asked.execute(f"CREATE VIRTUAL TABLE asked USING fts5(word, tokenize='{TOKENIZER}')")
        self._asked.execute("CREATE VIRTUAL TABLE stems USING fts5vocab(asked, instance)")

    def stems(self, words: Iterable[str]) -> dict[str, str]:
        """Word to stem for each of the words that has one."""
        wanted = set(words)
        with self._lock:
            if len(self._known) > _KNOWN_LIMIT:
                self._known.clear()
            self._learn(wanted - self._known.keys())
            return {word: stem for word in wanted if (stem := self._known[word])}

    def _learn(self, new: set[str]) -> None:
        if not new:
            return
        words = list(new)
        self._asked.execute("BEGIN")
        self._asked.executemany("INSERT INTO asked (rowid, word) VALUES (?, ?)", enumerate(words))
        found: dict[int, str] = {}
        for row, stem in self._asked.execute("SELECT doc, term FROM stems ORDER BY doc, offset"):
            found.setdefault(row, stem)
        self._asked.execute("ROLLBACK")
        self._known.update({word: found.get(row, "") for row, word in enumerate(words)})


def words_of(text: str) -> list[str]:
    """The words of a text in order, in lower case; an identifier such as `readTimeout2` also in its parts."""
    found: list[str] = []
    for word in _WORD.findall(text):
        found.append(word.lower())
        if word.isascii() and not (word.isalpha() and (word.islower() or word.isupper())):
            parts = _PART.findall(word)
            if len(parts) > 1:
                found += [part.lower() for part in parts]
    return found


def query_words(text: str) -> dict[str, int]:
    """The words of a query in order, each with how often it is said; no stop words, unless it has no others."""
    said = Counter(words_of(text))
    return {word: count for word, count in said.items() if word not in STOP_WORDS} or dict(said)
