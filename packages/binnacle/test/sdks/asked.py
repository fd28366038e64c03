"""A service on OpenTelemetry's public SDK for Python, with all three signals, which sends where its environment says.

It answers one request, sends what it has, and ends.
"""

import logging
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

from opentelemetry import metrics, propagate, trace
from opentelemetry._logs import set_logger_provider
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation, View
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

HOSTILE = sys.argv[1]

tracers = TracerProvider()
tracers.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(tracers)
meters = MeterProvider(
    metric_readers=[PeriodicExportingMetricReader(OTLPMetricExporter())],
    views=[View(instrument_name="stock.wait", aggregation=ExponentialBucketHistogramAggregation())],
)
metrics.set_meter_provider(meters)
loggers = LoggerProvider()
loggers.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter()))
set_logger_provider(loggers)
logging.getLogger().addHandler(LoggingHandler(level=logging.INFO, logger_provider=loggers))

tracer = trace.get_tracer("stock")
meter = metrics.get_meter("stock")
looked = meter.create_counter("stock.looked", unit="{look}", description="Looks at the stock.")
took = meter.create_histogram("stock.duration", unit="s")
waited = meter.create_histogram("stock.wait", unit="s")


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        parent = propagate.extract(dict(self.headers.items()))
        with tracer.start_as_current_span("GET /stock", context=parent, kind=trace.SpanKind.SERVER) as span:
            span.set_attribute("stock.item", HOSTILE)
            span.set_attribute("stock.shelves", [1, 2, 3])
            looked.add(2, {"item": "tea"})
            took.record(0.2, {"item": "tea"})
            waited.record(0.75, {"item": "tea"})
            try:
                raise ValueError(HOSTILE)
            except ValueError as error:
                span.record_exception(error)
                logging.getLogger("stock").exception("only %d left: %s", 3, HOSTILE)
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_arguments):
        pass


server = HTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.handle_request()
server.server_close()
for provider in (tracers, meters, loggers):
    provider.shutdown()
