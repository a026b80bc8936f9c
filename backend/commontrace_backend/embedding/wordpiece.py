"""WordPiece as BERT's uncased models were trained with: text to the ids of its word pieces. Standard library only.

The vocabulary, wordpieces.txt, is that of bert-base-uncased (Google, Apache-2.0). Algorithm: Wu et al., 2016,
"Google's Neural Machine Translation System", section 4.1; normal form and splitting: Devlin et al., 2019, "BERT".
"""

import re
import unicodedata
from functools import lru_cache
from importlib.resources import files
from typing import Final

LONGEST_WORD: Final = 100
_WORDS_KEPT: Final = 50_000
_ASCII_PUNCTUATION: Final = re.escape("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")
_PIECE: Final = re.compile(rf"[{_ASCII_PUNCTUATION}]|[^\s{_ASCII_PUNCTUATION}]+")
_IDEOGRAPH: Final = re.compile(
    "[\u4e00-\u9fff\u3400-\u4dbf\uf900-\ufaff\U00020000-\U0002a6df\U0002a700-\U0002ebef\U0002f800-\U0002fa1f]"
)


class WordPiece:
    """Maps text to ids; instances share nothing and may be used from several threads."""

    def __init__(self) -> None:
        text = (files(__package__) / "wordpieces.txt").read_text(encoding="utf-8")
        self._ids = {piece: number for number, piece in enumerate(text.splitlines())}
        self._first, self._last = self._ids["[CLS]"], self._ids["[SEP]"]
        self._unknown = self._ids["[UNK]"]
        self._pieces = lru_cache(maxsize=_WORDS_KEPT)(self._split)

    def ids(self, text: str, limit: int) -> list[int]:
        """The ids of a text between its start and end marks, `limit` of them at most."""
        found = [self._first]
        # A piece holds at least one character, so what lies far behind the limit need not be looked at.
        for word in _words(text[: limit * LONGEST_WORD]):
            found += self._pieces(word)
            if len(found) >= limit:
                break
        return [*found[: limit - 1], self._last]

    def windows(self, text: str, limit: int, most: int) -> list[list[int]]:
        """A text as up to `most` sequences of `limit` ids each, one after the other, every one with its marks."""
        room = limit - 2
        inner = self.ids(text, room * most + 2)[1:-1]
        starts = range(0, max(len(inner), 1), room)
        return [[self._first, *inner[start : start + room], self._last] for start in starts]

    def _split(self, word: str) -> tuple[int, ...]:
        """Greedy longest match from the left; a word that cannot be covered is unknown as a whole."""
        if len(word) > LONGEST_WORD:
            return (self._unknown,)
        found, start = [], 0
        while start < len(word):
            for end in range(len(word), start, -1):
                piece = word[start:end] if start == 0 else f"##{word[start:end]}"
                if piece in self._ids:
                    found.append(self._ids[piece])
                    start = end
                    break
            else:
                return (self._unknown,)
        return tuple(found)


def _words(text: str) -> list[str]:
    """Words and punctuation marks in lower case, without accents or control characters."""
    if text.isascii():
        return _PIECE.findall(text.lower().translate(_CONTROLS))
    plain = "".join(char for char in unicodedata.normalize("NFD", _clean(text).lower()) if not _is_mark(char))
    return [part for piece in _PIECE.findall(_IDEOGRAPH.sub(r" \g<0> ", plain)) for part in _at_punctuation(piece)]


_CONTROLS: Final = dict.fromkeys((*range(9), 11, 12, *range(14, 32), 127))


def _clean(text: str) -> str:
    return "".join(
        char for char in text if char in "\t\n\r" or (char != "\ufffd" and unicodedata.category(char)[0] != "C")
    )


def _is_mark(char: str) -> bool:
    return unicodedata.category(char) == "Mn"


def _at_punctuation(piece: str) -> list[str]:
    """Split where a character outside ASCII is punctuation too."""
    if piece.isascii():
        return [piece]
    parts = [""]
    for char in piece:
        if unicodedata.category(char).startswith("P"):
            parts += [char, ""]
        else:
            parts[-1] += char
    return [part for part in parts if part]
