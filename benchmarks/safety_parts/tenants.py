"""Every route and tool, asked by each of three organizations for what each other one keeps: canaries seen, 0 wanted."""

import asyncio
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))

from safety_parts import Table
from tenants import pairs_of, shown_to_their_owner, three_tenants, walk_routes, walk_tools

TITLE = "Tenants"


async def _walk(url: str) -> dict[str, Any]:
    async with three_tenants(url) as world:
        canaries = {canary for tenant in world.tenants for canary in tenant.canaries}
        own = await shown_to_their_owner(world)
        pairs = pairs_of(world, every=True)
        routes = await walk_routes(world, pairs)
        tools = await walk_tools(world, pairs)
        return {
            "routes": len(await world.operations()),
            "requests": routes.requests + tools.requests,
            "canaries": len(canaries),
            "canaries_their_owner_finds": len(own),
            "foreign_canaries_seen": len(routes.seen) + len(tools.seen),
            "foreign_unlike_missing": len(routes.unlike),
            "malformed_requests": len(routes.malformed),
            "where": [*routes.seen, *tools.seen, *routes.unlike],
        }


def run(data: Path) -> list[Table]:
    """Walk the whole matrix on a fresh store."""
    del data
    os.environ["COMMONTRACE_EMBEDDER"] = "none"
    os.environ["COMMONTRACE_RATE_WRITES"] = "0"  # the walk is faster than anybody
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(_walk(f"sqlite:///{folder}/store.db"))
    rows = [{"of": name.replace("_", " "), "figure": str(value)} for name, value in found.items()]
    return [Table("Three organizations", [*rows, {"of": "seconds", "figure": f"{time.perf_counter() - started:.0f}"}])]
