"""Coverage-guided fuzzing of what stands between other people's words and an agent or a terminal.

    uv run --with atheris python benchmarks/fuzz.py [-runs=100000] [-max_total_time=60] [CORPUS_DIR]

Ends with an exception, and the input that led to it in a file, where a law does not hold.
"""

import sys
import unicodedata

import atheris

with atheris.instrument_imports(include=["commontrace"]):
    from commontrace.cli.output import document, printable, single_line
    from commontrace.safety.rendering import fence, outside, parse


def one_input(data: bytes) -> None:
    """Every law on one input."""
    given = atheris.FuzzedDataProvider(data)
    label, text, more = (given.ConsumeUnicode(size) for size in (40, 400, 400))
    rendered = fence(label, [text, more])
    _, *inner, _ = rendered.splitlines()
    assert parse(f"before\n{rendered}\nafter") == [f"{text}\n{more}"]
    assert all(line.startswith("| ") for line in inner)
    assert outside(text).isprintable()
    assert "<<" not in outside(text)
    assert ">>" not in outside(text)
    for shown in (printable(text), document({"text": text})):
        assert not [char for char in shown if unicodedata.category(char) == "Cc" and char not in "\t\n"]
    assert len(single_line(text).splitlines()) <= 1


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
