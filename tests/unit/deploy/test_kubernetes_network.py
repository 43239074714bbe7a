"""Which parts can reach each other in a cluster that enforces the network policies."""

from pathlib import Path

import pytest

from tests.support.kustomization import render

BASE = Path(__file__).resolve().parents[3] / "deploy/kubernetes/base"
GATEWAY, HEALTH, SERVICE, REDIS, METRICS = 50051, 50052, 50051, 6379, 9464
STRANGER = {"app.kubernetes.io/name": "somebody"}
PROMETHEUS = {"app.kubernetes.io/name": "prometheus"}
SERVICES = ("session", "config", "trainer", "inference")


@pytest.fixture(scope="module")
def objects():
    return render(BASE)


@pytest.fixture(scope="module")
def reaches(objects):
    """Whether a pod with labels reaches a port of a part; policies add up."""
    policies = [each["spec"] for each in objects if each["kind"] == "NetworkPolicy"]
    labels = {
        each["metadata"]["name"]: each["spec"]["template"]["metadata"]["labels"]
        for each in objects
        if each["kind"] in {"Deployment", "StatefulSet"}
    }

    def reaches(caller, part, port):
        given = labels.get(caller, caller) if isinstance(caller, str) else caller
        held = [each for each in policies if _selects(each["podSelector"], labels[part])]
        rules = [rule for each in held for rule in each.get("ingress", ())]
        return not held or any(
            port in {each["port"] for each in rule["ports"]} and _comes_from(rule, given)
            for rule in rules
        )

    return reaches


def _selects(selector, labels):
    exact = selector.get("matchLabels", {}).items() <= labels.items()
    among = all(
        labels.get(each["key"]) in each["values"] for each in selector.get("matchExpressions", ())
    )
    return exact and among


def _comes_from(rule, labels):
    sources = rule.get("from")
    return sources is None or any(_selects(each["podSelector"], labels) for each in sources)


def test_a_stranger_reaches_the_public_port_alone(reaches):
    assert reaches(STRANGER, "gateway", GATEWAY)
    assert not reaches(STRANGER, "gateway", HEALTH)
    assert not reaches(STRANGER, "redis", REDIS)
    for name in SERVICES:
        assert not reaches(STRANGER, name, SERVICE)
        assert not reaches(STRANGER, name, METRICS)


def test_calls_go_from_the_gateway_to_services_and_from_these_to_redis(reaches):
    for name in SERVICES:
        assert reaches("gateway", name, SERVICE)
        assert reaches(name, "redis", REDIS)
        assert not any(reaches(other, name, SERVICE) for other in SERVICES)
    assert not reaches("gateway", "redis", REDIS)
    assert reaches("session", "gateway", HEALTH)


def test_prometheus_reaches_metrics_and_nothing_else(reaches):
    for name in ("gateway", *SERVICES):
        assert reaches(PROMETHEUS, name, METRICS)
    assert not reaches(PROMETHEUS, "session", SERVICE)
    assert not reaches(PROMETHEUS, "redis", REDIS)
