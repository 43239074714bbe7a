"""Health at the gateway lags behind Redis by less than three seconds, both ways.

So do the intervals and bounds that lie one after the other add up; `bench.redis_outage` measures.
"""

from pathlib import Path

from fleet_gateway import GatewaySettings, render_bootstrap
from fleet_platform.redis_connection import CONNECT_TIMEOUT_S, PING_TIMEOUT_S
from fleet_platform.rpc.health import PROBE_TIMEOUT_S
from fleet_platform.settings import ServiceSettings
from fleet_session.gateway_health_servicer import ASK_DEADLINE_S

MOST_S = 3.0
NOTICED_S = ServiceSettings().health_interval_s + PROBE_TIMEOUT_S
"""A service's own health: the rest of a round that hangs, and the pause after it."""


def test_it_is_red_in_time():
    assert NOTICED_S + ASK_DEADLINE_S < MOST_S


def test_it_is_green_in_time():
    """Replicas whose health is green again are found so by the gateway at its next check."""
    endpoints = {
        f"{name}_endpoints": (f"127.0.0.1:{port}",)
        for port, name in enumerate(("session", "config", "trainer", "inference"), start=5101)
    }
    bootstrap = render_bootstrap(GatewaySettings(**endpoints), Path("/run/gateway"))
    pauses_s = [
        float(check[name].removesuffix("s"))
        for cluster in bootstrap["static_resources"]["clusters"]
        for check in cluster.get("health_checks", ())
        for name in ("interval", "no_traffic_interval", "no_traffic_healthy_interval")
    ]
    assert len(pauses_s) >= 3 * len(endpoints)
    assert NOTICED_S + max(pauses_s) < MOST_S


def test_a_question_to_redis_ends_within_its_bound():
    assert min(PING_TIMEOUT_S, CONNECT_TIMEOUT_S) + PING_TIMEOUT_S < PROBE_TIMEOUT_S
