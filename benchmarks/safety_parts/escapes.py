"""Escapes: attack texts through the real MCP tools, and made-up ones through the fence. Not one may get out.

Every text of every attack set carries a word of its own through `contribute_trace` (four texts a trace, one in each of
its fields) and `context_commit`, and comes back through the tools and resources that read. Counted is each answer in
which such a word stands outside of a fence. An error may repeat what it was asked, in one line with nothing hidden.
"""

import asyncio
import os
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, Final

from fastmcp import Client
from mcp_types import TextContent, TextResourceContents

from commontrace import connect_async
from commontrace.mcp.server import build_server
from commontrace.safety.rendering import parse, render_fenced
from safety_parts import Table, lines

TITLE = "Escapes"
WORD: Final = "kanarienvogel"
FUZZED: Final = 10_000
FRAGMENTS: Final = (
    *"\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029",
    *("\r\n", "| ", "<<<", ">>>", "<<<end ", "<<<commontrace ", "0123456789abcdef", " x: data>>>", "```", "</data>"),
    *("\x1b[2J", "\u202e", "\u200b", "\U000e0041", "\0", "a", " ", "2. abcdef0 · verified · x"),
)


def run(data: Path) -> list[Table]:
    """The attack sets by what read them, and the fuzzed strings."""
    os.environ["COMMONTRACE_EMBEDDER"] = "none"
    for name in ("READS", "WRITES", "VOTES", "KEYS"):
        os.environ[f"COMMONTRACE_RATE_{name}"] = "1000000"
    sets = {path.stem: texts_of(path) for path in sorted((data / "safety").glob("*.jsonl"))}
    rows = [{"set": name, **asyncio.run(walked(texts))} for name, texts in sets.items()]
    return [Table("Attack sets through the MCP tools", rows), Table("Fuzzed strings through the fence", [fuzzed(1)])]


def texts_of(path: Path) -> list[str]:
    """The texts of a set that say anything; of PoisonedRAG, the passages."""
    found = [text for case in lines(path) for text in case.get("poison", [case["text"]])]
    return [text for text in found if text.strip()]


async def walked(texts: Sequence[str]) -> dict[str, Any]:
    """What became of a set's texts on a store of their own."""
    counts: Counter[str] = Counter(texts=len(texts), answers=0, refused=0, escapes=0)
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'store.db'}"
        async with Client(build_server(partial(connect_async, url), tools="all")) as agent:
            for number, start in enumerate(range(0, len(texts), 4)):
                marked = [f"{WORD} {text} {WORD}" for text in texts[start : start + 4]]
                for answer in [
                    *await through_traces(agent, number, marked),
                    *await through_contexts(agent, number, marked),
                ]:
                    counts["answers"] += 1
                    counts["refused"] += answer.startswith("refused ")
                    counts["escapes"] += escaped(answer)
    return dict(counts)


async def through_traces(agent: Client[Any], number: int, marked: list[str]) -> list[str]:
    """Answers to contributing the texts as a trace and reading it in every way."""
    first, second, third, fourth = (marked * 4)[:4]
    given = {
        "title": f"{number} {' '.join(first.split())}"[:200],
        "problem": f"It fails with an error. {first}",
        "solution": f"Run the command that follows.\n{second}",
        "error": third[:2000],
        "failed_attempts": [{"tried": fourth[:2000], "why": first[:2000]}],
        "insist": True,
    }
    stored = await agent.call_tool("contribute_trace", given, raise_on_error=False)
    if stored.is_error or stored.structured_content is None:
        return [f"refused {said(stored.content)}"]
    trace_id = stored.structured_content["trace_id"]
    amended = {"trace_id": trace_id, "reason": first[:2000], "solution": f"Run this instead: {third}"}
    return [
        await asked(agent, "query_traces", query=first[:300]),
        await asked(agent, "query_traces", ids=[trace_id], detail="full", max_tokens=20_000),
        await asked(agent, "get_trace", trace_id=trace_id),
        await asked(agent, "amend_trace", **amended),
        await asked(agent, "vote_trace", trace_id="ffffffff", outcome="outdated", note=first[:2000]),
        said(await agent.read_resource(f"commontrace://traces/{trace_id}")),
    ]


async def through_contexts(agent: Client[Any], number: int, marked: list[str]) -> list[str]:
    """Answers to committing the texts as messages of a context, with the first as the commit's, and reading them."""
    about = " ".join(marked[0].split())[:500]
    where = {"repository": f"set-{number}"}
    for text in marked:
        given = {"messages": [{"role": "user", "content": text}], "message": about, **where}
        stored = await agent.call_tool("context_commit", given, raise_on_error=False)
        if stored.is_error:
            return [f"refused {said(stored.content)}"]
    return [
        await asked(agent, "context_show", explain=True, **where),
        await asked(agent, "context_log", **where),
        await asked(agent, "context_diff", a=f"HEAD~{len(marked) - 1}", **where),
        await asked(agent, "context_grep", pattern=WORD, **where),
        await asked(agent, "context_blame", **where),
        await asked(agent, "context_undo", **where),
        await asked(agent, "context_redo", **where),
        await asked(agent, "context_show", ref=about[:60], **where),
        said(await agent.read_resource(f"commontrace://contexts/set-{number}/main")),
    ]


async def asked(agent: Client[Any], tool: str, **arguments: Any) -> str:
    """The text of an answer; one that refuses says so first."""
    answer = await agent.call_tool(tool, arguments, raise_on_error=False)
    return f"{'refused ' if answer.is_error else ''}{said(answer.content)}"


def said(blocks: Sequence[Any]) -> str:
    """The text of an answer's blocks."""
    return "\n".join(block.text for block in blocks if isinstance(block, TextContent | TextResourceContents))


def escaped(answer: str) -> bool:
    """Whether a text got out of its fence; an error may repeat what it was asked, in one line."""
    if answer.startswith("refused "):
        return not answer.isprintable() or "<<" in answer
    try:
        parse(answer)
    except ValueError:
        return True
    beside = [line for line in answer.splitlines() if not line.startswith("| ")]
    return any(WORD in line for line in beside)


def fuzzed(seed: int) -> dict[str, int]:
    """Made-up strings: back exactly, every line prefixed, the boundary nowhere inside."""
    wrong = Counter(strings=0, characters=0, escapes=0)
    for text in made_up(Random(seed)):
        rendered = render_fenced("fuzzed", text)
        opening, *inner, end = rendered.splitlines()
        kept = parse(rendered) == [text] and all(line.startswith("| ") for line in inner)
        closed = end[7:23] == opening[15:31] and end[7:23] not in text
        wrong.update(strings=1, characters=len(text), escapes=not (kept and closed))
    return dict(wrong)


def made_up(random: Random) -> Iterator[str]:
    """Strings of fragments that matter to a fence, and of any characters."""
    for _ in range(FUZZED):
        parts = random.choices((*FRAGMENTS, ""), k=random.randrange(40))
        yield "".join(part or chr(random.randrange(0xD800)) for part in parts)
