"""A fleet of containers serves a published client, scales, and survives its gateway."""

import pytest

from tests.compose.fleet import SERVICES
from tests.compose.load import inference_load, trained_session
from tests.support.polling import wait_until
from tests.support.published.workflow import RELEASES, PublishedWorkflow
from tests.support.scenes.rx_reference import RxReference

pytestmark = [pytest.mark.compose, pytest.mark.timeout(2400)]

TRAIN_IDS = [0, 2, 3]


@pytest.fixture(scope="module", params=["0.5.2", "0.9.0"])
def workflow(request, fleet, shared_dir, tmp_path_factory):
    """What a client of a published release was told by three replicas."""
    release = RELEASES[request.param]
    folder = tmp_path_factory.mktemp(f"workflow-{release.version}")
    return PublishedWorkflow.of(release, fleet.address, shared_dir / "data", folder)


@pytest.fixture
def trained(calls):
    """A session whose statistics are fitted."""
    return trained_session(calls)


def test_a_published_clients_day_is_as_ever(workflow, scene):
    outputs = {key.partition(".")[2]: array for key, array in workflow.arrays("all").items()}
    RxReference.fit(scene.cubes[TRAIN_IDS]).assert_matches(outputs, scene.cubes[1:2])
    for way in ("reloaded", "restored"):
        for key, array in workflow.arrays(way).items():
            assert array.tobytes() == workflow.arrays("all")[key].tobytes(), (way, key)
    assert workflow.facts["progress"][-1]["status"] == "TRAIN_STATUS_COMPLETE"
    assert all(workflow.facts["closed"])


def test_only_the_gateways_port_is_published(fleet):
    published = {
        service: [
            port
            for container in fleet.containers(service)
            for port, bindings in fleet.state(container)["NetworkSettings"]["Ports"].items()
            if bindings
        ]
        for service in (*SERVICES, "redis")
    }
    assert published.pop("gateway") == ["50051/tcp"]
    assert not any(published.values()), published


def test_every_container_becomes_healthy(fleet):
    containers = [each for service in SERVICES for each in fleet.containers(service)]
    assert len(containers) == 7, "three of inference, one of each other service"
    for container in containers:
        wait_until(
            lambda one=container: fleet.state(one)["State"]["Health"]["Status"] == "healthy",
            container,
            timeout_s=120,
        )


def test_replicas_come_and_go_under_load_without_a_failed_call(fleet, trained, scene):
    fleet.scale(1)
    with inference_load(fleet.address, [trained], scene) as load:
        load.wait_for(20)
        fleet.scale(4)
        wait_until(lambda: _all_answer(fleet, 4), "four replicas answer", timeout_s=120)
        leaving = set(fleet.containers("inference"))
        fleet.scale(2)
        leaving -= set(fleet.containers("inference"))
        load.wait_for(50)
    assert load.failures == []
    assert len(leaving) == 2
    assert _all_answer(fleet, 2)


def test_sessions_and_calls_survive_a_restart_of_the_gateway(fleet, calls, trained, scene):
    cube, wavelengths = scene.cubes[1:2], scene.wavelengths_nm[None]
    before = calls.infer(trained, cube, wavelengths, ["decisions"])

    fleet.restart("gateway")

    fleet.wait_until_serving()
    after = calls.infer(trained, cube, wavelengths, ["decisions"])
    assert before["decisions"].tobytes() == after["decisions"].tobytes()


def _all_answer(fleet, count):
    containers = fleet.containers("inference")
    answered = [each for each in containers if "method=Inference" in fleet.log(each)]
    return len(containers) == len(answered) == count
