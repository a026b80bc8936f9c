"""What somebody tries who has no key, a part of one, or the wrong one; and what costs the most to answer."""

import json
import logging
import random
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx2
import pytest

from commontrace import AsyncClient
from commontrace._transport import LOCAL_BASE, async_transport
from commontrace_backend.contributors.keys import new_key
from doors import People
from factories import contributed, contribution, read

ME = "/api/v1/me"


@pytest.fixture
async def anybody(url: str) -> AsyncIterator[httpx2.AsyncClient]:
    """Plain HTTP to the store as a server offers it: without a key."""
    async with httpx2.AsyncClient(transport=async_transport(url, 30, owner=False), base_url=LOCAL_BASE) as plain:
        yield plain


def _forgeries(key: str) -> list[str]:
    stem, other = key.rsplit("_", 1)[0], new_key("live").text
    return [
        key[:-1],
        key[: len(key) // 2],
        f"{stem}_000000",
        "_".join([*key.split("_")[:3], *other.split("_")[3:]]),
        key.replace("ct_live", "ct_test"),
        key.swapcase(),
        f"{key}\x00",
        other,
        "null",
        "' OR 1=1 --",
        "é" * 40,
        "A" * 100_000,
    ]


async def test_forged_and_truncated_keys_open_nothing_and_are_repeated_nowhere(
    anybody: httpx2.AsyncClient, people: People, caplog: pytest.LogCaptureFixture
) -> None:
    key = await people.key("ann")
    with caplog.at_level(logging.DEBUG):
        for forged in _forgeries(key):
            answer = await anybody.get(ME, headers={b"Authorization": f"Bearer {forged}".encode()})
            assert (forged[:20], answer.status_code) == (forged[:20], 401)
            assert forged not in answer.text + str(answer.headers)
        assert (await anybody.get(ME, headers={"Authorization": f"Bearer {key}"})).status_code == 200
    assert key.split("_")[3] not in caplog.text


@pytest.mark.parametrize("name", ["api_key", "key", "token", "access_token", "Authorization", "authorization"])
async def test_a_key_in_the_address_is_not_looked_at(anybody: httpx2.AsyncClient, people: People, name: str) -> None:
    key = await people.key("ann")
    for value in (key, f"Bearer {key}"):
        assert (await anybody.get(ME, params={name: value})).status_code == 401
    assert (await anybody.get(ME, headers={"Cookie": f"{name}={key}"})).status_code == 401


async def test_two_keys_in_one_request_are_no_key(anybody: httpx2.AsyncClient, people: People) -> None:
    ann, ben = await people.key("ann"), await people.key("ben")
    for pair in ((ann, ben), (ann, ann)):
        headers = [("Authorization", f"Bearer {key}") for key in pair]
        assert (await anybody.get(ME, headers=headers)).status_code == 401
    basic = {"Authorization": f"Basic {ann}"}
    assert (await anybody.get(ME, headers=basic)).status_code == 401


async def test_the_header_of_the_working_copy_takes_one_plain_word(anybody: httpx2.AsyncClient, people: People) -> None:
    key = ("Authorization", f"Bearer {await people.key('ann')}")
    good = await anybody.get(ME, headers=[key, ("CommonTrace-Working-Copy", "run:1")])
    assert good.status_code == 200
    for values in (["a", "b"], ["a b"], ["a\x00"], ["a" * 201], [""], ["é"]):
        headers: list[tuple[bytes, bytes]] = [(key[0].encode(), key[1].encode())]
        headers += [(b"CommonTrace-Working-Copy", value.encode()) for value in values]
        answer = await anybody.get(ME, headers=headers)
        assert (values, answer.status_code) == (values, 422)


@pytest.mark.parametrize(
    "forged",
    [
        {"contributor_id": "x"},
        {"contributor": "owner"},
        {"tenant_id": "x"},
        {"lineage_id": "x"},
        {"author": "owner"},
        {"state": "active"},
        {"tier": "verified"},
        {"organization": "home"},
    ],
)
async def test_who_wrote_something_is_no_argument(
    anybody: httpx2.AsyncClient, client: AsyncClient, people: People, forged: dict[str, str]
) -> None:
    headers = {"Authorization": f"Bearer {await people.key('eve', 'elsewhere')}"}
    known = await contributed(client, 1)
    await client.traces.publish(known)
    for path, body in (
        ("/api/v1/traces", contribution().model_dump(mode="json")),
        (f"/api/v1/traces/{known}/votes", {"outcome": "worked"}),
        (f"/api/v1/traces/{known}/flags", {"reason": "spam"}),
        ("/api/v1/contexts", {"name": "plans"}),
    ):
        answer = await anybody.post(path, json={**body, **forged}, headers=headers)
        assert (path, answer.status_code) == (path, 422)
    assert [one.contributor.name async for one in client.traces.all()] == ["owner"]


async def test_a_receipt_of_somebody_else_lets_nobody_vote(
    anybody: httpx2.AsyncClient, client: AsyncClient, people: People
) -> None:
    known, private = await contributed(client), await contributed(client, 1)
    await client.traces.publish(known)
    shown = await read(await people("ann"), known)
    foreign = (await client.traces.get(private)).version_id
    eve = await people.key("eve", "elsewhere")

    async def vote(key: str, trace_id: str, version_id: str) -> str:
        answer = await anybody.post(
            f"/api/v1/traces/{trace_id}/votes",
            json={"outcome": "worked", "version_id": version_id},
            headers={"Authorization": f"Bearer {key}"},
        )
        return str(answer.json().get("code", answer.status_code))

    for key in (await people.key("ben"), eve):
        assert await vote(key, known, shown.version_id) == "not_shown"
    await read(client.acting_as(eve), known)
    assert await vote(eve, private, foreign) == "not_found"
    assert await vote(eve, known, foreign) == "not_found"  # a version of another trace
    assert await vote(eve, known, shown.version_id) == "200"


async def test_what_fails_inside_says_nothing_of_the_key_or_the_words(
    anybody: httpx2.AsyncClient, people: People, caplog: pytest.LogCaptureFixture, url: str
) -> None:
    key = await people.key("ann")
    headers = {"Authorization": f"Bearer {key}"}
    await anybody.get(ME, headers=headers)
    app = anybody._transport._app  # type: ignore[attr-defined]
    app.state.finder = None  # a defect
    with caplog.at_level(logging.DEBUG):
        answer = await anybody.post("/api/v1/traces/query", json={"query": "wombat words"}, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert "route=/api/v1/traces/query" in caplog.text
    for secret in (key, key.split("_")[3], "wombat"):
        assert secret not in caplog.text + answer.text


def _nested(depth: int, inside: str = "1") -> str:
    return '{"a":' * depth + inside + "}" * depth


@pytest.mark.parametrize("depth", [21, 500, 40_000])
@pytest.mark.parametrize("field", ["environment", "failed_attempts", "title", "evidence"])
async def test_a_deeply_nested_contribution_is_refused(
    anybody: httpx2.AsyncClient, people: People, depth: int, field: str
) -> None:
    good = contribution().model_dump(mode="json", exclude={field})
    body = json.dumps(good)[:-1] + f', "{field}": {_nested(depth)}}}'
    headers = {"Authorization": f"Bearer {await people.key('ann')}", "Content-Type": "application/json"}
    answer = await anybody.post("/api/v1/traces", content=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")


WORST = {
    "one word": "a" * 65_536,
    "words": "lock " * 13_000,
    "different words": " ".join(f"w{number}x" for number in range(9_000)),
    "misspelt words": " ".join(f"databse{number} lokced" for number in range(3_000)),
    "quotes": '"' * 65_536,
    "stars": "* " * 32_000,
    "near": "NEAR(" * 13_000,
    "brackets": "(" * 65_536,
    "zero width": "\u200b" * 20_000,
    "combining": "a" + "\u0301" * 32_000,
    "slashes": "/a" * 32_000,
    "colons": "a:" * 32_000,
    "frames": '  File "/a/b.py", line 1, in f\n    x()\n' * 1_600,
    "key words": "password " * 7_000,
    "addresses": "a@b." * 16_000,
    "digits": "4111 " * 13_000,
    "base64": "QUFB" * 16_000,
    "tags": "<a " * 21_000,
}


@pytest.mark.parametrize("kind", WORST)
async def test_no_request_of_64_kib_takes_two_seconds_of_cpu(
    anybody: httpx2.AsyncClient, people: People, kind: str
) -> None:
    headers = {"Authorization": f"Bearer {await people.key('ann')}"}
    text = WORST[kind]
    bodies: list[tuple[str, dict[str, Any]]] = [
        ("/api/v1/traces/query", {"query": text, "error": text}),
        ("/api/v1/traces", {**contribution().model_dump(mode="json"), "problem": text[:60_000]}),
        ("/api/v1/contexts/plans/commits", {"messages": [{"role": "user", "content": text}], "redact": True}),
    ]
    await anybody.get(ME, headers=headers)
    for path, body in bodies:
        started = time.process_time()
        answer = await anybody.post(path, json=body, headers=headers)
        spent = time.process_time() - started
        assert answer.status_code < 500
        assert (path, spent < 2) == (path, True), spent


async def test_a_list_of_many_strange_questions_does_not_take_for_ever(client: AsyncClient, store: Path) -> None:
    await contributed(client)
    await client.traces.query("what about kangaroos")
    chance = random.Random(5)
    words = [f"w{number}q" for number in range(3_000)]
    with closing(sqlite3.connect(store)) as connection, connection:
        [(tenant, contributor)] = connection.execute("SELECT tenant_id, contributor_id FROM misses").fetchall()
        connection.executemany(
            "INSERT INTO misses (miss_id, tenant_id, contributor_id, query, created_at)"
            " SELECT ?, ?, ?, ?, max(created_at) FROM misses",
            [
                (f"{number:032x}", tenant, contributor, " ".join(chance.choices(words, k=300)))
                for number in range(3_000)
            ],
        )
    started = time.process_time()
    await client.traces.wanted(limit=100)
    assert time.process_time() - started < 10
