"""Our server with what the official conformance suite looks for; `python tests/conformance.py PORT URL` serves it.

The names, texts and shapes are the suite's; none of this is shipped.
"""

import asyncio
import base64
import io
import json
import struct
import sys
import wave
import zlib
from dataclasses import make_dataclass
from functools import partial
from typing import Any

import mcp_types as types
from fastmcp import Context, FastMCP
from fastmcp.exceptions import McpError, ToolError
from fastmcp.prompts import Message
from fastmcp.tools import ToolResult

from commontrace import connect_async
from commontrace.mcp.server import build_server

WHAT = "What the conformance suite looks for."
OPTIONS = ["option1", "option2", "option3"]
TITLED = [{"const": f"value{number}", "title": f"Title {number}"} for number in (1, 2, 3)]
DEFAULTS = {
    "name": {"type": "string", "default": "John Doe"},
    "age": {"type": "integer", "default": 30},
    "score": {"type": "number", "default": 95.5},
    "status": {"type": "string", "enum": ["active", "inactive", "pending"], "default": "active"},
    "verified": {"type": "boolean", "default": True},
}
ENUMS = {
    "untitledSingle": {"type": "string", "enum": OPTIONS},
    "titledSingle": {"type": "string", "oneOf": TITLED},
    "legacyEnum": {"type": "string", "enum": OPTIONS, "enumNames": [option.title() for option in OPTIONS]},
    "untitledMulti": {"type": "array", "items": {"type": "string", "enum": OPTIONS}},
    "titledMulti": {"type": "array", "items": {"anyOf": TITLED}},
}


def _pixel() -> bytes:
    parts = [(b"IHDR", struct.pack(">2I5B", 1, 1, 8, 2, 0, 0, 0)), (b"IDAT", zlib.compress(bytes(4))), (b"IEND", b"")]
    chunks = [
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in parts
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def _silence() -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as sound:
        sound.setparams((1, 1, 8000, 8, "NONE", ""))
        sound.writeframes(bytes(8))
    return out.getvalue()


IMAGE = types.ImageContent(type="image", data=base64.b64encode(_pixel()).decode(), mime_type="image/png")
SOUND = types.AudioContent(type="audio", data=base64.b64encode(_silence()).decode(), mime_type="audio/wav")


def _text(text: str) -> types.TextContent:
    return types.TextContent(type="text", text=text)


def _embedded(uri: str, text: str, kind: str = "text/plain") -> types.EmbeddedResource:
    return types.EmbeddedResource(
        type="resource", resource=types.TextResourceContents(uri=uri, mime_type=kind, text=text)
    )


def _form(message: str, name: str, kind: str = "string") -> types.ElicitRequest:
    schema: dict[str, Any] = {"type": "object", "properties": {name: {"type": kind}}, "required": [name]}
    return types.ElicitRequest(
        method="elicitation/create", params=types.ElicitRequestFormParams(message=message, requested_schema=schema)
    )


def _sample(text: str) -> types.CreateMessageRequest:
    messages = [types.SamplingMessage(role="user", content=_text(text))]
    params = types.CreateMessageRequestParams(messages=messages, max_tokens=50)
    return types.CreateMessageRequest(method="sampling/createMessage", params=params)


ROOTS = types.ListRootsRequest(method="roots/list")


def _asked(state: str | None = None, **requests: Any) -> types.InputRequiredResult:
    return types.InputRequiredResult(result_type="input_required", input_requests=requests, request_state=state)


def _given(context: Context, name: str) -> Any:
    found = (context.input_responses or {}).get(name)
    return found if getattr(found, "action", "accept") == "accept" else None


def _can(context: Context, name: str) -> bool:
    meta = (context.request_context.meta if context.request_context else None) or {}
    return name in dict(meta.get("io.modelcontextprotocol/clientCapabilities") or {})


def _contents(server: FastMCP) -> None:
    """Tools that answer with one kind of content each."""
    said: dict[str, list[Any]] = {
        "test_simple_text": [_text("This is a simple text response for testing.")],
        "test_image_content": [IMAGE],
        "test_audio_content": [SOUND],
        "test_embedded_resource": [_embedded("test://embedded-resource", "This is an embedded resource content.")],
        "test_multiple_content_types": [
            _text("Multiple content types test:"),
            IMAGE,
            _embedded("test://mixed-content-resource", '{"test":"data","value":123}', "application/json"),
        ],
    }
    for name, content in said.items():
        _offer(server, name, content)


def _offer(server: FastMCP, name: str, content: list[Any]) -> None:
    @server.tool(name=name, description=WHAT)
    def answer() -> ToolResult:
        return ToolResult(content=content)


def _manners(server: FastMCP) -> None:
    """Errors, progress, log messages."""

    @server.tool(description=WHAT)
    def test_error_handling() -> str:
        raise ToolError("This tool intentionally returns an error for testing")

    @server.tool(description=WHAT)
    async def test_tool_with_progress(context: Context) -> str:
        for done in (0, 50, 100):
            await context.report_progress(done, 100)
            await asyncio.sleep(0.05)
        return "done"

    @server.tool(description=WHAT)
    async def test_tool_with_logging(context: Context) -> str:
        for line in ("Tool execution started", "Tool processing data", "Tool execution completed"):
            await context.info(line)
            await asyncio.sleep(0.05)
        return "done"

    @server.tool(description=WHAT)
    def test_missing_capability(context: Context) -> str:
        if not _can(context, "sampling"):
            needed: dict[str, Any] = {"requiredCapabilities": {"sampling": {}}}
            raise McpError(code=-32021, message="sampling is needed", data=needed)
        return "done"


def _questions(server: FastMCP) -> None:
    """Questions in the way of the handshake's era."""

    @server.tool(description=WHAT)
    async def test_elicitation(message: str, context: Context) -> str:
        user = make_dataclass("User", [("username", str), ("email", str)])
        return f"User response: {(await context.elicit(message, user)).action}"

    @server.tool(description=WHAT)
    async def test_sampling(prompt: str, context: Context) -> str:
        messages = [types.SamplingMessage(role="user", content=_text(prompt))]
        found = await context.session.create_message(messages, max_tokens=100, related_request_id=context.request_id)
        return f"LLM response: {getattr(found.content, 'text', '')}"

    _form_tool(server, "sep1034_defaults", DEFAULTS)
    _form_tool(server, "sep1330_enums", ENUMS)


def _form_tool(server: FastMCP, name: str, properties: dict[str, Any]) -> None:
    @server.tool(name=f"test_elicitation_{name}", description=WHAT)
    async def fill(context: Context) -> str:
        schema = {"type": "object", "properties": properties, "required": []}
        found = await context.session.elicit_form("Fill in", schema, related_request_id=context.request_id)
        return f"Elicitation completed: action={found.action}, content={json.dumps(found.content)}"


def _rounds(server: FastMCP) -> None:
    """Tools that ask before they answer, in the way of 2026-07-28."""
    name, roots = "test_input_required_result", "client_roots"

    @server.tool(name=f"{name}_elicitation", description=WHAT)
    def elicitation(context: Context) -> str | types.InputRequiredResult:
        found = _given(context, "user_name")
        return f"Hello, {found.content['name']}!" if found else _asked(user_name=_form("Your name?", "name"))

    @server.tool(name=f"{name}_sampling", description=WHAT)
    def sampling(context: Context) -> str | types.InputRequiredResult:
        found = _given(context, "capital_question")
        return str(found.content) if found else _asked(capital_question=_sample("The capital of France?"))

    @server.tool(name=f"{name}_list_roots", description=WHAT)
    def list_roots(context: Context) -> str | types.InputRequiredResult:
        found = _given(context, roots)
        return ", ".join(str(root.uri) for root in found.roots) if found else _asked(client_roots=ROOTS)

    @server.tool(name=f"{name}_multiple_inputs", description=WHAT)
    def multiple_inputs(context: Context) -> str | types.InputRequiredResult:
        if all(_given(context, wanted) for wanted in ("user_name", "greeting", roots)):
            return "all there"
        return _asked("m", user_name=_form("Name?", "name"), greeting=_sample("Greet"), client_roots=ROOTS)

    @server.tool(name=f"{name}_capabilities", description=WHAT)
    def capabilities(context: Context) -> str | types.InputRequiredResult:
        ways: dict[str, Any] = {"elicitation": _form("Name?", "name"), "sampling": _sample("hello")}
        wanted = {way: ask for way, ask in ways.items() if _can(context, way)}
        return _asked(**wanted) if wanted and not context.input_responses else "done"


def _states(server: FastMCP) -> None:
    """The same with a state that travels, which the framework seals."""
    for name in ("request_state", "tampered_state"):
        _sealed_tool(server, f"test_input_required_result_{name}")

    @server.tool(description=WHAT)
    def test_input_required_result_multi_round(context: Context) -> str | types.InputRequiredResult:
        name = json.loads(context.request_state or "{}").get("name")
        if name and (found := _given(context, "step2")):
            return f"{name} likes {found.content['color']}"
        if found := _given(context, "step1"):
            state = json.dumps({"name": found.content["name"]})
            return _asked(state, step2=_form("Which color?", "color"))
        return _asked("{}", step1=_form("Which name?", "name"))


def _sealed_tool(server: FastMCP, name: str) -> None:
    @server.tool(name=name, description=WHAT)
    def confirm(context: Context) -> str | types.InputRequiredResult:
        if context.request_state == "sealed" and _given(context, "confirm"):
            return "state-ok"
        return _asked("sealed", confirm=_form("Sure?", "ok", "boolean"))


def _prompts_and_resources(server: FastMCP) -> None:
    @server.prompt(description=WHAT)
    def test_simple_prompt() -> str:
        return "This is a simple prompt for testing."

    @server.prompt(description=WHAT)
    def test_prompt_with_arguments(arg1: str, arg2: str) -> str:
        return f"Prompt with arguments: arg1='{arg1}', arg2='{arg2}'"

    @server.prompt(description=WHAT)
    def test_prompt_with_embedded_resource(resourceUri: str) -> list[Message]:  # noqa: N803 - the suite's name
        return [Message(_embedded(resourceUri, "embedded")), Message("Read it.")]

    @server.prompt(description=WHAT)
    def test_prompt_with_image() -> list[Message]:
        return [Message(IMAGE), Message("Look at it.")]

    @server.prompt(description=WHAT)
    def test_input_required_result_prompt(context: Context) -> str | types.InputRequiredResult:
        found = _given(context, "user_context")
        return str(found.content) if found else _asked(user_context=_form("Which context?", "context"))

    server.resource("test://static-text", mime_type="text/plain")(_static_text)
    server.resource("test://static-binary", mime_type="image/png")(_pixel)
    server.resource("test://watched-resource", mime_type="text/plain")(_static_text)
    server.resource("test://template/{name}/data", mime_type="application/json")(_from_template)


def _static_text() -> str:
    return "This is the content of the static text resource."


def _from_template(name: str) -> str:
    return json.dumps({"id": name, "templateTest": True, "data": f"Data for ID: {name}"})


def serve(port: int, url: str) -> None:
    """Our server as it is, with the suite's fixtures beside its own tools."""
    server = build_server(partial(connect_async, url))
    for register in (_contents, _manners, _questions, _rounds, _states, _prompts_and_resources):
        register(server)
    server.run(transport="http", host="127.0.0.1", port=port, show_banner=False, host_origin_protection=True)


if __name__ == "__main__":
    serve(int(sys.argv[1]), sys.argv[2])
