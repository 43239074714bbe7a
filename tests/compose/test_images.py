"""Images are small, run without privileges and have labels."""

import pytest

from tests.compose.engine import docker
from tests.compose.fleet import SERVICES

pytestmark = [pytest.mark.compose, pytest.mark.timeout(2400)]

BASE = "python:3.11-slim-bookworm"
MB = 10**6
# The base image as it is published takes 130 MB, so that config and session stay below 300 MB.
LIMITS_BYTES = {
    "gateway": 200 * MB,
    "session": 120 * MB,
    "config": 120 * MB,
    "trainer": 1700 * MB,
    "inference": 1800 * MB,
}


def _layers(image):
    return image["RootFS"]["Layers"]


def _own_bytes(image):
    base = int(docker("image", "inspect", "-f", "{{.Size}}", BASE))
    return image["Size"] - base


@pytest.mark.parametrize("service", SERVICES)
def test_an_image_adds_little_to_its_base(fleet, service):
    assert _own_bytes(fleet.image(service)) <= LIMITS_BYTES[service]


def test_trainer_and_inference_share_the_layer_of_torch(fleet):
    trainer, inference = (_layers(fleet.image(name)) for name in ("trainer", "inference"))
    shared = [one for one, other in zip(trainer, inference, strict=False) if one == other]
    base = docker("image", "inspect", "-f", "{{len .RootFS.Layers}}", BASE)
    assert trainer[: len(shared)] == shared, "only what lies on equal layers is kept once"
    assert len(shared) >= int(base) + 2, "the account, and torch with all other packages"


@pytest.mark.parametrize("service", SERVICES)
def test_a_container_runs_without_privileges_and_has_a_health_check(fleet, service):
    config = fleet.image(service)["Config"]
    assert config["User"] == "fleet"
    assert config["Healthcheck"]["Test"]
    assert config["Labels"]["org.opencontainers.image.title"] == f"cuvis-fleet {service}"
    assert config["Labels"]["org.opencontainers.image.licenses"] == "Apache-2.0"


@pytest.mark.parametrize("service", ["session", "config"])
def test_services_that_do_not_compute_have_no_torch(fleet, service):
    script = "from importlib.util import find_spec; print(find_spec('torch'))"
    assert fleet.run(service, "python", "-c", script).strip() == "None"


def test_images_are_drawn_where_pipelines_are_shown(fleet):
    assert fleet.run("inference", "sh", "-c", "command -v dot").strip()
