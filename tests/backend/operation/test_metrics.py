"""Figures for Prometheus: who may read them, what they count, and what no label holds."""

import json
import re
from collections.abc import AsyncIterator

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families

from commontrace import AsyncClient
from commontrace_backend.app import create_app
from commontrace_backend.settings import BackendSettings
from doors import People
from factories import contributed, use
from house.sources import ROOT

TOKEN = {"Authorization": "Bearer scrape"}
DASHBOARD = ROOT / "deploy" / "grafana-dashboard.json"


@pytest.fixture
async def scraped(url: str) -> AsyncIterator[httpx2.AsyncClient]:
    """A server that keeps figures, in this process."""
    app = create_app(BackendSettings(database_url=url, metrics_token="scrape"))
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://x") as plain,
    ):
        yield plain


async def figures(scraped: httpx2.AsyncClient) -> dict[str, float]:
    """Every sample by its name and labels."""
    answer = await scraped.get("/metrics", headers=TOKEN)
    assert answer.headers["content-type"].startswith("text/plain")
    return {
        ",".join([sample.name, *(f"{name}={value}" for name, value in sorted(sample.labels.items()))]): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


@pytest.mark.both_databases
async def test_requests_errors_and_what_the_store_holds_are_counted(
    client: AsyncClient, people: People, scraped: httpx2.AsyncClient
) -> None:
    known = await contributed(client, visibility="team")
    await use(await people("bo"), known)
    headers = {"Authorization": f"Bearer {await people.key('ann')}"}
    for number in range(3):
        await scraped.get(f"/api/v1/traces/{number:032x}", headers=headers)
    found = await figures(scraped)
    assert found["commontrace_requests_total,method=GET,route=/api/v1/traces/{trace_id},status=404"] == 3
    assert found["commontrace_request_seconds_count,method=GET,route=/api/v1/traces/{trace_id}"] == 3
    assert found["commontrace_errors_total,code=not_found"] == 3
    assert found["commontrace_requests_running"] == 1  # the one that asks
    assert found["commontrace_traces"] == 1
    assert found["commontrace_outcomes,outcome=worked"] == 1
    assert found["commontrace_jobs,state=dead"] == 0
    assert (found["commontrace_traces_unindexed"], found["commontrace_traces_unembedded"]) == (0, 0)


async def test_no_label_holds_what_a_caller_made_up(scraped: httpx2.AsyncClient) -> None:
    for path in ("/canary", "/api/v1/traces/canary", "/api/v1/contexts/canary/log?ref=canary"):
        await scraped.request("CANARY", path)
        await scraped.get(path, headers={"X-Request-Id": "canary", "Authorization": "Bearer canary"})
    answer = await scraped.get("/metrics", headers=TOKEN)
    assert 'route="unknown"' in answer.text
    assert "canary" not in answer.text.lower()


@pytest.mark.parametrize("given", [{}, {"Authorization": "Bearer other"}, {"Authorization": "scrape"}])
async def test_figures_are_for_whoever_has_their_token(scraped: httpx2.AsyncClient, given: dict[str, str]) -> None:
    answer = await scraped.get("/metrics", headers=given)
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")


async def test_a_key_of_an_admin_is_not_the_token(scraped: httpx2.AsyncClient, people: People) -> None:
    key = await people.key("ann", scopes=("read", "admin"))
    assert (await scraped.get("/metrics", headers={"Authorization": f"Bearer {key}"})).status_code == 401


async def test_without_a_token_there_is_no_such_route(http: httpx2.AsyncClient) -> None:
    assert (await http.get("/metrics")).status_code == 404


async def test_the_dashboard_asks_for_figures_that_there_are(
    client: AsyncClient, people: People, scraped: httpx2.AsyncClient
) -> None:
    await use(await people("bo"), await contributed(client, visibility="team"))
    await scraped.get("/nothing")
    there = {name.partition(",")[0] for name in await figures(scraped)}
    # What only a pool of connections has.
    there.add("commontrace_database_connections")
    panels = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    asked = {
        name for panel in panels for one in panel["targets"] for name in re.findall(r"commontrace_\w+", one["expr"])
    }
    assert asked <= there
    assert {re.sub("_(bucket|count|sum|total|created)$", "", name) for name in there} == {
        re.sub("_(bucket|count|sum|total)$", "", name) for name in asked
    }
