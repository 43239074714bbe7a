"""Compare the client library with bare stubs and with the published helpers.

``python -m bench.client_library [--peer-python PYTHON]`` starts its own stack. The calls of the two
that are compared alternate, so that other load on the machine affects both equally.
"""

import argparse
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import numpy as np

import cuvis_fleet
from bench.inference_calls import tensor_of
from bench.scene import cube, wavelengths_nm, write_training_data
from bench.session_calls import Stub
from fleet_local.background import background_stack
from fleet_platform.ports import free_ports
from fleet_platform.rpc import connect
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb
from fleet_proto.cuvis_ai.v1.cuvis_ai_pb2_grpc import CuvisAIServiceStub

_OUTPUTS = ["decisions"]
_SMALL, _LARGE = 32, 1000
_SMALL_CALLS, _LARGE_CALLS = 1000, 8

Call = Callable[[], float]


def _timed(call: Callable[[], object]) -> Call:
    def seconds() -> float:
        began_s = time.perf_counter()
        call()
        return time.perf_counter() - began_s

    return seconds


def alternately(one: Call, other: Call, calls: int) -> tuple[list[float], list[float]]:
    """Call both alternately, after one untimed call of each; return the seconds of each."""
    one(), other()
    taken: tuple[list[float], list[float]] = ([], [])
    for number in range(calls):
        for index in (0, 1) if number % 2 else (1, 0):
            taken[index].append((one, other)[index]())
    return taken


def _print(title: str, library_s: list[float], other_s: list[float]) -> None:
    ours_ms, others_ms = median(library_s) * 1e3, median(other_s) * 1e3
    pairs = median(ours - others for ours, others in zip(library_s, other_s, strict=True)) * 1e3
    print(
        f"{title}: library {ours_ms:.2f} ms, other {others_ms:.2f} ms, ratio"
        f" {ours_ms / others_ms:.3f}; median of the pairs' differences {pairs:+.3f} ms"
    )


def _bare(stub: Stub, session_id: str) -> Call:
    small, wavelengths = cube(_SMALL), wavelengths_nm()[None]

    def call() -> None:
        response = stub.Inference(
            pb.InferenceRequest(
                session_id=session_id,
                inputs=pb.InputBatch(
                    cube=tensor_of(small, pb.D_TYPE_UINT16),
                    wavelengths=tensor_of(wavelengths, pb.D_TYPE_INT32),
                ),
                output_specs=_OUTPUTS,
            )
        )
        for tensor in response.outputs.values():
            np.frombuffer(tensor.raw_data, np.bool_).reshape(tuple(tensor.shape))

    return _timed(call)


@contextmanager
def _published(python: Path, address: str, session_id: str, path: Path) -> Iterator[Call]:
    program = Path(__file__).with_name("published_inference.py")
    command = [str(python.absolute()), str(program), address, session_id, str(path)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        commands, answers = process.stdin, process.stdout

        def seconds() -> float:
            commands.write("\n")
            commands.flush()
            return float(answers.readline())

        yield seconds
        commands.close()


def _compare(address: str, folder: Path, peer_python: Path | None) -> None:
    with cuvis_fleet.connect(address) as client, client.session() as session:
        overrides = ["data.cu3s_file_path=three.npz", "data.annotation_json_path=null"]
        splits = ["data.train_ids=[0]", "data.val_ids=[1]", "data.test_ids=[2]"]
        trainrun = session.resolve("trainrun", "trainrun/rx_statistical", overrides + splits)
        session.apply(trainrun)
        for _ in session.train():
            pass
        small, large, wavelengths = cube(_SMALL), cube(_LARGE), wavelengths_nm()
        library = _timed(lambda: session.infer(small, wavelengths, _OUTPUTS))
        with connect(address) as channel:
            bare = _bare(CuvisAIServiceStub(channel), session.id)
            _print("32x32x61, bare stubs", *alternately(library, bare, _SMALL_CALLS))
        if peer_python is None:
            return
        np.save(folder / "large.npy", large)
        library = _timed(lambda: session.infer(large, wavelengths, _OUTPUTS))
        with _published(peer_python, address, session.id, folder / "large.npy") as published:
            taken = alternately(library, published, _LARGE_CALLS)
        _print(f"{large.nbytes / 1e6:.0f} MB, published helpers", *taken)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m bench.client_library")
    parser.add_argument(
        "--peer-python", type=Path, help="Python of an environment with cuvis-ai-core"
    )
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_training_data(folder / "data" / "three.npz", side=64, measurements=3)
        environment = {
            "DATA_DIR": str(folder / "data"),
            "OUTPUT_DIR": str(folder / "outputs"),
            "CUVIS_CONFIGS_DIR": str(Path("configs").resolve()),
        }
        with background_stack(free_ports(1)[0], folder / "run", environment) as stack:
            _compare(stack.address, folder, arguments.peer_python)


if __name__ == "__main__":
    main()
