"""Helpers that the gRPC examples share; they use only the generated messages and stubs.

They are those of `cuvis_fleet.stub_helpers`, except that the search paths start with the
configurations of this checkout. The library ``cuvis_fleet`` offers the same operations with NumPy
arrays and typed exceptions.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from cuvis_fleet import stub_helpers
from cuvis_fleet.stub_helpers import (
    apply_trainrun_config,
    build_stub,
    check_server_health,
    format_progress,
    keep_alive,
    numpy_to_proto,
    proto_to_numpy,
    resolve_trainrun_config,
    train_with_retry,
)
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2_grpc

__all__ = [
    "CONFIG_ROOT",
    "apply_trainrun_config",
    "build_stub",
    "check_server_health",
    "config_search_paths",
    "create_session_with_search_paths",
    "format_progress",
    "grpc_session",
    "keep_alive",
    "numpy_to_proto",
    "proto_to_numpy",
    "resolve_trainrun_config",
    "train_with_retry",
]

CONFIG_ROOT = Path(__file__).resolve().parents[2] / "configs"
"""The configurations of this checkout; a server on another machine rejects them."""


def config_search_paths(extra_paths: Iterable[str | Path] | None = None) -> list[str]:
    """Return the folders of this checkout's configurations, then `extra_paths`."""
    return stub_helpers.config_search_paths(extra_paths, CONFIG_ROOT)


def create_session_with_search_paths(
    stub: cuvis_ai_pb2_grpc.CuvisAIServiceStub, search_paths: Sequence[str] | None = None
) -> str:
    """Open a session that looks up configurations in `search_paths`; return its id."""
    paths = config_search_paths() if search_paths is None else search_paths
    return stub_helpers.create_session_with_search_paths(stub, paths)


@contextmanager
def grpc_session(
    stub: cuvis_ai_pb2_grpc.CuvisAIServiceStub, search_paths: Sequence[str] | None = None
) -> Iterator[str]:
    """Open a session for the duration of a block."""
    paths = config_search_paths() if search_paths is None else search_paths
    with stub_helpers.grpc_session(stub, paths) as session_id:
        yield session_id
