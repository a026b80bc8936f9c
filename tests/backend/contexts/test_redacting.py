"""Secrets leave messages before anything of them is hashed; everything else stays word for word."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx2
import pytest

from commontrace import AsyncClient
from commontrace._async.contexts import AsyncContextRepository
from commontrace.models.contexts import NewCommit, Resolution
from commontrace.safety.redaction import redact
from conversations import say
from tampering import dumped

# Put together here, so that no scanner takes this file for a leak.
KEY = "sk-ant-" + "api03-" + "Zx7Qp2Lm9Rt4Vb8Nc1Wd6Yf3Hg5Jk0Sa" * 2 + "AA"
MAIL = "ann.miller" + "@" + "corp-mail.net"
ORDINARY = [
    "Look at line 3 of src/parse.py, do not touch 3.11.",
    "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "Ünïcode 👋 \u202e\u200b\ufeff ¯\\_(ツ)_/¯ <script>alert(1)</script> ../../etc/passwd %s%n {{7*7}}",
    "token budget: 4000 tokens, password field is empty, key=value",
]
SIGNED = {
    "role": "assistant",
    "content": [
        {"type": "thinking", "thinking": f"use {MAIL}", "signature": KEY},
        {"type": "redacted_thinking", "data": KEY},
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aGVsbG8="}},
        {"type": "tool_use", "id": "toolu_1", "name": "run", "input": {"data": KEY, "id": MAIL, MAIL: [1, None]}},
    ],
}


async def parts(repo: AsyncContextRepository) -> list[dict[str, Any]]:
    return [part for message in (await repo.window()).messages or [] for part in message["parts"]]


async def test_a_secret_is_gone_before_anything_is_stored(url: str, repo: AsyncContextRepository) -> None:
    repo.user(f"The key is {KEY}, write to {MAIL} and {MAIL}.")
    result = await repo.commit(f"with {KEY}", metadata={"by": [MAIL]}, generation={"note": KEY})
    assert {one.type.split(":")[0]: one.count for one in result.redactions} == {"secret": 3, "pii": 3}
    assert KEY not in result.model_dump_json()
    stored = await dumped(url)
    assert KEY.encode() not in stored
    assert MAIL.encode() not in stored
    [part] = await parts(repo)
    assert part["text"] == redact(f"The key is {KEY}, write to {MAIL} and {MAIL}.").text
    assert (await repo.verify(full=True)).sound


async def test_the_server_redacts_what_a_client_did_not(url: str, http: httpx2.AsyncClient) -> None:
    body = {"messages": [{"role": "user", "content": f"my key is {KEY}"}], "message": f"by {MAIL}"}
    answer = await http.post("/api/v1/contexts/parser/commits", json=body)
    assert {one["type"].split(":")[0] for one in answer.json()["redactions"]} == {"secret", "pii"}
    stored = await dumped(url)
    assert KEY.encode() not in stored
    assert MAIL.encode() not in stored


async def test_what_is_opaque_stays_byte_for_byte_and_what_tools_are_given_does_not(
    repo: AsyncContextRepository,
) -> None:
    repo.add(SIGNED)
    await repo.commit()
    thinking, sealed, image, call = await parts(repo)
    assert (thinking["signature"], sealed["data"], image["source"]["data"]) == (KEY, KEY, "aGVsbG8=")
    assert MAIL not in thinking["thinking"]
    assert (call["id"], call["name"]) == ("toolu_1", "run")
    assert KEY not in json.dumps(call)
    assert MAIL not in json.dumps(call)


async def test_a_picture_in_a_url_stays_and_a_call_in_json_stays_json(repo: AsyncContextRepository) -> None:
    picture = f"data:image/png;base64,{KEY}"
    arguments = json.dumps({"key": KEY, "n": 1})
    repo.add({"role": "user", "content": [{"type": "image_url", "image_url": {"url": picture}}]})
    called = {"id": "a", "type": "function", "function": {"name": "run", "arguments": arguments}}
    repo.add({"role": "assistant", "content": None, "tool_calls": [called]})
    await repo.commit()
    image, call = await parts(repo)
    assert image["image_url"]["url"] == picture
    assert json.loads(call["arguments"])["n"] == 1
    assert KEY not in call["arguments"]


@pytest.mark.parametrize("text", ORDINARY)
async def test_ordinary_text_stays_word_for_word(repo: AsyncContextRepository, text: str) -> None:
    repo.user(text)
    assert (await repo.commit(text, metadata={"m": text})).redactions == []
    assert [part["text"] for part in await parts(repo)] == [text]
    assert (await repo.get()).metadata == {"m": text}


async def test_who_wants_it_word_for_word_gets_it(client: AsyncClient, repo: AsyncContextRepository) -> None:
    repo.user(f"the key is {KEY}")
    assert (await repo.commit(redact=False)).redactions == []
    assert [part["text"] for part in await parts(repo)] == [f"the key is {KEY}"]
    await client.contexts.open("parser").store(
        NewCommit(messages=[{"role": "user", "content": f"again {KEY}"}], redact=False)
    )
    assert len(await parts(repo)) == 2


Write = Callable[[AsyncContextRepository, str], Awaitable[Any]]


async def _resolved(repo: AsyncContextRepository, slot: str) -> Any:
    await repo.branch("try")
    await repo.edit(slot, "theirs")
    await repo.switch("main")
    await repo.edit(slot, "ours")
    await repo.merge("try", message=f"with {MAIL}")
    return await repo.resolve(Resolution(slot=slot, content={"role": "user", "content": f"both, and {KEY}"}))


WRITES: dict[str, Write] = {
    "an edit": lambda repo, slot: repo.edit(slot, f"now {KEY}"),
    "a whole message": lambda repo, slot: repo.edit(slot, content={"role": "user", "content": f"now {KEY}"}),
    "a summary": lambda repo, slot: repo.compress(slots=[slot], text=f"it was {KEY}", force=True),
    "a reason": lambda repo, slot: repo.pin(slot, reason=f"it has {KEY}"),
    "a note": lambda repo, slot: repo.annotate(slots=[slot], notes={"why": {MAIL: KEY}}),
    "tools": lambda repo, _: repo.notes(tools=[{"name": "run", "description": f"uses {KEY}"}]),
    "a resolution": _resolved,
    "words of a change": lambda repo, slot: repo.remove(slot, message=f"it had {KEY}"),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
async def test_whatever_writes_texts_redacts_them(url: str, repo: AsyncContextRepository, write: Write) -> None:
    await say(repo, "one", "two")
    slot = (await repo.window(explain=True)).explanation[0].slot_id
    result = await write(repo, slot)
    assert "secret" in {one.type.split(":")[0] for one in result.redactions}
    stored = await dumped(url)
    assert KEY.encode() not in stored
    assert MAIL.encode() not in stored


async def test_a_large_commit_does_not_hold_others_up(client: AsyncClient) -> None:
    large = client.contexts.open("large")
    large.user(f"{'All work and no play makes a long day. ' * 10_000} {KEY}")
    running = asyncio.create_task(large.commit())
    turns = 0
    while not running.done():
        await asyncio.sleep(0)
        turns += 1
    assert (await running).redactions[0].count == 1
    assert turns > 100
