"""Settings of the local stack."""

import os
from pathlib import Path

from pydantic import Field, FilePath

from fleet_gateway import SecuritySettings


class StackSettings(SecuritySettings):
    """Settings of ``make up``; each field is an environment variable.

    All other environment variables are passed to the parts, so the services' own settings
    (``LOG_LEVEL``, ``SESSION_TTL_S``, ...) work here, too.
    """

    grpc_port: int = Field(default=50051, ge=1, le=65535)
    """Public port of the gateway."""

    gateway_host: str = "127.0.0.1"
    """Address to which the public port is bound; ``0.0.0.0`` opens it to other hosts."""

    redis_url: str | None = None
    """Redis to use; unset: the stack starts its own, with its files in the run folder."""

    redis_ca_path: FilePath | None = None
    """PEM file of the certificate authorities trusted for Redis's certificate; unset: those of the
    system."""

    inference: int = Field(default=1, ge=1, le=32)
    """Inference replicas behind the gateway."""

    trainer: int = Field(default=1, ge=1, le=32)
    """Trainer replicas behind the gateway."""

    run_dir: Path = Path("run")
    """Folder for Redis's files, artifacts, the gateway's configuration and ``parts.json``."""

    artifact_dir: Path | None = None
    """Folder for artifacts; unset: ``artifacts`` in the run folder."""

    data_dir: Path = Path("data")
    """Folder from which measurements are read."""

    output_dir: Path = Path("outputs")
    """Folder to which pipelines and trainruns are saved."""

    cuvis_configs_dir: Path = Path("configs")
    """The Hydra config groups that ship with the product."""

    otel_exporter_otlp_endpoint: str | None = None
    """OTLP collector (gRPC); unset: no traces are sent."""

    metrics: bool = False
    """Whether each component exports Prometheus metrics, on a free port, recorded in
    ``parts.json``."""


def inherited_environment() -> dict[str, str]:
    """Return the environment that all parts inherit."""
    return dict(os.environ)
