"""The gateway's configuration: complete, exact, and accepted by Envoy itself."""

import subprocess
import sysconfig
from pathlib import Path

import pytest

from fleet_gateway import (
    GatewaySettings,
    RetryMode,
    render_bootstrap,
    retry_mode_of,
    route_table,
    write_gateway_files,
)
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2

FOLDER = Path("/run/gateway")
SERVICE = cuvis_ai_pb2.DESCRIPTOR.services_by_name["CuvisAIService"]


def _settings(**changes) -> GatewaySettings:
    endpoints = {
        "session_endpoints": ("127.0.0.1:5101",),
        "config_endpoints": ("127.0.0.1:5102",),
        "trainer_endpoints": ("127.0.0.1:5103",),
        "inference_endpoints": ("127.0.0.1:5104", "127.0.0.1:5105"),
    }
    return GatewaySettings(**{**endpoints, **changes})


def _routes(bootstrap: dict) -> list[dict]:
    listener = bootstrap["static_resources"]["listeners"][0]
    manager = listener["filter_chains"][0]["filters"][0]["typed_config"]
    return manager["route_config"]["virtual_hosts"][0]["routes"]


def test_route_table_equals_the_proto():
    assert set(route_table()) == {f"/{SERVICE.full_name}/{m.name}" for m in SERVICE.methods}


def test_rendered_routes_are_the_route_table():
    rendered = {
        route["match"]["path"]: route["route"]["cluster"]
        for route in _routes(render_bootstrap(_settings(), FOLDER))
        if "path" in route["match"]
    }
    assert rendered == route_table()


def test_no_route_has_a_time_limit():
    for route in _routes(render_bootstrap(_settings(), FOLDER)):
        assert route["route"]["timeout"] == "0s"
        assert route["route"]["max_stream_duration"] == {"grpc_timeout_header_max": "0s"}


def test_a_stream_is_retried_only_if_no_service_received_it():
    streams = {m.name for m in SERVICE.methods if m.server_streaming}
    assert streams
    assert {retry_mode_of(name) for name in streams} == {RetryMode.UNSENT}
    routes = {r["match"].get("path", ""): r for r in _routes(render_bootstrap(_settings(), FOLDER))}
    train = routes["/cuvis_ai.v1.CuvisAIService/Train"]["route"]["retry_policy"]
    assert set(train["retry_on"].split(",")) == {"connect-failure", "refused-stream"}
    create = routes["/cuvis_ai.v1.CuvisAIService/CreateSession"]["route"]["retry_policy"]
    assert "reset" not in create["retry_on"]
    infer = routes["/cuvis_ai.v1.CuvisAIService/Inference"]["route"]["retry_policy"]
    assert {"reset", "unavailable"} <= set(infer["retry_on"].split(","))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"otel_exporter_otlp_endpoint": "http://127.0.0.1:4317"},
        {"inference_endpoints": ("tasks.inference:5000",)},
        {"metrics_port": 9902},
    ],
    ids=["plain", "traced", "by-name", "measured"],
)
def test_envoy_accepts_the_configuration(tmp_path, changes):
    path = write_gateway_files(_settings(**changes), tmp_path)
    envoy = Path(sysconfig.get_path("scripts")) / "envoy"
    done = subprocess.run(
        [envoy, "--mode", "validate", "-c", path],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "deprecated" not in done.stderr.lower()


def test_the_metrics_port_gives_metrics_and_nothing_else_of_the_admin_port():
    bootstrap = render_bootstrap(_settings(metrics_port=9902, gateway_host="0.0.0.0"), FOLDER)
    listener = bootstrap["static_resources"]["listeners"][-1]
    manager = listener["filter_chains"][0]["filters"][0]["typed_config"]
    [route] = manager["route_config"]["virtual_hosts"][0]["routes"]
    assert listener["address"]["socket_address"] == {"address": "0.0.0.0", "port_value": 9902}
    assert route["match"] == {"path": "/metrics"}
    assert route["route"]["prefix_rewrite"] == "/stats/prometheus"
    assert bootstrap["admin"]["address"]["socket_address"]["address"] == "127.0.0.1"


def test_a_span_at_the_gateway_has_the_methods_name_and_probes_have_none():
    for route in _routes(render_bootstrap(_settings(), FOLDER)):
        if "path" in route["match"]:
            assert f"/{route['decorator']['operation']}" == route["match"]["path"]
            assert "tracing" not in route
        else:
            assert {share["numerator"] for share in route["tracing"].values()} == {0}
