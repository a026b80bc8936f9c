"""How the server answers whatever the operation: ids, tags, methods, kinds of bodies, pages for people."""

import json
import logging
import re
from collections.abc import AsyncIterator

import httpx2
import pytest

from commontrace import AsyncClient
from commontrace._transport import LOCAL_BASE, async_transport
from doors import People
from factories import contributed

API = "/api/v1"


@pytest.fixture
async def ann(url: str, people: People) -> AsyncIterator[httpx2.AsyncClient]:
    """Plain HTTP to the store as a server offers it, with a key of every scope."""
    headers = {"Authorization": f"Bearer {await people.key('ann', scopes=('read', 'contribute', 'vote', 'admin'))}"}
    transport = async_transport(url, 30, owner=False)
    async with httpx2.AsyncClient(transport=transport, base_url=LOCAL_BASE, headers=headers) as plain:
        yield plain


async def test_a_request_id_is_taken_over_and_told_in_answer_problem_and_log(
    ann: httpx2.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "commontrace"):
        answer = await ann.get(f"{API}/traces/{'0' * 32}", headers={"X-Request-Id": "run-7.step_2"})
    assert answer.headers["x-request-id"] == answer.json()["request_id"] == "run-7.step_2"
    line = caplog.records[-1].getMessage()
    assert "event=request method=GET route=/api/v1/traces/{trace_id} status=404" in line
    assert "code=not_found" in line
    assert "request_id=run-7.step_2" in line


@pytest.mark.parametrize("given", ["", "two words", "x" * 101, 'a"b', "é".encode(), "a\tb"])
async def test_a_request_id_that_is_not_sane_is_replaced(ann: httpx2.AsyncClient, given: str | bytes) -> None:
    sent = given.encode() if isinstance(given, str) else given
    answer = await ann.get(f"{API}/me", headers={b"X-Request-Id": sent})
    assert re.fullmatch("[0-9a-f]{32}", answer.headers["x-request-id"])


async def test_two_requests_have_two_ids(ann: httpx2.AsyncClient) -> None:
    first, second = [(await ann.get(f"{API}/me")).headers["x-request-id"] for _ in range(2)]
    assert first != second


async def test_a_log_line_holds_the_key_and_no_word_of_a_query(
    client: AsyncClient, ann: httpx2.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    await contributed(client)
    with caplog.at_level(logging.DEBUG):
        await ann.post(f"{API}/traces/query", json={"query": "canaryword in the kitchen"})
        await ann.get(f"{API}/tags", params={"prefix": "canaryword"})
        await ann.get(f"{API}/contexts/canaryword/grep", params={"pattern": "canaryword"})
    lines = [record.getMessage() for record in caplog.records if record.name == "commontrace"]
    assert [line for line in lines if "route=/api/v1/traces/query status=200" in line and "key=" in line]
    assert "canaryword" not in "".join(lines)


async def test_what_did_not_change_travels_as_304(client: AsyncClient, ann: httpx2.AsyncClient) -> None:
    path = f"{API}/traces/{await contributed(client, visibility='team')}"
    first = await ann.get(path)
    assert first.headers["cache-control"] == "private, no-cache"
    again = await ann.get(path, headers={"If-None-Match": f'"other", {first.headers["etag"]}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    assert "content-type" not in again.headers


async def test_what_changed_travels_whole_with_another_tag(client: AsyncClient, ann: httpx2.AsyncClient) -> None:
    known = await contributed(client, visibility="team")
    first = await ann.get(f"{API}/traces/{known}")
    await ann.post(f"{API}/traces/{known}/flags", json={"reason": "spam"})
    again = await ann.get(f"{API}/traces/{known}", headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 200
    assert again.headers["etag"] != first.headers["etag"]


async def test_a_tag_of_another_caller_is_no_way_to_see_anything(
    client: AsyncClient, ann: httpx2.AsyncClient, people: People
) -> None:
    path = f"{API}/traces/{await contributed(client, visibility='team')}"
    tag = (await ann.get(path)).headers["etag"]
    stranger = {"Authorization": f"Bearer {await people.key('eve', 'evil corp')}", "If-None-Match": tag}
    assert (await ann.get(path, headers=stranger)).status_code == 404


async def test_writes_and_errors_are_kept_by_nobody(ann: httpx2.AsyncClient) -> None:
    for answer in (
        await ann.post(f"{API}/keys", json={"contributor": "bo"}),
        await ann.post(f"{API}/traces/query", json={"query": "x"}),
        await ann.get(f"{API}/nonsense"),
    ):
        assert answer.headers["cache-control"] == "no-store"
        assert "etag" not in answer.headers


async def test_head_is_get_without_the_body(ann: httpx2.AsyncClient) -> None:
    whole, head = await ann.get(f"{API}/me"), await ann.head(f"{API}/me")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["etag"] == whole.headers["etag"]
    assert head.headers["content-length"] == str(len(whole.content))


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/keys", "GET, POST"),
        ("OPTIONS", "/contexts/x/branches", "GET, POST"),
        ("GET", "/traces/query", "POST"),
        ("POST", "/reviews/decisions", "GET"),
        ("BREW", "/tags", "GET"),
    ],
)
async def test_a_method_too_many_is_told_all_that_the_path_takes(
    ann: httpx2.AsyncClient, method: str, path: str, allowed: str
) -> None:
    answer = await ann.request(method, API + path)
    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)
    assert answer.json()["code"] == "bad_request"


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "multipart/form-data; boundary=x", ""])
async def test_a_body_that_is_not_said_to_be_json_is_refused(ann: httpx2.AsyncClient, kind: str) -> None:
    answer = await ann.post(f"{API}/traces/query", content=b'{"query": "x"}', headers={"Content-Type": kind})
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_body")


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "Application/JSON", "application/vnd.x+json"])
async def test_a_body_that_is_some_kind_of_json_is_taken(ann: httpx2.AsyncClient, kind: str) -> None:
    answer = await ann.post(f"{API}/traces/query", content=b'{"query": "x"}', headers={"Content-Type": kind})
    assert answer.status_code == 200


@pytest.mark.parametrize("field", [{"limit": "5"}, {"limit": True}, {"fold": 0}, {"fold": "no"}, {"max_tokens": "9"}])
async def test_a_number_or_a_switch_in_other_clothes_is_refused(
    ann: httpx2.AsyncClient, field: dict[str, object]
) -> None:
    answer = await ann.post(f"{API}/traces/query", json={"query": "x", **field})
    assert (answer.status_code, answer.json()["detail"].partition(":")[0]) == (422, next(iter(field)))


async def test_the_page_of_operations_asks_nobody_for_anything(ann: httpx2.AsyncClient) -> None:
    answer = await ann.get("/docs")
    described = (await ann.get("/openapi.json")).json()
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert not re.search(r"<script|<link|<img|(?:src|href)=\"(?!#|openapi\.json)", answer.text)
    for methods in described["paths"].values():
        for operation in methods.values():
            assert f'id="{operation["operationId"]}"' in answer.text


async def test_the_description_names_every_operation_once_with_its_scheme_and_errors(ann: httpx2.AsyncClient) -> None:
    described = (await ann.get("/openapi.json")).json()
    operations = [(path, one) for path, methods in described["paths"].items() for one in methods.values()]
    names = [one["operationId"] for _, one in operations]
    assert len(set(names)) == len(names)
    assert {"search_query_traces", "traces_contribute_trace", "contexts_commit", "contributors_me"} <= set(names)
    for path, one in operations:
        assert one["summary"]
        assert one["tags"][0] in {tag["name"] for tag in described["tags"]}
        if path.startswith(API):
            assert one["security"] == [{"key": []}]
            assert {"401", "403", "404", "409", "422", "429", "500", "503"} <= set(one["responses"])
            assert {"RateLimit", "RateLimit-Policy", "Retry-After"} <= set(one["responses"]["429"]["headers"])
        for status, said in one["responses"].items():
            assert "X-Request-Id" in said["headers"]
            if int(status) >= 400:
                assert list(said["content"]) == ["application/problem+json"]
    assert "HTTPValidationError" not in json.dumps(described)
