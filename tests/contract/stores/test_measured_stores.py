"""Metrics of the stores, in particular of failures."""

from pathlib import Path

import pytest

from fleet_platform.artifacts import (
    FileArtifactStore,
    InstrumentedArtifactStore,
    open_artifact_store,
)
from fleet_platform.errors import DependencyDown, NotFound
from fleet_platform.runs import open_run_store
from fleet_platform.sessions import open_session_store
from fleet_platform.settings import ServiceSettings
from fleet_platform.telemetry import MetricRegistry
from fleet_proto.records.v1.records_pb2 import RUN_STATE_CANCELLED, RunRecord, SessionRecord
from tests.support.processes.redis_server import RedisServer

PUT, GET, DELETE = ({"operation": name} for name in ("put", "get", "delete"))


@pytest.fixture
def registry() -> MetricRegistry:
    return MetricRegistry()


def test_artifacts_are_counted_with_their_bytes(registry: MetricRegistry, tmp_path: Path) -> None:
    store = open_artifact_store(ServiceSettings(artifact_dir=tmp_path), registry)
    digest = store.put(b"weights")
    store.get(digest)
    store.get(digest)
    store.delete(digest)
    read = registry.get_sample_value
    assert read("fleet_artifact_bytes_total", PUT) == len(b"weights")
    assert read("fleet_artifact_bytes_total", GET) == 2 * len(b"weights")
    counts = [read("fleet_artifact_seconds_count", labels) for labels in (PUT, GET, DELETE)]
    assert counts == [1, 2, 1]
    assert (read("fleet_artifact_volume_free_bytes") or 0) > 0


def test_a_missing_artifact_is_a_failure(registry: MetricRegistry, tmp_path: Path) -> None:
    store = InstrumentedArtifactStore(FileArtifactStore(tmp_path), registry)
    with pytest.raises(NotFound):
        store.get("0" * 64)
    assert registry.get_sample_value("fleet_artifact_errors_total") == 1
    assert registry.get_sample_value("fleet_artifact_seconds_count", GET) is None


def test_commands_to_redis_are_counted_and_so_are_their_failures(
    registry: MetricRegistry, own_redis: RedisServer
) -> None:
    settings = ServiceSettings(redis_url=own_redis.url)
    store = open_session_store(settings, registry, counted=True)
    for session_id in ("a", "b"):
        store.create(SessionRecord(session_id=session_id))
    read = registry.get_sample_value
    assert read("fleet_sessions_open") == 2
    assert read("fleet_redis_seconds_count", {"command": "SET"}) == 2
    assert read("fleet_redis_errors_total") == 0
    own_redis.stop()
    with pytest.raises(DependencyDown):
        store.read("a")
    assert read("fleet_redis_errors_total") == 1
    assert read("fleet_sessions_open") is None
    store.close()


def test_a_run_counts_once_when_it_ends(registry: MetricRegistry, own_redis: RedisServer) -> None:
    store = open_run_store(ServiceSettings(redis_url=own_redis.url), registry, counted=True)
    run = store.create(RunRecord(run_id="r", session_id="s"))
    run.state = RUN_STATE_CANCELLED
    assert store.cancel_queued(run, b"cancelled")
    assert not store.cancel_queued(run, b"again")
    read = registry.get_sample_value
    assert read("fleet_runs_ended_total", {"state": "cancelled"}) == 1
    assert read("fleet_progress_messages_total") == 1
    store.close()
