"""Canonical JSON: the same bytes for the same value on both sides. Pure."""

import json
import re
from typing import Any, Final

from commontrace.errors import InvalidInputError

_NUL: Final = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


def canonical(value: Any) -> bytes:
    """JSON with sorted keys and no spaces, in UTF-8; strings as given, finite floats in Python's shortest form.

    Raises:
        InvalidInputError: a NUL, a lone surrogate or a non-finite number, which no store can keep as given.
    """
    try:
        text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
        encoded = text.encode()
    except UnicodeEncodeError as error:
        raise InvalidInputError(
            "A text holds half of a surrogate pair, which is not a character.", "Remove it and commit again."
        ) from error
    except (ValueError, TypeError, RecursionError) as error:
        raise InvalidInputError(
            "A message holds what JSON cannot carry, such as NaN, infinity or a thousand levels of nesting.",
            "Replace it and commit again.",
        ) from error
    if _NUL.search(encoded):
        raise InvalidInputError("A text holds a NUL character.", "Remove it and commit again.")
    return encoded
