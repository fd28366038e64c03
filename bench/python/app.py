"""The seeds' own stack, as a careful team sets it up: FastAPI on uvicorn (uvloop, httptools), one worker, with
prometheus-fastapi-instrumentator, structlog through orjson, and OpenTelemetry's FastAPI instrumentation sending by OTLP
http/protobuf. The log's middleware is plain ASGI, and the instrumentation's spans of single ASGI messages are off: each
request leaves one span, one observation and one line, as the other variants' do.
"""

import logging
import os
import socket
import threading
import time
import uuid

import orjson
import structlog
import uvicorn
from fastapi import FastAPI
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from prometheus_fastapi_instrumentator import Instrumentator


def add_span_ids(_logger, _method, event):
    """The ids of the span in hand, so that a line leads to its trace."""
    span = trace.get_current_span().get_span_context()
    if span.is_valid:
        event["trace_id"] = format(span.trace_id, "032x")
        event["span_id"] = format(span.span_id, "016x")
    return event


structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        add_span_ids,
        structlog.processors.EventRenamer("message"),
        structlog.processors.JSONRenderer(serializer=orjson.dumps),
    ],
    wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
    logger_factory=structlog.BytesLoggerFactory(),
    cache_logger_on_first_use=True,
)
log = structlog.get_logger()


class RequestLog:
    """One line a request, with its id in the context of every line within it."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http" or scope["path"] == "/metrics":
            await self.app(scope, receive, send)
            return
        start = time.perf_counter()
        status = 500
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=str(uuid.uuid4()), ip=scope["client"][0])

        async def send_and_see(message):
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, send_and_see)
        finally:
            log.info(
                "request completed",
                method=scope["method"],
                route=scope["path"],
                http_status=status,
                duration_ms=round((time.perf_counter() - start) * 1000, 3),
            )


provider = TracerProvider(resource=Resource.create({"service.version": "1.0.0"}))
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)

app = FastAPI()
app.add_middleware(RequestLog)
Instrumentator(excluded_handlers=["/metrics"]).instrument(app).expose(app)
FastAPIInstrumentor.instrument_app(app, excluded_urls="/metrics,/health.*", exclude_spans=["receive", "send"])


@app.get("/hello")
async def hello():
    return {"hello": "world", "items": [1, 2, 3]}


class Server(uvicorn.Server):
    """Tells the bench its port over the channel that Node.js opens to its children, and ends when that says so."""

    def __init__(self, config, port):
        super().__init__(config)
        self.port = port
        self.channel = int(os.environ.pop("NODE_CHANNEL_FD"))
        os.set_blocking(self.channel, True)

    async def startup(self, sockets=None):
        await super().startup(sockets=sockets)
        os.write(self.channel, orjson.dumps({"port": self.port}) + b"\n")
        threading.Thread(target=self.listen_to_bench, daemon=True).start()

    def listen_to_bench(self):
        if os.read(self.channel, 4096) == b"":
            os._exit(1)
        self.should_exit = True

    def install_signal_handlers(self):
        pass


def main():
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", 0))
    config = uvicorn.Config(app, loop="uvloop", http="httptools", access_log=False, log_level="warning")
    server = Server(config, listener.getsockname()[1])
    server.run(sockets=[listener])
    provider.shutdown()


main()
