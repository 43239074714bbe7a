"""Measure a running stack: ``python -m bench --address 127.0.0.1:50051``.

``make bench`` starts a stack if none is running. The load stays on this machine and ends after
a few minutes.
"""

import argparse
import time
from pathlib import Path

from bench.echo_stack import echo_stack
from bench.inference_calls import CASES, compare
from bench.report import print_table, save
from bench.result import Result
from bench.scene import write_training_data
from bench.session_calls import (
    close_session,
    create_and_close,
    open_session,
    resolve,
    resolve_config,
    training,
)
from fleet_local.settings import StackSettings
from fleet_platform.rpc import connect
from fleet_proto.cuvis_ai.v1.cuvis_ai_pb2_grpc import CuvisAIServiceStub

_DATA = Path("bench") / "three.npz"
_IDS = [0, 1, 2]
_TRAININGS = 5
_LAST_START_S = 240.0
"""No case starts later than this, so that all end within five minutes on a busy machine, too."""


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m bench")
    parser.add_argument("--address", default="127.0.0.1:50051", help="gateway (loopback)")
    parser.add_argument(
        "--data-dir",
        type=Path,
        default=StackSettings().data_dir,
        help="the stack's DATA_DIR; three small measurements are written below it",
    )
    parser.add_argument("--results", type=Path, default=Path("bench/results"))
    parser.add_argument("--sides", type=int, nargs="*", default=[32, 256, 1000])
    return parser.parse_args()


def main() -> None:
    """Measure, print and save."""
    started = time.monotonic()
    arguments = _arguments()
    if arguments.address.rpartition(":")[0] not in {"127.0.0.1", "localhost"}:
        raise SystemExit("The benchmark loads this machine only; give an address on 127.0.0.1.")
    write_training_data(arguments.data_dir / _DATA, side=64, measurements=len(_IDS))
    results: list[Result] = []
    with connect(arguments.address) as channel, echo_stack() as echo:
        stub = CuvisAIServiceStub(channel)
        results.append(create_and_close(stub))
        session_id = open_session(stub)
        results.append(resolve_config(stub, session_id, str(_DATA), _IDS))
        trainrun_json = resolve(stub, session_id, str(_DATA), _IDS)()
        results += training(stub, session_id, trainrun_json, _TRAININGS)
        for case in CASES:
            if case.side not in arguments.sides:
                continue
            if time.monotonic() - started > _LAST_START_S:
                print(f"skipped, out of time: {case.title}, {case.clients} clients")
                continue
            results += compare(stub, echo, session_id, case)
        close_session(stub, session_id)
    print_table(results)
    print(f"saved as {save(results, arguments.results)}")


if __name__ == "__main__":
    main()
