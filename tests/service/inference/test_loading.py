"""LoadPipeline and LoadPipelineWeights over the wire."""

import io
import pickle
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from grpc import StatusCode

from fleet_engine import Pipeline, build_pipeline
from fleet_engine.weights import stored
from fleet_inference import loading
from fleet_platform.testing import MemorySessionStore
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb
from fleet_proto.records.v1 import records_pb2 as records
from fleet_schemas import PipelineConfig
from tests.service.inference.conftest import Fitted, Refused, Served, rx_config

DECISIONS = "decider.decisions"


def load_weights(served: Served, session: str, **source: object) -> pb.LoadPipelineWeightsResponse:
    return served.stub.LoadPipelineWeights(
        pb.LoadPipelineWeightsRequest(session_id=session, **source)  # type: ignore[arg-type]
    )


def usable(served: Served, session: str) -> bool:
    return set(served.infer(session, None, DECISIONS).outputs) == {DECISIONS}


def test_the_reply_tells_the_metadata(served: Served) -> None:
    reply = served.load(served.session(), rx_config(author="A. Nonym"))
    assert reply.success
    assert (reply.metadata.name, reply.metadata.author) == ("RX", "A. Nonym")


def test_a_pipeline_begins_with_initial_weights(
    served: Served, fitted: Fitted, refused: Refused
) -> None:
    session = served.ready(fitted)
    assert usable(served, session)
    served.load(session, rx_config())
    refused(lambda: served.infer(session), StatusCode.FAILED_PRECONDITION)


def broken(change: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    config = rx_config()
    change(config)
    return config


def _unknown_class(config: dict[str, Any]) -> None:
    config["nodes"][2]["class_name"] = "cuvis_ai.anomaly.rx_detector.RXGlobbal"


def _unknown_port(config: dict[str, Any]) -> None:
    config["connections"][0]["target"] = "normalizer.inputs.dataa"


def _unknown_node(config: dict[str, Any]) -> None:
    config["connections"][0]["target"] = "normaliser.inputs.data"


def _cycle(config: dict[str, Any]) -> None:
    config["connections"][0]["source"] = "normalizer.outputs.normalized"


def _no_hparam(config: dict[str, Any]) -> None:
    del config["nodes"][2]["hparams"]["num_channels"]


@pytest.mark.parametrize(
    ("config", "text"),
    [
        (b"", "pipeline"),
        (b"{nodes", "not JSON"),
        (b"[]", "must be a JSON object"),
        (b"\xff", "not UTF-8"),
        (b"{}", "pipeline.nodes"),
        ({"nodes": "many"}, "pipeline.nodes"),
        (broken(_unknown_class), "RXGlobbal"),
        (broken(_unknown_port), "dataa"),
        (broken(_unknown_node), "normaliser"),
        (broken(_cycle), "normalizer"),
        (broken(_no_hparam), "num_channels"),
    ],
)
def test_bad_configurations_leave_the_old_pipeline(
    served: Served, fitted: Fitted, refused: Refused, config: object, text: str
) -> None:
    session = served.ready(fitted)
    refused(lambda: served.load(session, config), StatusCode.INVALID_ARGUMENT, text)
    assert usable(served, session)


def train(served: Served, session: str, state: "records.RunState.ValueType") -> None:
    """Write down that a run of the session is in `state`."""
    run = served.runs.create(
        records.RunRecord(format_version=1, run_id="run-1", session_id=session)
    )
    if state == records.RUN_STATE_COMPLETE:
        claimed = served.runs.claim(run.run_id, "trainer")
        claimed.state = state
        served.runs.finish(claimed, b"done")
    served.sessions.update(session, lambda record: setattr(record, "run_id", run.run_id))


def test_nothing_is_replaced_while_training_runs(
    served: Served, fitted: Fitted, refused: Refused
) -> None:
    session = served.ready(fitted)
    train(served, session, records.RUN_STATE_QUEUED)
    for call in (
        lambda: served.load(session, rx_config()),
        lambda: load_weights(served, session, weights_bytes=fitted.published),
    ):
        refused(call, StatusCode.FAILED_PRECONDITION, "StopTrain")
    assert usable(served, session)


def test_an_ended_run_does_not_prevent_loading(served: Served, fitted: Fitted) -> None:
    session = served.ready(fitted)
    train(served, session, records.RUN_STATE_COMPLETE)
    assert served.load(session, rx_config()).success


@pytest.mark.parametrize("form", ["published", "safetensors", "checkpoint"])
def test_weights_from_the_request(served: Served, fitted: Fitted, form: str) -> None:
    session = served.session()
    served.load(session, rx_config())
    reply = load_weights(served, session, weights_bytes=getattr(fitted, form))
    assert (reply.success, reply.resolved_path) == (True, "(client-bytes)")
    assert usable(served, session)


@pytest.mark.parametrize("sent", ["models/rx.pt", "models/rx", "data/models/rx.pt"])
def test_weights_from_a_file(served: Served, fitted: Fitted, sent: str) -> None:
    file = served.data_dir / "models" / "rx.pt"
    file.parent.mkdir()
    file.write_bytes(fitted.published)
    session = served.session()
    served.load(session, rx_config())
    reply = load_weights(served, session, weights_path=sent)
    assert Path(reply.resolved_path) == file
    assert usable(served, session)


@pytest.mark.parametrize(
    ("form", "suffix"),
    [("published", "pt"), ("checkpoint", "ckpt"), ("safetensors", "safetensors")],
)
def test_the_suffix_may_be_left_out(served: Served, fitted: Fitted, form: str, suffix: str) -> None:
    file = served.data_dir / f"epoch=02.{suffix}"
    file.write_bytes(getattr(fitted, form))
    session = served.session()
    served.load(session, rx_config())
    reply = load_weights(served, session, weights_path="epoch=02")
    assert Path(reply.resolved_path) == file
    assert usable(served, session)


def test_a_checkpoint_of_another_pipeline(served: Served, fitted: Fitted, refused: Refused) -> None:
    session = served.ready(fitted)
    wider = {"pipeline_modules.2.mu": torch.zeros(9)}
    longer = {"pipeline_modules.7.mu": torch.zeros(7)}
    for state, texts in (
        (wider, ("detector.mu has shape [9], the pipeline's has [7]",)),
        (longer, ("node number 7, the pipeline has 5 nodes",)),
    ):
        content = _torch_file({"state_dict": state})
        refused(
            lambda content=content: load_weights(
                served, session, weights_bytes=content, strict=False
            ),
            StatusCode.INVALID_ARGUMENT,
            *texts,
        )
    assert usable(served, session)


def test_a_file_below_a_search_path(served: Served, fitted: Fitted) -> None:
    (served.data_dir / "mine").mkdir()
    (served.data_dir / "mine" / "rx.pt").write_bytes(fitted.published)
    session = served.session()
    served.sessions.update(
        session, lambda record: record.search_paths.append(str(served.data_dir / "mine"))
    )
    served.load(session, rx_config())
    assert load_weights(served, session, weights_path="rx").success


def test_files_that_are_not_there_or_not_allowed(
    served: Served, fitted: Fitted, refused: Refused, tmp_path: Path
) -> None:
    session = served.ready(fitted)
    outside = tmp_path / "secret.pt"
    outside.write_bytes(fitted.published)
    for path, code in (
        ("absent.pt", StatusCode.NOT_FOUND),
        (str(served.data_dir), StatusCode.NOT_FOUND),
        (str(outside), StatusCode.INVALID_ARGUMENT),
        (str(tmp_path / "absent.pt"), StatusCode.INVALID_ARGUMENT),
        ("../secret.pt", StatusCode.INVALID_ARGUMENT),
        ("", StatusCode.INVALID_ARGUMENT),
    ):
        refused(lambda path=path: load_weights(served, session, weights_path=path), code)
    assert usable(served, session)


def test_neither_path_nor_bytes(served: Served, fitted: Fitted, refused: Refused) -> None:
    session = served.ready(fitted)
    refused(lambda: load_weights(served, session), StatusCode.INVALID_ARGUMENT, "weights_path")


class Bomb:
    """Creates a file when it is unpickled."""

    def __init__(self, fuse: Path) -> None:
        self._fuse = fuse

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return (open, (str(self._fuse), "w"))


def _torch_file(content: object) -> bytes:
    buffer = io.BytesIO()
    torch.save(content, buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "wrap", [partial(pickle.dumps, protocol=2), _torch_file], ids=["pickle", "torch"]
)
def test_a_pickle_bomb_is_not_lit(
    served: Served,
    fitted: Fitted,
    refused: Refused,
    tmp_path: Path,
    wrap: Callable[[object], bytes],
) -> None:
    session = served.ready(fitted)
    fuse = tmp_path / "lit"
    content = wrap({"state_dict": {"detector": Bomb(fuse)}})
    (served.data_dir / "bomb.pt").write_bytes(content)
    for source in ({"weights_bytes": content}, {"weights_path": "bomb.pt"}):
        refused(
            lambda source=source: load_weights(served, session, **source),
            StatusCode.INVALID_ARGUMENT,
        )
    assert not fuse.exists()
    assert usable(served, session)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"", "empty"),
        (b"neither", "damaged"),
        (b"PK\x03\x04" + bytes(100), "damaged"),
        (bytes([2, 0, 0, 0, 0, 0, 0, 0]) + b"{]", "safetensors"),
        (bytes([2, 0, 0, 0, 0, 0, 0, 0]) + b"{}", "missing normalizer.running_min"),
        (_torch_file({"weights": torch.zeros(1)}), "layout"),
        (_torch_file({"state_dict": {"detector": {"mu": torch.zeros(9)}}}), "detector.mu"),
        (_torch_file({"state_dict": {"detector": {"mu": torch.zeros(7)}}}), "detector.cov"),
    ],
)
def test_weights_that_do_not_fit(
    served: Served, fitted: Fitted, refused: Refused, content: bytes, text: str
) -> None:
    session = served.ready(fitted)
    before = served.infer(session).outputs["detector.scores"]
    refused(
        lambda: load_weights(served, session, weights_bytes=content),
        StatusCode.INVALID_ARGUMENT,
        text,
    )
    assert served.infer(session).outputs["detector.scores"] == before


def test_a_part_of_the_weights_where_that_was_asked_for(served: Served, fitted: Fitted) -> None:
    session = served.ready(fitted)
    before = served.infer(session).outputs["detector.scores"]
    part = _torch_file({"state_dict": {"detector": {"mu": torch.full((7,), 3.0)}}})
    assert load_weights(served, session, weights_bytes=part, strict=False).success
    after = served.infer(session).outputs["detector.scores"]
    assert after != before  # and all the rest of the weights is still there
    assert usable(served, session)


def test_a_pipeline_replaced_in_between_is_not_overwritten(
    served: Served, fitted: Fitted, refused: Refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = served.ready(fitted)
    update = MemorySessionStore.update

    def replaced_first(
        self: MemorySessionStore,
        session_id: str,
        change: Callable[[records.SessionRecord], None],
    ) -> records.SessionRecord:
        update(self, session_id, lambda record: setattr(record.pipeline, "weights_digest", ""))
        return update(self, session_id, change)

    monkeypatch.setattr(MemorySessionStore, "update", replaced_first)
    refused(
        lambda: load_weights(served, session, weights_bytes=fitted.published),
        StatusCode.ABORTED,
        "at the same time",
    )
    assert served.sessions.read(session).pipeline.weights_digest == ""


def test_sessions_do_not_see_one_anothers_weights(
    served: Served, fitted: Fitted, refused: Refused
) -> None:
    first = served.ready(fitted, "first")
    second = served.session("second")
    served.load(second, rx_config())
    refused(lambda: served.infer(second), StatusCode.FAILED_PRECONDITION)
    assert usable(served, first)


def test_many_first_calls_build_one_pipeline(
    served: Served, fitted: Fitted, monkeypatch: pytest.MonkeyPatch
) -> None:
    sessions = [served.ready(fitted, f"session-{number}") for number in range(6)]
    builds: list[PipelineConfig] = []

    def counted(config: PipelineConfig, *rest: Any) -> Pipeline:
        builds.append(config)
        return build_pipeline(config, *rest)

    monkeypatch.setattr(stored, "build_pipeline", counted)
    with ThreadPoolExecutor(len(sessions)) as pool:
        assert all(pool.map(lambda session: usable(served, session), sessions))
    assert len(builds) == 1


def test_out_of_memory_while_loading(
    served: Served, fitted: Fitted, refused: Refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = served.ready(fitted)

    def too_large(_pipeline: Pipeline, _content: bytes, *, strict: bool) -> object:
        return torch.empty(2**50)

    with monkeypatch.context() as patch:
        patch.setattr(loading, "load_weights", too_large)
        refused(
            lambda: load_weights(served, session, weights_bytes=fitted.published),
            StatusCode.RESOURCE_EXHAUSTED,
            "more memory than is available",
        )
    assert usable(served, session)
