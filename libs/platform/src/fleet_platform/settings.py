"""Settings that all services share, each read from the variable with its upper-case name."""

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
    """The settings of one service. Services subclass this and add their own fields.

    Keyword arguments take precedence over the environment (``service_port`` is read from
    ``SERVICE_PORT``), which takes precedence over the defaults. Unknown keywords are rejected.
    """

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", env_ignore_empty=True, use_attribute_docstrings=True
    )

    service_host: str = "127.0.0.1"
    """Address to listen on; default: loopback, which other machines cannot reach."""

    service_port: int = Field(default=0, ge=0, le=65535)
    """TCP port to listen on; 0 picks a free port, reported in the ``ready`` log line."""

    grpc_max_workers: int = Field(default=10, ge=1)
    """Threads for unary calls: the number of calls that run at once."""

    grpc_max_pending: int = Field(default=64, ge=0)
    """Unary calls that may wait for a thread; any further call fails with RESOURCE_EXHAUSTED."""

    grpc_max_streams: int = Field(default=64, ge=1)
    """Streams open at once, one thread each; any further stream fails with RESOURCE_EXHAUSTED."""

    grpc_max_calls_per_caller: int | None = Field(default=None, ge=1)
    """Calls from one caller that run at once in a replica; any further call fails with
    RESOURCE_EXHAUSTED; unset: no limit."""

    grpc_max_msg_size: int = Field(default=GIB, ge=1, le=2**31 - 1)
    """Largest message received or sent, in bytes; default: 1 GiB."""

    redis_url: str = "redis://127.0.0.1:6379/0"
    """Redis server for sessions and runs, such as ``redis://user:password@host:6379/0``;
    ``rediss://`` for TLS. The password is never printed."""

    redis_ca_path: FilePath | None = None
    """PEM file of the certificate authorities trusted for Redis's certificate; unset: those of the
    system."""

    session_ttl_s: float = Field(default=3600.0, gt=0)
    """Idle seconds after which a session expires."""

    artifact_dir: Path = Path("run/artifacts")
    """Folder for weights and checkpoints, shared by all services; relative to the working
    directory."""

    cuvis_configs_dir: Path = Path("configs")
    """Root of the configuration groups that ship with the product; the last search path."""

    data_dir: Path = Path("data")
    """Folder in which relative data paths are looked up, after the working directory."""

    output_dir: Path = Path("outputs")
    """Folder for files that clients write; nothing is written outside it."""

    read_roots: Annotated[tuple[Path, ...], NoDecode] = ()
    """Comma- or ``os.pathsep``-separated additional folders that clients may read from."""

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """Minimum level of log lines."""

    log_format: Literal["console", "json"] = "console"
    """``console``: readable lines; ``json``: one object per line, for log collectors."""

    log_color: bool | None = None
    """Colours in console lines; unset: only if the log goes to a terminal."""

    otel_exporter_otlp_endpoint: str | None = None
    """OTLP gRPC endpoint for spans, such as ``http://host:4317``; unset: spans are not exported."""

    metrics_port: int | None = Field(default=None, ge=0, le=65535)
    """Port of the Prometheus endpoint on ``service_host``; 0 picks a free port; unset: no
    endpoint."""

    health_interval_s: float = Field(default=0.5, gt=0)
    """Seconds between two health checks of the dependencies."""

    memory_return_s: float = Field(default=30.0, gt=0)
    """Seconds for which freed memory must stay unused before it is returned to the operating
    system."""

    drain_s: float = Field(default=0.0, ge=0)
    """Seconds between NOT_SERVING and rejecting calls, so that gateways can choose other
    replicas."""

    stop_grace_s: float = Field(default=10.0, ge=0)
    """Seconds that running calls have to finish once new calls are rejected."""

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
                "REDIS_CA_PATH requires TLS, but REDIS_URL does not start with rediss://"
            )
        return self

    def printable(self) -> dict[str, str]:
        """Return all settings as text with secrets masked, for the log at start-up."""
        return {
            name: _MASK if value and _SECRET_NAME.search(name) else _without_password(str(value))
            for name, value in self.model_dump(mode="json").items()
        }


def _without_password(text: str) -> str:
    text = re.sub(r"(://[^/:@]*:)[^/]*@", rf"\g<1>{_MASK}@", text)
    return re.sub(r"([?&]password=)[^&]*", rf"\g<1>{_MASK}", text)
