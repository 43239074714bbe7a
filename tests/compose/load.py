"""Continuous calls while the fleet changes."""

import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import grpc

from tests.support.polling import wait_until
from tests.support.published.environment import published_environment
from tests.support.published.workflow import CLIENTS as SCRIPTS
from tests.support.published.workflow import Release
from tests.support.scenes.lentils_scene import Scene
from tests.support.wire import Wire, wire

CLIENTS = 4


@dataclass
class Load:
    """What came of the calls so far.

    Attributes:
        seconds: time that each answered call took.
        failures: how each other call ended.
    """

    seconds: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def wait_for(self, more: int) -> None:
        """Wait until so many more calls were answered, or one has failed."""
        enough = len(self.seconds) + more
        wait_until(
            lambda: self.failures or len(self.seconds) >= enough,
            f"{more} more answers",
            timeout_s=120,
        )


def trained_session(calls: Wire) -> str:
    """A session whose statistics are fitted to the scene."""
    session_id = calls.session()
    overrides = ["data.cu3s_file_path=scene.npz", "data.annotation_json_path=null"]
    trainrun = calls.resolve(session_id, "trainrun", "trainrun/rx_statistical", overrides)
    calls.apply(session_id, trainrun)
    calls.train(session_id)
    return session_id


@contextmanager
def inference_load(address: str, session_ids: Sequence[str], scene: Scene) -> Iterator[Load]:
    """Let clients infer as long as the block runs; each ends with its first call that fails."""
    load, stop = Load(), threading.Event()
    cube, wavelengths = scene.cubes[1:2], scene.wavelengths_nm[None]

    def work(session_id: str) -> None:
        with wire(address) as calls:
            while not stop.is_set():
                started_s = time.perf_counter()
                try:
                    calls.infer(session_id, cube, wavelengths, ["decisions"])
                except grpc.RpcError as error:
                    load.failures.append(f"{error.code().name}: {error.details()}")
                    return
                load.seconds.append(time.perf_counter() - started_s)

    threads = [
        threading.Thread(target=work, args=(session_ids[number % len(session_ids)],))
        for number in range(CLIENTS)
    ]
    for thread in threads:
        thread.start()
    try:
        yield load
    finally:
        stop.set()
        for thread in threads:
            thread.join()


@contextmanager
def published_load(
    address: str, session_id: str, release: Release, scene_file: Path
) -> Iterator[Load]:
    """As `inference_load`, by unchanged clients of a published release, which do not retry."""
    load = Load()
    python = published_environment(release.environment)
    script = SCRIPTS / "steady.py"
    with subprocess.Popen(
        [python, *release.flags, script, address, session_id, scene_file, str(CLIENTS)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=dict(release.variables(scene_file.parent)),
    ) as client:
        assert client.stdin is not None
        assert client.stdout is not None
        assert client.stderr is not None

        def listen() -> None:
            for line in client.stdout:
                load.seconds.append(float(line))
            load.failures.extend(client.stderr)

        listener = threading.Thread(target=listen)
        listener.start()
        try:
            yield load
        finally:
            client.stdin.close()
            listener.join()
