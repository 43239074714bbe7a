"""Settings of the gateway."""

from pathlib import Path

from pydantic import Field

from fleet_gateway.security_settings import SecuritySettings


class GatewaySettings(SecuritySettings):
    """Addresses of the gateway and of the services behind it.

    An endpoint is ``host:port``; each endpoint of a service is one replica.
    """

    grpc_port: int = Field(default=50051, ge=1, le=65535)
    """Public port for clients."""

    gateway_host: str = "127.0.0.1"
    """Address to which the public port is bound."""

    admin_port: int = Field(default=9901, ge=1, le=65535)
    """Envoy's admin port, bound to loopback only."""

    metrics_port: int | None = Field(default=None, ge=1, le=65535)
    """Port on `gateway_host` for Prometheus; unset: metrics are on the admin port only."""

    stop_grace_s: float = Field(default=10.0, ge=0)
    """Seconds that running calls have to finish when the gateway stops (in containers)."""

    session_endpoints: tuple[str, ...]
    """Replicas of the session service."""

    config_endpoints: tuple[str, ...]
    """Replicas of the config service."""

    trainer_endpoints: tuple[str, ...]
    """Replicas of the trainer service."""

    inference_endpoints: tuple[str, ...]
    """Replicas of the inference service."""

    otel_exporter_otlp_endpoint: str | None = None
    """OTLP collector (gRPC), for example ``http://127.0.0.1:4317``; unset: no traces are sent."""

    access_log: Path = Path("/dev/stderr")
    """Log file for calls that the gateway itself answered or aborted."""
