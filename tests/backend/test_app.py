"""The application as a whole."""

from factories import contribution


async def test_it(client, people, server):
    r = await client.traces.contribute(contribution())
    print(r)
    for i in range(1, 5):
        print((await client.traces.contribute(contribution(i))).lint)
    ann = await people("ann")
    from commontrace import connect_async

    async with connect_async(server.url, api_key=await people.key("bo")) as bo:
        print(await bo.contributors.me())
