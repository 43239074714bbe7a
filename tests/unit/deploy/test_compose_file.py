"""compose.yaml passes every setting on, publishes one port, and allows time to stop."""

import re
from pathlib import Path

import pytest
import yaml

from fleet_local.settings import StackSettings
from tests.support.service_settings import SETTINGS

ROOT = Path(__file__).resolve().parents[3]


def _read(name):
    return yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def services():
    return _read("compose.yaml")["services"]


def _fixed_in_image(services, name):
    text = (ROOT / services[name]["build"]["dockerfile"]).read_text(encoding="utf-8")
    instructions = re.findall(r"^ENV ((?:.*\\\n)*.*)$", text, re.MULTILINE)
    return dict(
        pair.split("=", 1) for each in instructions for pair in re.findall(r"\S+=\S+", each)
    )


def _default_s(environment, name):
    return float(re.search(r":-(\d+)", environment.get(name, ":-0"))[1])


@pytest.mark.parametrize("name", SETTINGS)
def test_every_setting_of_a_service_reaches_its_container(services, name):
    fields = {field.upper() for field in SETTINGS[name].model_fields}
    listed = services[name]["environment"].keys()
    assert listed <= fields, "a variable that nobody reads"
    assert fields == listed | (_fixed_in_image(services, name).keys() & fields)


def test_what_make_up_takes_compose_takes_as_well(services):
    text = (ROOT / "compose.yaml").read_text(encoding="utf-8")
    taken = set(re.findall(r"\$\{(\w+)", text)).union(
        *(each.get("environment", {}) for each in services.values())
    )
    # Volumes stand for the run folder, METRICS_PORT for METRICS; the port of health is the image's.
    of_processes = {"RUN_DIR", "METRICS", "HEALTH_PORT"}
    assert {field.upper() for field in StackSettings.model_fields} - taken == of_processes


def test_only_the_gateway_is_reachable_and_by_default_from_this_host(services):
    published = {name: each["ports"] for name, each in services.items() if "ports" in each}
    assert published == {"gateway": ["${GATEWAY_HOST:-127.0.0.1}:${GRPC_PORT:-50051}:50051"]}


def test_a_container_gets_longer_to_stop_than_its_service_takes(services):
    for name in SETTINGS:
        own = services[name]["environment"]
        drain_s, grace_s = (_default_s(own, key) for key in ("DRAIN_S", "STOP_GRACE_S"))
        period_s = float(services[name]["stop_grace_period"].removesuffix("s"))
        assert period_s > drain_s + grace_s + 5, name
        assert name == "gateway" or drain_s >= 2, "the gateway asks for health once a second"


def test_redis_persists_its_data(services):
    command = " ".join(services["redis"]["command"])
    assert "--appendonly yes --appendfsync everysec" in command
    assert services["redis"]["volumes"] == ["redis:/data"]


def test_images_of_others_are_of_one_version():
    for name in ("compose.yaml", "compose.observability.yaml"):
        for service, each in _read(name)["services"].items():
            if "build" not in each and "image" in each:
                assert re.search(r":v?\d", each["image"]), service


def test_what_lies_on_top_names_services_that_there_are(services):
    gpu = _read("compose.gpu.yaml")["services"]
    assert gpu.keys() == {"trainer", "inference"}
    for each in gpu.values():
        (device,) = each["deploy"]["resources"]["reservations"]["devices"]
        assert device["capabilities"] == ["gpu"]
    observed = _read("compose.observability.yaml")["services"]
    assert SETTINGS.keys() <= observed.keys()
    for name in SETTINGS:
        assert observed[name]["environment"].keys() <= services[name]["environment"].keys()


def test_prometheus_looks_where_the_services_tell_their_metrics():
    port = _read("compose.observability.yaml")["x-observed"]["environment"]["METRICS_PORT"]
    jobs = _read("deploy/observability/prometheus.yaml")["scrape_configs"]
    found = {job["job_name"]: job["dns_sd_configs"] for job in jobs}
    assert found.keys() == SETTINGS.keys()
    for name, (where,) in found.items():
        assert (where["names"], where["port"]) == ([name], port)
