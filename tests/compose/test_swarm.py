"""A host joins the swarm, serves, and fails under load without a failed call."""

import os
import subprocess

import pytest

from tests.compose.fleet import SERVICES
from tests.compose.host import Host
from tests.compose.load import published_load, trained_session
from tests.compose.stack import Stack
from tests.support.polling import wait_until
from tests.support.published.workflow import RELEASES
from tests.support.scenes.lentils_scene import write_npz
from tests.support.wire import wire

pytestmark = [pytest.mark.compose, pytest.mark.timeout(2400)]

BUILT = "cuvis-fleet-test"
# As from a registry. Nobody listens there, so that an engine that asks it for something newer is
# refused at once and takes what it has.
IMAGES = f"localhost:9/{BUILT}"
INFERENCE = f"{IMAGES}/inference:latest"
# Ten seconds, and what starting torch takes longer on a machine that both hosts share.
SERVES_WITHIN_S = 60
NEEDED = ("SECOND_DOCKER_HOST", "KILL_SECOND_HOST", "SWARM_ADDRESS", "SECOND_SWARM_ADDRESS")


@pytest.fixture(scope="module")
def hosts():
    """Two engines in one swarm; the second has joined without a label."""
    missing = [name for name in NEEDED if not os.environ.get(name)]
    if missing:
        pytest.skip(f"A swarm takes a second engine; not set: {', '.join(missing)}")
    first = Host(os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock"))
    second = Host(os.environ["SECOND_DOCKER_HOST"])
    address, second_address = os.environ["SWARM_ADDRESS"], os.environ["SECOND_SWARM_ADDRESS"]
    # One that was killed before still believes to be of a swarm that is gone.
    second.try_docker("swarm", "leave", "--force")
    where = ("--advertise-addr", address, "--data-path-addr", address)
    first.docker("swarm", "init", *where)
    try:
        _label(first, first.node_id(), "control", "trainer", "inference")
        token = first.docker("swarm", "join-token", "-q", "worker")
        where = ("--advertise-addr", second_address, "--data-path-addr", second_address)
        second.docker("swarm", "join", "--token", token, *where, f"{address}:2377")
        yield first, second
    finally:
        second.try_docker("swarm", "leave", "--force")
        first.docker("swarm", "leave", "--force")


@pytest.fixture(scope="module")
def stack(hosts, scene, tmp_path_factory):
    """The fleet on the first host alone."""
    first, second = hosts
    for service in SERVICES:
        name = f"{BUILT}/{service}:latest"
        assert first.has_image(name), f"no image {name}: the tests of one engine build it"
        first.docker("tag", name, f"{IMAGES}/{service}:latest")
    second.take_image(INFERENCE, first)
    folder = tmp_path_factory.mktemp("swarm")
    for name in ("data", "outputs", "artifacts"):
        (folder / name).mkdir()
        (folder / name).chmod(0o777)  # services run as a user of their own
    folder.chmod(0o755)
    write_npz(scene, folder / "data" / "scene.npz")
    stack = Stack(first, folder, IMAGES)
    stack.deploy()
    try:
        stack.wait_until_serving()
        yield stack
    finally:
        stack.remove()


def test_a_host_joins_serves_and_dies_without_a_failed_call(hosts, stack, scene, tmp_path):
    first, second = hosts
    node_id = second.node_id()
    with wire(stack.address) as calls:
        session_id = trained_session(calls)
    scene_file = tmp_path / "scene.npz"
    write_npz(scene, scene_file)
    with published_load(stack.address, session_id, RELEASES["0.9.0"], scene_file) as load:
        load.wait_for(20)
        stack.scale(2)
        _label(first, node_id, "inference")
        try:
            joined_s = wait_until(
                lambda: _answers(second), "the host that joined answers", SERVES_WITHIN_S
            )
        except AssertionError as error:
            raise AssertionError(f"{error}\n{stack.tasks()}\n{_logs(second)}") from None
        load.wait_for(50)
        assert stack.replicas(node_id) == 1

        subprocess.run(os.environ["KILL_SECOND_HOST"], shell=True, check=True, timeout=60)

        load.wait_for(50)
        wait_until(lambda: _state(first, node_id) == "down", "the host is known dead", 120)
        wait_until(lambda: stack.replicas(first.node_id()) == 2, "its replica runs elsewhere", 120)
        load.wait_for(50)
    print(f"joined host answered after {joined_s:.1f} s; slowest call {max(load.seconds):.1f} s")
    assert load.failures == []


def _label(manager, node_id, *labels):
    for label in labels:
        manager.docker("node", "update", "--label-add", f"fleet.{label}=true", node_id)


def _state(manager, node_id):
    return manager.docker("node", "inspect", "-f", "{{.Status.State}}", node_id)


def _answers(host):
    """Whether a replica of this very engine has logged a call that it answered."""
    return "method=Inference" in _logs(host)


def _logs(host):
    """What the inference replicas of this engine have logged."""
    replicas = host.docker("ps", "-q", "--filter", f"ancestor={INFERENCE}").split()
    return "\n".join(_log(host, container) for container in replicas)


def _log(host, container):
    done = subprocess.run(
        ["docker", "-H", host.address, "logs", container],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.stderr
