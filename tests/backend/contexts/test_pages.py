"""Lists that grow without end are read a page at a time, each item once."""

import pytest

from commontrace import AsyncClient
from commontrace.models.contexts import NewCommit


@pytest.mark.both_databases
async def test_operations_are_read_page_by_page_each_once_though_more_happens_meanwhile(client: AsyncClient) -> None:
    context = client.contexts.open("pages")
    for number in range(5):
        await context.store(NewCommit(messages=[{"role": "user", "content": str(number)}], message=f"m{number}"))
    first = await context.operations(limit=2)
    await context.store(NewCommit(messages=[{"role": "user", "content": "late"}], message="late"))
    second = await context.operations(limit=2, before=first[-1].operation_id)
    third = await context.operations(limit=2, before=second[-1].operation_id)
    assert [one.summary for one in (*first, *second, *third)] == ["m4", "m3", "m2", "m1", "m0"]


async def test_calls_are_read_page_by_page(client: AsyncClient) -> None:
    context = client.contexts.open("pages")
    await context.store(NewCommit(messages=[{"role": "user", "content": "hello"}], message="m"))
    for _ in range(3):
        await context.record_call(await context.window(), model="gpt-4o")
    first = await context.calls(limit=2)
    second = await context.calls(limit=2, before=first[-1].call_id)
    assert [one.call_id for one in (*first, *second)] == sorted(
        (one.call_id for one in await context.calls()), reverse=True
    )
