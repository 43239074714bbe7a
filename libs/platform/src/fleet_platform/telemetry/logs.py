"""Log lines: one format for the fleet and its libraries, with the ids of the current span."""

import logging
import sys
from functools import partial
from typing import Any

import structlog
from opentelemetry import trace
from structlog.typing import EventDict, FilteringBoundLogger, Processor, WrappedLogger

from fleet_platform.settings import ServiceSettings


def logger(name: str) -> FilteringBoundLogger:
    """Return a logger named after a package, such as ``fleet.trainer``, even before the set-up."""
    log: FilteringBoundLogger = structlog.get_logger(logger_name=name)
    return log


def configure_logs(service_name: str, settings: ServiceSettings) -> None:
    """Write all log lines to standard error, in the format that the settings select."""
    level = logging.getLevelNamesMapping()[settings.log_level]
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        _name_logger,
        _add_span_ids,
    ]
    finish: list[Processor]
    if settings.log_format == "json":
        add_service = partial(_add_service, service_name)
        shared += [add_service, structlog.processors.TimeStamper(fmt="iso", utc=True)]
        finish = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    else:
        shared.append(structlog.processors.TimeStamper(fmt="%H:%M:%S.%f", utc=False))
        color = settings.log_color
        renderer = structlog.dev.ConsoleRenderer(
            pad_event_to=0,
            colors=sys.stderr.isatty() if color is None else color,
            exception_formatter=structlog.dev.plain_traceback,
        )
        finish = [renderer]
    structlog.configure(
        processors=[*shared, *finish],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=_stderr_logger,
    )
    _route_libraries(level, shared, finish)


def _route_libraries(level: int, shared: list[Processor], finish: list[Processor]) -> None:
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *finish],
    )
    handler = _CurrentStderr()
    handler.setFormatter(formatter)
    root = logging.getLogger()
    for old in [handler for handler in root.handlers if isinstance(handler, _CurrentStderr)]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level)
    logging.captureWarnings(True)


def _add_service(
    service_name: str, _log: WrappedLogger, _method: str, event: EventDict
) -> EventDict:
    event["service"] = service_name
    return event


def _name_logger(_log: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    # structlog reserves the key "logger" when a logger is created.
    if "logger_name" in event:
        event["logger"] = event.pop("logger_name")
    return event


def _add_span_ids(_log: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        event["trace_id"] = trace.format_trace_id(context.trace_id)
        event["span_id"] = trace.format_span_id(context.span_id)
    return event


class _CurrentStderr(logging.Handler):
    """Writes to the current ``sys.stderr``, which may be replaced after the set-up."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            sys.stderr.write(self.format(record) + "\n")
        except Exception:  # the contract of logging: a log line never raises
            self.handleError(record)


def _stderr_logger(*_args: Any) -> WrappedLogger:
    return structlog.WriteLogger(sys.stderr)
