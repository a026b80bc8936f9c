"""A span for every request over OTLP: its route, its status and its time, below the span of whoever asked.

Imported only where COMMONTRACE_OTLP_ENDPOINT names a place. The spans of OpenTelemetry's own ASGI middleware hold paths
and query strings, and so what people search for: these are made here.
"""

from typing import Final

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from commontrace_backend.operation.observing import method_of
from commontrace_backend.problems import route_of
from commontrace_backend.reporting import NOTED

_FAILED: Final = 500


def open_spans(endpoint: str) -> TracerProvider:
    """What makes spans and sends them in the background; `endpoint` is a collector's base URL, as of port 4318."""
    provider = TracerProvider(resource=Resource.create({"service.name": "commontrace"}), shutdown_on_exit=False)
    exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces", timeout=5)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider


class Spans:
    """ASGI middleware: a span a request."""

    def __init__(self, app: ASGIApp, provider: TracerProvider) -> None:
        self._app = app
        self._tracer = provider.get_tracer("commontrace")
        self._parent = TraceContextTextMapPropagator()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        method = method_of(scope)
        headers = Headers(scope=scope)
        parent = self._parent.extract({"traceparent": headers.get("traceparent", "")})
        span = self._tracer.start_span(method, parent, SpanKind.SERVER)

        async def seen(message: Message) -> None:
            if message["type"] == "http.response.start":
                span.set_attribute("http.response.status_code", message["status"])
                if message["status"] >= _FAILED:
                    span.set_attribute("error.type", str(message["status"]))
            await send(message)

        try:
            await self._app(scope, receive, seen)
        finally:
            noted = NOTED.get()
            route = route_of(scope)
            span.update_name(f"{method} {route}")
            known = {"http.request.method": method, "http.route": route}
            span.set_attributes(known | ({"commontrace.request_id": noted.request_id} if noted else {}))
            span.end()
