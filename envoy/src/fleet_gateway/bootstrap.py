"""Renders the Envoy bootstrap: fixed parts from `bootstrap.yaml`, the rest from the settings."""

import copy
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from fleet_gateway.authentication import (
    authentication_filters,
    header_mutations,
    without_authentication,
)
from fleet_gateway.metrics import admin_cluster, metrics_routes
from fleet_gateway.rate_limit import rate_limit_filters
from fleet_gateway.routes import retry_mode_of, route_table
from fleet_gateway.settings import GatewaySettings
from fleet_gateway.tls import transport_socket

# A call can be retried only if its whole body is buffered here; clients retry larger uploads
# themselves. The same limit applies to buffered responses.
_RETRY_BUFFER_BYTES = 64 * 1024 * 1024
_HEALTH_PREFIX = "/grpc.health.v1.Health/"
_REFLECTION_PREFIX = "/grpc.reflection."
_WHOLE_GATEWAY_HEADER = "x-fleet-health"
_ONE_SERVICE_HEADER = "x-fleet-service"
_COLLECTOR = "otel_collector"
_NOT_HEALTH = {
    "header_filter": {
        "header": {
            "name": ":path",
            "string_match": {"prefix": _HEALTH_PREFIX},
            "invert_match": True,
        }
    }
}
# Health probes are frequent and never part of a client's trace.
_UNTRACED = {
    share: {"numerator": 0} for share in ("client_sampling", "random_sampling", "overall_sampling")
}
_HTTP_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"

Json = dict[str, Any]


def render_bootstrap(settings: GatewaySettings, folder: Path) -> Json:
    """Return Envoy's configuration as plain data, to be written as JSON.

    Args:
        settings: settings of the gateway.
        folder: absolute path of the folder with the files that it names; see `gateway_files`.
    """
    fixed: Json = yaml.safe_load(
        resources.files("fleet_gateway").joinpath("bootstrap.yaml").read_text(encoding="utf-8")
    )
    endpoints = {
        "session": settings.session_endpoints,
        "config": settings.config_endpoints,
        "trainer": settings.trainer_endpoints,
        "inference": settings.inference_endpoints,
    }
    clusters = [_cluster(fixed, name, hosts, checked=True) for name, hosts in endpoints.items()]
    # Health requests must be answered even while the session service is unhealthy.
    clusters.append(_cluster(fixed, "session_unchecked", settings.session_endpoints, checked=False))
    public = _connection_manager(fixed, "public", _routes(settings, folder, fixed["retry_policy"]))
    public["early_header_mutation_extensions"] = header_mutations(settings)
    public["http_filters"][-1:-1] = [
        *authentication_filters(settings, folder),
        *rate_limit_filters(settings),
    ]
    public["access_log"] = [_access_log(str(settings.access_log))]
    if settings.otel_exporter_otlp_endpoint:
        clusters.append(_collector(settings.otel_exporter_otlp_endpoint))
        public["tracing"] = _tracing()
    listeners = [_listener(fixed, "public", (settings.gateway_host, settings.grpc_port), public)]
    socket = transport_socket(settings, folder)
    if socket is not None:
        listeners[0]["filter_chains"][0]["transport_socket"] = socket
    if settings.health_port is not None:
        health = _connection_manager(fixed, "health", _health_routes())
        address = (settings.gateway_host, settings.health_port)
        listeners.append(_listener(fixed, "health", address, health))
    if settings.metrics_port is not None:
        clusters.append(admin_cluster(_address("127.0.0.1", settings.admin_port)))
        manager = _connection_manager(fixed, "metrics", metrics_routes())
        address = (settings.gateway_host, settings.metrics_port)
        listeners.append(_listener(fixed, "metrics", address, manager))
    return {
        # Envoy requires a node before it reads other configuration files.
        "node": {"id": "gateway", "cluster": "cuvis-fleet"},
        "admin": {"address": _address("127.0.0.1", settings.admin_port)},
        "overload_manager": fixed["overload_manager"],
        "static_resources": {"listeners": listeners, "clusters": clusters},
    }


def _listener(fixed: Json, name: str, address: tuple[str, int], manager: Json) -> Json:
    http = {"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}
    return {
        **fixed["listener"],
        "name": name,
        "address": _address(*address),
        "filter_chains": [{"filters": [http]}],
    }


def _connection_manager(fixed: Json, name: str, routes: list[Json]) -> Json:
    hosts = [{"name": "all", "domains": ["*"], "routes": routes}]
    return {
        **copy.deepcopy(fixed["http_connection_manager"]),
        "stat_prefix": name,
        "route_config": {"name": name, "virtual_hosts": hosts},
    }


def _routes(settings: GatewaySettings, folder: Path, retry: Json) -> list[Json]:
    routes: list[Json] = []
    for path, service in route_table().items():
        action = _action(service)
        retry_mode = retry_mode_of(path.rsplit("/", 1)[1])
        action["retry_policy"] = {**retry["common"], **retry[retry_mode.value]}
        route: Json = {
            "match": {"path": path},
            "route": action,
            "request_body_buffer_limit": _RETRY_BUFFER_BYTES,
            "decorator": {"operation": path[1:], "propagate": False},  # the span's name
        }
        routes.append(route)
    # Monitoring has no key.
    unauthenticated = without_authentication(settings, folder)
    routes += [
        {**route, "typed_per_filter_config": unauthenticated, "tracing": _UNTRACED}
        for route in _health_routes()
    ]
    reflection = {"match": {"prefix": _REFLECTION_PREFIX}, "route": _action("session_unchecked")}
    routes.append({**reflection, "tracing": _UNTRACED})
    return routes


def _health_routes() -> list[Json]:
    routes: list[Json] = []
    for service in ("session", "config", "trainer", "inference"):
        exact = {"name": _ONE_SERVICE_HEADER, "string_match": {"exact": service}}
        routes.append(
            {
                "match": {"prefix": _HEALTH_PREFIX, "headers": [exact]},
                "route": _action(service),
                "request_headers_to_remove": [_WHOLE_GATEWAY_HEADER],
            }
        )
    routes.append(
        {
            "match": {"prefix": _HEALTH_PREFIX},
            "route": _action("session_unchecked"),
            "request_headers_to_add": [
                {
                    "header": {"key": _WHOLE_GATEWAY_HEADER, "value": "gateway"},
                    "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
                }
            ],
        }
    )
    return routes


def _action(cluster: str) -> Json:
    """Return a route action without a timeout other than the client's deadline (default: 15 s)."""
    return {
        "cluster": cluster,
        "timeout": "0s",
        "max_stream_duration": {"grpc_timeout_header_max": "0s"},
    }


def _cluster(fixed: Json, name: str, endpoints: tuple[str, ...], *, checked: bool) -> Json:
    cluster: Json = copy.deepcopy(fixed["cluster"])
    if not checked:
        del cluster["outlier_detection"]
    cluster |= {
        "name": name,
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [
                {
                    "lb_endpoints": [
                        {"endpoint": {"address": _address(*_split(endpoint))}}
                        for endpoint in endpoints
                    ]
                }
            ],
        },
    }
    if all(_is_ipv4(endpoint) for endpoint in endpoints):
        cluster["type"] = "STATIC"
    else:
        cluster |= copy.deepcopy(fixed["replicas_by_name"])
    if checked:
        cluster["health_checks"] = [fixed["health_check"]]
    return cluster


def _tracing() -> Json:
    everything = {"value": 100}  # the collector samples
    return {
        "random_sampling": everything,
        "overall_sampling": everything,
        "spawn_upstream_span": True,
        "provider": {
            "name": "envoy.tracers.opentelemetry",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.config.trace.v3.OpenTelemetryConfig",
                "grpc_service": {
                    "envoy_grpc": {"cluster_name": _COLLECTOR},
                    "timeout": "0.5s",
                },
                "service_name": "gateway",
            },
        },
    }


def _collector(endpoint: str) -> Json:
    parts = urlsplit(endpoint if "//" in endpoint else f"//{endpoint}")
    host, port = parts.hostname or "127.0.0.1", parts.port or 4317
    return {
        "name": _COLLECTOR,
        "type": "STATIC" if _is_ipv4(f"{host}:{port}") else "STRICT_DNS",
        "connect_timeout": "1s",
        "typed_extension_protocol_options": {
            _HTTP_OPTIONS: {
                "@type": f"type.googleapis.com/{_HTTP_OPTIONS}",
                "explicit_http_config": {"http2_protocol_options": {}},
            }
        },
        "load_assignment": {
            "cluster_name": _COLLECTOR,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": _address(host, port)}}]}],
        },
    }


def _access_log(path: str) -> Json:
    """Return an access log of the calls that the gateway itself answered or aborted."""
    return {
        "name": "envoy.access_loggers.file",
        "filter": {"and_filter": {"filters": [{"response_flag_filter": {}}, _NOT_HEALTH]}},
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog",
            "path": path,
            "log_format": {
                "text_format_source": {
                    "inline_string": "%REQ(:PATH)% flags=%RESPONSE_FLAGS% grpc=%GRPC_STATUS% "
                    "upstream=%UPSTREAM_HOST% ms=%DURATION% trace=%TRACE_ID%\n"
                }
            },
        },
    }


def _address(host: str, port: int) -> Json:
    return {"socket_address": {"address": host, "port_value": port}}


def _split(endpoint: str) -> tuple[str, int]:
    host, _, port = endpoint.rpartition(":")
    return host, int(port)


def _is_ipv4(endpoint: str) -> bool:
    return all(part.isdigit() for part in _split(endpoint)[0].split("."))
