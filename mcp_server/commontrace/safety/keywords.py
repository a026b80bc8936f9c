"""Which rules may find something in a text: those of whose keywords it holds one. One pass over the text, by RE2."""

import functools
from collections.abc import Sequence
from typing import Any


class Keywords:
    """The keywords of some rules.

    Args:
        of_rules: for each rule its keywords, ASCII and in lower case; a rule without any is always tried.
    """

    def __init__(self, of_rules: Sequence[Sequence[str]]) -> None:
        self._words = sorted({word for words in of_rules for word in words})
        self._always = {number for number, words in enumerate(of_rules) if not words}
        self._rules = [[number for number, words in enumerate(of_rules) if word in words] for word in self._words]

    def rules(self, text: str) -> list[int]:
        """The numbers of the rules to try, in order."""
        lowered = text.lower()
        # None is either none, or more than the automaton has room for: then look for each.
        found = self._automaton.Match(lowered.encode("ascii", "replace"))
        if found is None:
            found = [place for place, word in enumerate(self._words) if word in lowered]
        return sorted(self._always.union(*(self._rules[place] for place in found)))

    @functools.cached_property
    def _automaton(self) -> Any:
        import re2  # type: ignore[import-untyped]  # it has no annotations

        options = re2.Options()
        options.log_errors = False
        automaton = re2.Set.SearchSet(options)
        for word in self._words:
            automaton.Add(re2.escape(word))
        automaton.Compile()
        return automaton
