"""Every route and every tool, asked by one organization for what another one keeps."""

import pytest

from tenants import Tenant, pairs_of, request_of, shown_to_their_owner, three_tenants, walk_routes, walk_tools


async def test_no_route_shows_an_organization_what_another_one_keeps(url: str) -> None:
    async with three_tenants(url) as world:
        everything = {canary for tenant in world.tenants for canary in tenant.canaries}
        assert everything - await shown_to_their_owner(world) == set()
        found = await walk_routes(world, pairs_of(world, every=False))
    assert found.seen == []
    assert found.malformed == []
    assert found.unlike == []  # what is foreign answers as what is missing
    assert found.requests > 400


async def test_no_tool_shows_an_organization_what_another_one_keeps(url: str) -> None:
    async with three_tenants(url) as world:
        found = await walk_tools(world, pairs_of(world, every=False))
    assert found.seen == []
    assert found.requests > 150


def test_a_route_with_a_field_that_the_matrix_does_not_know_is_noticed() -> None:
    tenant = Tenant("alpha", "", (), dict.fromkeys(_IDS, "0"))
    with pytest.raises(KeyError, match="novelty"):
        request_of(("post", "/api/v1/new"), {"parameters": [], "body": ["novelty"]}, tenant, "plans")


_IDS = (
    *("trace_id", "private_id", "amendment_id", "flag_id", "key_id", "contributor_id"),
    *("repository", "commit", "slot", "branch", "tag", "call_id"),
)
