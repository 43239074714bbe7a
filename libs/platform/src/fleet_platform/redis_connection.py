"""Connections to Redis; no other module opens any."""

import re
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import redis
from opentelemetry import trace
from redis.backoff import ExponentialWithJitterBackoff
from redis.retry import Retry

from fleet_platform.errors import DependencyDown, Exhausted
from fleet_platform.telemetry import MetricRegistry, attributes, exemplar, tracer
from fleet_platform.telemetry.catalogue import metrics, spans

CONNECT_TIMEOUT_S = 1.0
READ_TIMEOUT_S = 2.0
PING_TIMEOUT_S = 0.4
MAX_CONNECTIONS = 256
IDLE_CHECK_S = 30
"""A connection that was idle for longer than this is checked before it is used."""

_KEYS_PER_SCAN = 1000
_PROTOCOL = 2  # saves a round trip per connection; no feature of version 3 is used
# Error replies that mean "not now" rather than "wrong command". The whole text is searched, because
# older servers put the code in the middle of the text if the error occurs inside a script.
_NOT_NOW = re.compile(r"\b(BUSY|LOADING|MASTERDOWN|MISCONF|NOREPLICAS|READONLY)\b")
_FULL = re.compile(r"\bOOM\b")
_tracer = tracer(spans.REDIS.scope)


class RedisConnection:
    """Clients for one Redis server; they connect on the first command.

    Attributes:
        client: For commands; each is timed, and gets its own span if it runs inside a span.
        waiting: For blocking reads, which would otherwise occupy the connections of `client`. A
            single read must block for less than `READ_TIMEOUT_S`. It has no spans and no metrics.
    """

    def __init__(
        self, url: str, ca_path: Path | None = None, registry: MetricRegistry | None = None
    ) -> None:
        """Create the clients.

        Args:
            url: ``redis://user:password@host:port/number``, or ``rediss://`` for TLS.
            ca_path: PEM file of the certificate authorities to trust; None: the system's.
            registry: Receives the metrics of commands.
        """
        # A refused or broken connection is retried for about half a second, so that a restart of
        # the server is hardly noticed. A timeout is not: the caller has waited long enough.
        backoff = ExponentialWithJitterBackoff(base=0.05, cap=0.4)
        long_retry = Retry(backoff, 4, (redis.ConnectionError,))
        # A single broken connection does not mean that the server is down.
        short_retry = Retry(backoff, 2, (redis.ConnectionError,))
        pool = partial(_pool, url, ca_path)
        self.client: redis.Redis = _ObservedRedis(
            registry or MetricRegistry(), connection_pool=pool(READ_TIMEOUT_S, long_retry)
        )
        self.waiting = redis.Redis(connection_pool=pool(READ_TIMEOUT_S, long_retry))
        self._probe = redis.Redis(connection_pool=pool(PING_TIMEOUT_S, short_retry))

    def ping(self) -> None:
        """Return if the server answers within a second; raise `DependencyDown` otherwise."""
        with redis_answers():
            self._probe.ping()

    def close(self) -> None:
        """Close all connections."""
        for client in (self.client, self.waiting, self._probe):
            client.connection_pool.disconnect()


@contextmanager
def redis_answers() -> Iterator[None]:
    """Convert the driver's errors to `AppError`, except those that only a defect can cause."""
    try:
        yield
    except (redis.ConnectionError, redis.TimeoutError) as error:
        raise _no_answer() from error
    except redis.ResponseError as error:
        if isinstance(error, redis.OutOfMemoryError) or _FULL.search(str(error)):
            raise Exhausted("The session store is full; try again later.") from error
        if isinstance(error, redis.ReadOnlyError) or _NOT_NOW.search(str(error)):
            raise _no_answer() from error
        raise


def keys_like(client: redis.Redis, pattern: str) -> Iterator[str]:
    """Yield all keys that match a pattern, possibly without those added or deleted in the meantime.

    Raises:
        DependencyDown: the server does not answer.
    """
    cursor = 0
    while True:
        with redis_answers():
            keys: Any
            cursor, keys = client.scan(cursor, match=pattern, count=_KEYS_PER_SCAN)
        yield from (key.decode() for key in keys)
        if cursor == 0:
            return


def _no_answer() -> DependencyDown:
    return DependencyDown("The session store does not answer; try again in a moment.")


def _pool(
    url: str, ca_path: Path | None, timeout_s: float, retry: Retry
) -> redis.BlockingConnectionPool:
    # Without TLS the driver does not accept the argument.
    tls = {} if ca_path is None else {"ssl_ca_certs": str(ca_path)}
    return redis.BlockingConnectionPool.from_url(
        url,
        max_connections=MAX_CONNECTIONS,
        timeout=timeout_s,
        socket_timeout=timeout_s,
        socket_connect_timeout=min(timeout_s, CONNECT_TIMEOUT_S),
        health_check_interval=IDLE_CHECK_S,
        retry=retry,
        protocol=_PROTOCOL,
        # Sending the driver's name takes two commands per connection, each of which may fail.
        driver_info=None,
        **tls,
    )


class _ObservedRedis(redis.Redis):
    """A client that records metrics of its commands, and spans as part of the current trace.

    OpenTelemetry's instrumentation would also start a trace for each command outside any span.
    """

    def __init__(self, registry: MetricRegistry, **options: Any) -> None:
        super().__init__(**options)
        self._seconds = registry.histogram(metrics.REDIS_SECONDS)
        self._errors = registry.counter(metrics.REDIS_ERRORS)

    def execute_command(self, *args: Any, **options: Any) -> Any:
        name = str(args[0])
        started_s = time.perf_counter()
        try:
            with _span(name):
                return super().execute_command(*args, **options)  # type: ignore[no-untyped-call]
        except redis.exceptions.NoScriptError:
            raise  # the driver sends the script and then repeats the command
        except redis.RedisError:
            self._errors.inc()
            raise
        finally:
            self._seconds.labels(name).observe(time.perf_counter() - started_s, exemplar())


def _span(command: str) -> AbstractContextManager[object]:
    if not trace.get_current_span().is_recording():
        return nullcontext()
    return _tracer.start_as_current_span(
        command,
        kind=trace.SpanKind.CLIENT,
        attributes={attributes.DB_SYSTEM: "redis", attributes.DB_OPERATION: command},
    )
