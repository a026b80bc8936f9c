"""`/docs`: every operation on one page that asks nobody else for anything."""

import json
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

router = APIRouter(include_in_schema=False)

_STYLE: Final = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem;
  color-scheme: light dark; }
code, pre { font: 14px/1.4 ui-monospace, monospace; } pre { overflow-x: auto; }
details { border: 1px solid #8886; border-radius: 6px; margin: .4rem 0; padding: .3rem .7rem; }
summary { cursor: pointer; } summary b { display: inline-block; min-width: 4.5rem; }
table { border-collapse: collapse; } td { padding: .1rem 1rem .1rem 0; vertical-align: top; }
"""
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'"


@router.get("/docs")
async def docs(request: Request) -> Response:
    """Every operation, its parameters and its answers."""
    page = "".join(_page(request.app.openapi()))
    return HTMLResponse(page, headers={"Content-Security-Policy": _POLICY})


def _page(document: Mapping[str, Any]) -> Iterator[str]:
    title = f"{document['info']['title']} {document['info']['version']}"
    yield f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title><style>{_STYLE}</style>'
    yield f"<h1>{escape(title)}</h1><p>{escape(document['info']['description'])}</p>"
    yield '<p>Every request carries <code>Authorization: Bearer ct_…</code>. For machines: <a href="openapi.json">'
    yield "openapi.json</a>.</p>"
    for tag in document["tags"]:
        yield f"<h2>{escape(tag['name'])}</h2><p>{escape(tag['description'])}</p>"
        for path, methods in document["paths"].items():
            for method, operation in methods.items():
                if operation["tags"][0] == tag["name"]:
                    yield from _operation(method, path, operation)
    yield "<h2>schemas</h2>"
    for name, schema in sorted(document["components"]["schemas"].items()):
        yield f'<details id="{escape(name)}"><summary><code>{escape(name)}</code></summary>'
        yield f"<pre>{escape(json.dumps(schema, indent=2, ensure_ascii=False))}</pre></details>"
    yield "</html>"


def _operation(method: str, path: str, operation: Mapping[str, Any]) -> Iterator[str]:
    yield f'<details id="{escape(operation["operationId"])}"><summary><b>{method.upper()}</b>'
    yield f"<code>{escape(path)}</code> {escape(operation['summary'])}</summary>"
    yield f"<p>{escape(operation['description'])}</p><table>"
    for item in operation.get("parameters", []):
        needed = "required" if item.get("required") else ""
        said = escape(item.get("description", ""))
        name, kind = escape(item["name"]), _kind(item["schema"])
        yield f"<tr><td><code>{name}</code><td>{item['in']} {needed}<td>{kind}<td>{said}"
    for content in operation.get("requestBody", {}).get("content", {}).values():
        yield f"<tr><td>body<td>required<td>{_kind(content['schema'])}<td>"
    for status, answer in operation["responses"].items():
        kinds = ", ".join(
            _kind(content["schema"]) for content in answer.get("content", {}).values() if "schema" in content
        )
        yield f"<tr><td>{status}<td>answer<td>{kinds}<td>{escape(answer['description'])}"
    yield "</table></details>"


def _kind(schema: Mapping[str, Any]) -> str:
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f'<a href="#{name}">{name}</a>'
    if schema.get("type") == "array":
        return f"list of {_kind(schema['items'])}"
    options = schema.get("anyOf")
    return " or ".join(_kind(option) for option in options) if options else escape(str(schema.get("type", "any")))
