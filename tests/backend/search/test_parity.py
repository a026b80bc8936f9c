"""SQLite and PostgreSQL give the same answers: the ranking does not depend on where a team keeps its traces."""

import json
from pathlib import Path
from typing import Any

import pytest

from commontrace import AsyncClient, connect_async
from commontrace.models.search import Query
from commontrace.models.traces import Contribution

SEEDS = Path(__file__).parents[4] / "shared" / "data" / "seed_traces.json"


def asked(seed: dict[str, Any]) -> str:
    """What somebody with this problem might ask: how it begins."""
    return " ".join(seed["context"].split()[:20])


async def fill(client: AsyncClient, seeds: list[dict[str, Any]]) -> None:
    for seed in seeds:
        await client.traces.contribute(
            Contribution(
                title=seed["title"][:200],
                problem=seed["context"],
                solution=seed["solution"],
                tags=seed["tags"][:20],
                insist=True,
            )
        )


@pytest.mark.skipif(not SEEDS.exists(), reason="needs the seed traces in ../shared/data")
async def test_both_databases_rank_a_hundred_traces_alike(client: AsyncClient, postgres_url: str) -> None:
    seeds = json.loads(SEEDS.read_text(encoding="utf-8"))[::2]
    await fill(client, seeds)
    async with connect_async(postgres_url) as other:
        await fill(other, seeds)
        for seed in seeds[::2]:
            query = Query(query=asked(seed), limit=10, silence=False)
            here, there = (await client.traces.query(query)).hits, (await other.traces.query(query)).hits
            assert [hit.title for hit in here] == [hit.title for hit in there]
            assert [hit.score for hit in here] == pytest.approx([hit.score for hit in there])
