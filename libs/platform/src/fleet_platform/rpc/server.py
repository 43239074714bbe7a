"""The gRPC server of a service."""

import socket
import time
from concurrent.futures import ThreadPoolExecutor

import grpc
from grpc_reflection.v1alpha import reflection_pb2_grpc

from fleet_platform.rpc.health_servicer import DrainingHealthServicer
from fleet_platform.rpc.interceptors import Admission, Chain
from fleet_platform.rpc.interceptors.access_log import AccessLog
from fleet_platform.rpc.interceptors.concurrency_limit import PerCallerConcurrencyLimit
from fleet_platform.rpc.method_table import method_table
from fleet_platform.rpc.reflection import reflection_servicer
from fleet_platform.rpc.service import Service
from fleet_platform.rpc.workers import WorkerPool
from fleet_platform.settings import ServiceSettings
from fleet_platform.telemetry import MetricRegistry
from fleet_platform.telemetry.catalogue import metrics

_CONTROL_WORKERS = 4
_SETTLE_S = 0.2


class PortTaken(Exception):
    """The server cannot listen on the address; the text names the address and the remedy."""


class Server:
    """A gRPC server with three thread pools, so that no kind of call can starve another.

    - unary calls: ``grpc_max_workers`` threads and ``grpc_max_pending`` waiting calls;
    - streams: ``grpc_max_streams`` threads, because an open stream holds one;
    - health, reflection and rejections: a few threads that nothing else uses.
    """

    def __init__(
        self, service: Service, settings: ServiceSettings, health: DrainingHealthServicer
    ) -> None:
        """Create the server without binding its port.

        Raises:
            ValueError: the service's methods do not match the wire contract.
        """
        unary_pool = WorkerPool("call", settings.grpc_max_workers, settings.grpc_max_pending)
        stream_pool = WorkerPool("stream", settings.grpc_max_streams, pending=0)
        control_pool = ThreadPoolExecutor(_CONTROL_WORKERS, thread_name_prefix="control")
        self._pools = (unary_pool, stream_pool, control_pool)
        access_log = AccessLog(service.registry)
        _watch_pools(service.registry, call=unary_pool, stream=stream_pool)
        self._grpc = grpc.server(
            control_pool,
            handlers=[
                *service.generic_handlers,
                method_table(service, unary_pool, stream_pool),
                health.handler(),
            ],
            interceptors=[
                Chain(access_log, PerCallerConcurrencyLimit(settings.grpc_max_calls_per_caller)),
                Admission(),
            ],
            options=_options(settings.grpc_max_msg_size),
        )
        reflection_pb2_grpc.add_ServerReflectionServicer_to_server(
            reflection_servicer(), self._grpc
        )

    @property
    def busy(self) -> int:
        """Number of calls of the service that are running or waiting."""
        unary_pool, stream_pool, _ = self._pools
        return unary_pool.held + stream_pool.held

    def start(self, host: str, port: int) -> int:
        """Start listening and serving calls.

        Returns:
            The port, which differs from `port` if that is 0.

        Raises:
            PortTaken: another process uses the port, or the host is not an address of this machine.
        """
        try:
            # Checked first because gRPC's own failure gives no reason and logs an additional line.
            socket.create_server((host, port), family=_family(host)).close()
            bound = self._grpc.add_insecure_port(host_port(host, port))
        except (OSError, RuntimeError) as error:
            text = error.strerror if isinstance(error, OSError) else None
            reason = (text or "Address already in use").partition(" (")[0]
            raise PortTaken(
                f"Cannot listen on {host_port(host, port)}: {reason}. Stop the other process or "
                "set SERVICE_HOST and SERVICE_PORT (0: any free port)."
            ) from None
        self._grpc.start()
        return bound

    def stop(self, grace_s: float) -> None:
        """Reject new calls, wait up to `grace_s` seconds for running ones, and cancel the rest."""
        self._grpc.stop(grace_s).wait()
        # A call ends shortly before its thread becomes free.
        settled_s = time.monotonic() + _SETTLE_S
        while self.busy and time.monotonic() < settled_s:
            time.sleep(0.005)
        for pool in self._pools:
            pool.shutdown(wait=False)


def _watch_pools(registry: MetricRegistry, **pools: WorkerPool) -> None:
    registry.watch(
        metrics.RPC_WAITING, lambda: [({}, sum(pool.waiting for pool in pools.values()))]
    )
    registry.watch(
        metrics.RPC_WORKERS, lambda: [({"pool": name}, pools[name].workers) for name in pools]
    )
    registry.watch(
        metrics.RPC_WORKERS_BUSY, lambda: [({"pool": name}, pools[name].busy) for name in pools]
    )


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def host_port(host: str, port: int) -> str:
    """Return the address in gRPC's form, with an IPv6 host in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _options(max_msg_size: int) -> list[tuple[str, int]]:
    return [
        ("grpc.max_send_message_length", max_msg_size),
        ("grpc.max_receive_message_length", max_msg_size),
        # Two servers on one port would each get a random share of its calls.
        ("grpc.so_reuseport", 0),
        # A peer that disappeared without closing its connection is noticed within 40 s.
        ("grpc.keepalive_time_ms", 30_000),
        ("grpc.keepalive_timeout_ms", 10_000),
        # Clients and gateways may ping every few seconds, even while no call is open.
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.min_ping_interval_without_data_ms", 5_000),
    ]
