"""Settings that every service has; each is read from the environment under its upper-case name."""

import os
import re
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, FilePath, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

GIB = 1024**3
_SECRET_NAME = re.compile(r"password|secret|token|api_key", re.IGNORECASE)
_MASK = "***"


class ServiceSettings(BaseSettings):
    """How one service runs. Services subclass this and add their own fields.

    Values come from keyword arguments first, then from the environment (``service_port`` is read
    from ``SERVICE_PORT``), then from the defaults below. An unknown keyword is refused.
    """

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", env_ignore_empty=True, use_attribute_docstrings=True
    )

    service_host: str = "127.0.0.1"
    """Address to listen on; unset: loopback, so nothing is reachable from other machines."""

    service_port: int = Field(default=0, ge=0, le=65535)
    """TCP port to listen on; 0: any free port, told in the log line ``ready``."""

    grpc_max_workers: int = Field(default=10, ge=1)
    """Threads that answer unary calls, so the number of them that run at once."""

    grpc_max_pending: int = Field(default=64, ge=0)
    """Unary calls that may wait for a worker; one more is answered RESOURCE_EXHAUSTED at once."""

    grpc_max_streams: int = Field(default=64, ge=1)
    """Streams open at once, on threads of their own; one more is answered RESOURCE_EXHAUSTED."""

    grpc_max_calls_per_caller: int | None = Field(default=None, ge=1)
    """Calls of one caller that run at once in a replica; one more is answered RESOURCE_EXHAUSTED;
    unset: any number."""

    grpc_max_msg_size: int = Field(default=GIB, ge=1, le=2**31 - 1)
    """Largest message in and out, in bytes; unset: 1 GiB."""

    redis_url: str = "redis://127.0.0.1:6379/0"
    """Where sessions and runs are kept, as ``redis://user:password@host:6379/0``; ``rediss://`` for
    TLS. The password is never printed."""

    redis_ca_path: FilePath | None = None
    """PEM file of the authorities that Redis' certificate may come from; unset: the system's."""

    session_ttl_s: float = Field(default=3600.0, gt=0)
    """Seconds without a call after which a session is forgotten."""

    artifact_dir: Path = Path("run/artifacts")
    """Folder of weights and checkpoints, shared by all services; below the working directory."""

    cuvis_configs_dir: Path = Path("configs")
    """Root of the configuration groups that ship with the product: always the last search path."""

    data_dir: Path = Path("data")
    """Where relative data paths are looked up after the working directory."""

    output_dir: Path = Path("outputs")
    """Below which relative paths are written; nothing is written outside it."""

    read_roots: Annotated[tuple[Path, ...], NoDecode] = ()
    """More folders that clients may read from, parted by comma or the system's path separator."""

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """Lowest level that is logged."""

    log_format: Literal["console", "json"] = "console"
    """``console``: one readable line each; ``json``: one object each, for collectors."""

    log_color: bool | None = None
    """Colours in console lines; unset: only when the log goes to a terminal."""

    otel_exporter_otlp_endpoint: str | None = None
    """OTLP gRPC endpoint for spans, as ``http://host:4317``; unset: spans are not sent."""

    metrics_port: int | None = Field(default=None, ge=0, le=65535)
    """Port for Prometheus on ``service_host``; 0: any free port; unset: metrics are not served."""

    health_interval_s: float = Field(default=0.5, gt=0)
    """Seconds between two rounds of asking every dependency whether it answers."""

    memory_return_s: float = Field(default=30.0, gt=0)
    """Seconds for which memory must have lain unused before it is returned to the system."""

    drain_s: float = Field(default=0.0, ge=0)
    """Seconds between NOT_SERVING and refusing calls, so that a gateway looks elsewhere first."""

    stop_grace_s: float = Field(default=10.0, ge=0)
    """Seconds that running calls get to end once new ones are refused."""

    @field_validator("read_roots", mode="before")
    @classmethod
    def _split_paths(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part for part in re.split(f"[,{os.pathsep}]", value) if part.strip())
        return value

    @field_validator("log_level", mode="before")
    @classmethod
    def _upper_level(cls, value: object) -> object:
        return value.upper() if isinstance(value, str) else value

    @model_validator(mode="after")
    def _require_tls_for_an_authority(self) -> Self:
        if self.redis_ca_path is not None and not self.redis_url.startswith("rediss://"):
            raise ValueError(
                "REDIS_CA_PATH is for TLS, but REDIS_URL does not begin with rediss://"
            )
        return self

    def printable(self) -> dict[str, str]:
        """All settings as text, secrets masked: what a service logs when it starts."""
        return {
            name: _MASK if value and _SECRET_NAME.search(name) else _without_password(str(value))
            for name, value in self.model_dump(mode="json").items()
        }


def _without_password(text: str) -> str:
    text = re.sub(r"(://[^/:@]*:)[^/]*@", rf"\g<1>{_MASK}@", text)
    return re.sub(r"([?&]password=)[^&]*", rf"\g<1>{_MASK}", text)
