"""How random a value is: what people make up and what machines draw tell apart."""

import itertools
import math
from collections import Counter


def entropy(value: str) -> float:
    """Shannon entropy in bits a character."""
    return -sum(n / len(value) * math.log2(n / len(value)) for n in Counter(value).values())


def jumble(value: str) -> float:
    """The share of neighbours that are of two kinds (small, capital, digit, sign): names change seldom, keys often."""
    kinds = ["a" if char.islower() else "A" if char.isupper() else "0" if char.isdigit() else "-" for char in value]
    return sum(one != other for one, other in itertools.pairwise(kinds)) / max(1, len(value) - 1)
