"""The calls around inference: sessions, configuration, training."""

import json
import time
from collections.abc import Callable
from typing import Any

from bench.load import Budget, measure
from bench.result import Result, summarise
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb

Stub = Any
"""The generated stub has no public type that both codecs share."""


def open_session(stub: Stub) -> str:
    """Create a session and return its id."""
    return str(stub.CreateSession(pb.CreateSessionRequest()).session_id)


def close_session(stub: Stub, session_id: str) -> None:
    """Close a session."""
    stub.CloseSession(pb.CloseSessionRequest(session_id=session_id))


def create_and_close(stub: Stub) -> Result:
    """Create and close a session."""

    def call() -> None:
        close_session(stub, open_session(stub))

    return summarise("create + close", "sessions", 1, measure(call, 1, Budget(300, 4.0)))


def resolve(stub: Stub, session_id: str, data_path: str, ids: list[int]) -> Callable[[], bytes]:
    """Return a call that resolves the shipped trainrun for the given data."""
    request = pb.ResolveConfigRequest(
        session_id=session_id,
        config_type="trainrun",
        path="trainrun/rx_statistical",
        overrides=[
            f"data.cu3s_file_path={data_path}",
            "data.annotation_json_path=null",
            f"data.train_ids={json.dumps(ids)}",
            "data.val_ids=[]",
            "data.test_ids=[]",
        ],
    )
    return lambda: bytes(stub.ResolveConfig(request).config_bytes)


def resolve_config(stub: Stub, session_id: str, data_path: str, ids: list[int]) -> Result:
    """Call ResolveConfig with overrides."""
    call = resolve(stub, session_id, data_path, ids)
    return summarise("ResolveConfig", "config", 1, measure(call, 1, Budget(60, 6.0)))


def apply_trainrun(stub: Stub, session_id: str, trainrun_json: bytes) -> None:
    """Give the session its pipeline and data."""
    stub.SetTrainRunConfig(
        pb.SetTrainRunConfigRequest(
            session_id=session_id, config=pb.TrainRunConfig(config_bytes=trainrun_json)
        )
    )


def train(stub: Stub, session_id: str) -> tuple[float, float]:
    """Train statistically; return the seconds to the first message and to COMPLETE."""
    request = pb.TrainRequest(session_id=session_id, trainer_type=pb.TRAINER_TYPE_STATISTICAL)
    start = time.perf_counter()
    arrived = [(time.perf_counter() - start, message.status) for message in stub.Train(request)]
    done = [seconds for seconds, status in arrived if status == pb.TRAIN_STATUS_COMPLETE]
    if not done:
        raise RuntimeError("the Train stream ended without COMPLETE")
    return arrived[0][0], done[0]


def training(stub: Stub, session_id: str, trainrun_json: bytes, rounds: int) -> list[Result]:
    """Time the first message and COMPLETE of several training runs on a warm stack."""
    apply_trainrun(stub, session_id, trainrun_json)
    train(stub, session_id)
    taken = [train(stub, session_id) for _ in range(rounds)]
    return [
        summarise("Train, first message", "trainer", 1, [first for first, _ in taken]),
        summarise("Train, COMPLETE, 3 x 64x64x61", "trainer", 1, [done for _, done in taken]),
    ]
