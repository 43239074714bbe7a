"""Settings of the local stack."""

import os
from pathlib import Path

from pydantic import Field, FilePath

from fleet_gateway import SecuritySettings


class StackSettings(SecuritySettings):
    """What ``make up`` starts and where it keeps its files; each field is an environment variable.

    Every other variable of the environment reaches the parts as it is, so a service's own settings
    (``LOG_LEVEL``, ``SESSION_TTL_S``, ...) work here too.
    """

    grpc_port: int = Field(default=50051, ge=1, le=65535)
    """Public port of the gateway."""

    gateway_host: str = "127.0.0.1"
    """Address the public port is bound to; ``0.0.0.0`` opens it to other hosts."""

    redis_url: str | None = None
    """Redis to use; unset: the stack starts one of its own under the run folder."""

    redis_ca_path: FilePath | None = None
    """PEM file of the authorities that Redis' certificate may come from; unset: the system's."""

    inference: int = Field(default=1, ge=1, le=32)
    """Inference replicas behind the gateway."""

    trainer: int = Field(default=1, ge=1, le=32)
    """Trainer replicas behind the gateway."""

    run_dir: Path = Path("run")
    """Redis' files, artifacts, the rendered gateway configuration and ``parts.json``."""

    artifact_dir: Path | None = None
    """Volume for weights; unset: ``artifacts`` below the run folder."""

    data_dir: Path = Path("data")
    """Folder that measurements are read from."""

    output_dir: Path = Path("outputs")
    """Folder that pipelines and trainruns are saved to."""

    cuvis_configs_dir: Path = Path("configs")
    """The Hydra config groups that ship with the product."""

    otel_exporter_otlp_endpoint: str | None = None
    """OTLP collector (gRPC); unset: no traces are sent."""

    metrics: bool = False
    """Whether each part tells Prometheus its metrics, at a free port that ``parts.json`` names."""


def inherited_environment() -> dict[str, str]:
    """The environment that every part starts from."""
    return dict(os.environ)
