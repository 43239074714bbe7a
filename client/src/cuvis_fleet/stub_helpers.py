"""The helper functions of the published guide, for the generated messages and stubs.

They have the guide's names, which helps to migrate programs that were written against it.
`cuvis_fleet.connect` offers the same with NumPy arrays, typed exceptions and reconnecting streams.
"""

import json
import random
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event
from typing import Any

import grpc
import numpy as np
import numpy.typing as npt

from cuvis_fleet.inference.tensors import DTYPES, to_tensor
from cuvis_fleet.transport.connection import GIB, message_limits
from cuvis_fleet.transport.rpc_failure import RpcFailure
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2, cuvis_ai_pb2_grpc
from fleet_proto.training_key import KEY, new_key

_GROUPS = ("trainrun", "pipeline", "data", "training")


def build_stub(
    server_address: str = "localhost:50051", max_msg_size: int = GIB
) -> cuvis_ai_pb2_grpc.CuvisAIServiceStub:
    """Create a stub for a server.

    Args:
        server_address: host and port.
        max_msg_size: maximum size of a message in either direction, in bytes.
    """
    channel = grpc.insecure_channel(server_address, options=message_limits(max_msg_size))
    return cuvis_ai_pb2_grpc.CuvisAIServiceStub(channel)


def config_search_paths(
    extra_paths: Iterable[str | Path] | None = None, config_root: str | Path = "configs"
) -> list[str]:
    """Return the existing folders in which configurations are looked up, without duplicates.

    Args:
        extra_paths: folders to search after those of `config_root`; None: no others.
        config_root: folder of the client's configurations, with a subfolder for each type. A server
            on another machine rejects them and uses its own.
    """
    root = Path(config_root)
    folders = [root, *(root / group for group in _GROUPS), *map(Path, extra_paths or ())]
    return list(dict.fromkeys(str(folder.resolve()) for folder in folders if folder.is_dir()))


def create_session_with_search_paths(
    stub: cuvis_ai_pb2_grpc.CuvisAIServiceStub, search_paths: Sequence[str] | None = None
) -> str:
    """Open a session that looks up configurations in `search_paths`; return its id."""
    session_id = stub.CreateSession(cuvis_ai_pb2.CreateSessionRequest()).session_id
    stub.SetSessionSearchPaths(
        cuvis_ai_pb2.SetSessionSearchPathsRequest(
            session_id=session_id,
            search_paths=config_search_paths() if search_paths is None else search_paths,
            append=False,
        )
    )
    return session_id


@contextmanager
def grpc_session(
    stub: cuvis_ai_pb2_grpc.CuvisAIServiceStub, search_paths: Sequence[str] | None = None
) -> Iterator[str]:
    """Open a session for the duration of a block."""
    session_id = create_session_with_search_paths(stub, search_paths)
    try:
        yield session_id
    finally:
        # Sessions expire on the server; a failure here must not hide an error of the block.
        with suppress(grpc.RpcError):
            stub.CloseSession(cuvis_ai_pb2.CloseSessionRequest(session_id=session_id))


def resolve_trainrun_config(
    stub: cuvis_ai_pb2_grpc.CuvisAIServiceStub,
    session_id: str,
    name: str,
    overrides: Sequence[str] | None = None,
) -> tuple[cuvis_ai_pb2.ResolveConfigResponse, dict[str, Any]]:
    """Compose a trainrun with its overrides.

    Args:
        stub: stub of the server.
        session_id: the session whose search paths are used.
        name: name such as ``rx_statistical``, optionally after ``trainrun/``.
        overrides: overrides in Hydra's grammar, such as ``data.batch_size=4``; None: no overrides.

    Returns:
        The response, whose bytes `apply_trainrun_config` takes, and its content as a dictionary.
    """
    request = cuvis_ai_pb2.ResolveConfigRequest(
        session_id=session_id,
        config_type="trainrun",
        path=f"trainrun/{name.removeprefix('trainrun/')}",
        overrides=overrides or (),
    )
    response = stub.ResolveConfig(request)
    return response, json.loads(response.config_bytes)


def apply_trainrun_config(
    stub: cuvis_ai_pb2_grpc.CuvisAIServiceStub, session_id: str, config_bytes: bytes
) -> cuvis_ai_pb2.SetTrainRunConfigResponse:
    """Apply a trainrun: use its pipeline, data and training settings in the session."""
    config = cuvis_ai_pb2.TrainRunConfig(config_bytes=config_bytes)
    return stub.SetTrainRunConfig(
        cuvis_ai_pb2.SetTrainRunConfigRequest(session_id=session_id, config=config)
    )


def format_progress(progress: cuvis_ai_pb2.TrainResponse) -> str:
    """Format a progress message as one line."""
    stage = cuvis_ai_pb2.ExecutionStage.Name(progress.context.stage)
    status = cuvis_ai_pb2.TrainStatus.Name(progress.status)
    parts = [f"[{stage}] {status}"]
    parts += [
        f"{title}: {_numbers(values)}"
        for title, values in (("losses", progress.losses), ("metrics", progress.metrics))
        if values
    ]
    if progress.message:
        parts.append(progress.message)
    return " | ".join(parts)


def train_with_retry(
    stub: cuvis_ai_pb2_grpc.CuvisAIServiceStub,
    session_id: str,
    trainer_type: "cuvis_ai_pb2.TrainerType.ValueType",
    max_retries: int = 3,
) -> Iterator[cuvis_ai_pb2.TrainResponse]:
    """Train, and reconnect when the connection breaks.

    Meanwhile the training continues on the server. Each call receives all messages from the first
    one, even if the training has ended, so messages may be repeated (`Session.train` yields each
    once). Failures that a retry cannot fix are raised immediately.

    Args:
        stub: stub of the server.
        session_id: the session to train.
        trainer_type: kind of training.
        max_retries: maximum number of calls, with up to 1, 2, 4, ... seconds between them.
    """
    request = cuvis_ai_pb2.TrainRequest(session_id=session_id, trainer_type=trainer_type)
    metadata = ((KEY, new_key()),)
    for attempt in range(1, max_retries + 1):
        try:
            yield from stub.Train(request, metadata=metadata)
        except grpc.RpcError as error:
            if attempt == max_retries or not RpcFailure.of(error).is_broken_off:
                raise
            time.sleep(random.uniform(0.0, 2.0 ** (attempt - 1)))  # noqa: S311  (spreads load)
        else:
            return


def check_server_health(server_address: str = "localhost:50051", timeout_s: float = 5.0) -> bool:
    """Return whether a server at this address opens and closes sessions."""
    stub = build_stub(server_address)
    try:
        opened = stub.CreateSession(cuvis_ai_pb2.CreateSessionRequest(), timeout=timeout_s)
        stub.CloseSession(
            cuvis_ai_pb2.CloseSessionRequest(session_id=opened.session_id), timeout=timeout_s
        )
    except grpc.RpcError:
        return False
    return True


def keep_alive(
    stub: cuvis_ai_pb2_grpc.CuvisAIServiceStub,
    session_id: str,
    interval: float = 300.0,
    stop: Event | None = None,
) -> None:
    """Keep a session from expiring while idle; run this function in a thread.

    Args:
        stub: stub of the server.
        session_id: the session.
        interval: seconds between two calls.
        stop: event that ends the function; it also ends when the session does.
    """
    stop = stop or Event()
    while not stop.wait(interval):
        try:
            stub.GetTrainStatus(cuvis_ai_pb2.GetTrainStatusRequest(session_id=session_id))
        except grpc.RpcError as error:
            if error.code() is grpc.StatusCode.NOT_FOUND:
                return


def numpy_to_proto(array: npt.NDArray[Any]) -> cuvis_ai_pb2.Tensor:
    """Convert an array to a `Tensor` message."""
    return to_tensor("the array", array)


def proto_to_numpy(tensor: cuvis_ai_pb2.Tensor) -> npt.NDArray[Any]:
    """Convert a `Tensor` message to a read-only array."""
    return np.frombuffer(tensor.raw_data, DTYPES[tensor.dtype]).reshape(tuple(tensor.shape))


def _numbers(values: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:.4g}" for name, value in sorted(values.items()))
