"""Bad input of trainings.

Each is reported clearly, leaves the session unchanged or with its last good weights, and does not
prevent the next training of the session.
"""

import json
import re
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import grpc
import pytest

from fleet_engine import build_pipeline
from fleet_engine.weights import from_safetensors, state_of
from fleet_platform.rpc import connect, start_service
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb
from fleet_proto.cuvis_ai.v1.cuvis_ai_pb2_grpc import CuvisAIServiceStub
from fleet_schemas import PipelineConfig, parse_config
from fleet_trainer.assembly import Trainer, build_trainer
from fleet_trainer.settings import TrainerSettings
from tests.service.trainer.bad_data import SCENE, write_bad_data
from tests.service.trainer.bad_inputs import (
    ARTIFACTS,
    CALIBRATES,
    CASES,
    FITS,
    OUTPUTS,
    TRAINS,
    Case,
)
from tests.service.trainer.conftest import READY_WITHIN_S
from tests.service.trainer.faulty_nodes import SECRET
from tests.support.polling import wait_until
from tests.support.processes.redis_server import RedisServer
from tests.support.scenes.gradient_scene import TEST, TRAIN, VAL, pipeline_config
from tests.support.scenes.pipelines import MONITOR, edge, node
from tests.support.scenes.rx_scene import trainrun
from tests.support.training_client import CALL_WITHIN_S, TrainingClient, read, read_until
from tests.support.volumes import small_volume

FAULTY = "tests.service.trainer.faulty_nodes"
LOSS = "cuvis_ai.node.losses.MSEReconstructionLoss"
SPENT = {grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.INTERNAL}
INTERNALS = re.compile(
    r"Traceback|site-packages|lightning|torch\.|\.py\b|0x[0-9a-f]{6}", re.IGNORECASE
)
RIGHT_DATA = {
    "cu3s_file_path": SCENE,
    "batch_size": 2,
    "train_ids": TRAIN,
    "val_ids": VAL,
    "test_ids": TEST,
}
RIGHT_LISTS = {
    "loss_nodes": ["bce"],
    "metric_nodes": ["metrics_anomaly"],
    "unfreeze_nodes": ["RXGlobal", "ScoreToLogit"],
}
RIGHT_TRAINING = {
    "seed": 3,
    "max_epochs": 2,
    "accelerator": "cpu",
    "gradient_clip_val": 1.0,
    "optimizer": {"name": "adamw", "lr": 0.05},
}

RIGHT = pb.TrainRunConfig(config_bytes=trainrun(SCENE))

IDLE, UNKNOWN, EMPTY, BUSY = "idle", "unknown session", "no pipeline", "while training"
OK = grpc.StatusCode.OK
NOT_FOUND, INVALID = grpc.StatusCode.NOT_FOUND, grpc.StatusCode.INVALID_ARGUMENT
OUT_OF_ORDER = grpc.StatusCode.FAILED_PRECONDITION
CALLS = [
    ("Train", UNKNOWN, {"trainer_type": TRAINS}, NOT_FOUND, "CreateSession"),
    ("Train", EMPTY, {"trainer_type": TRAINS}, OUT_OF_ORDER, "LoadPipeline or SetTrainRunConfig"),
    ("Train", IDLE, {"trainer_type": 0}, INVALID, r"trainer_type 0 is unknown. Send one of: "),
    ("Train", IDLE, {"trainer_type": 77}, INVALID, r"trainer_type 77 is unknown. Send one of: "),
    ("Train", BUSY, {"trainer_type": FITS}, OUT_OF_ORDER, "TRAINER_TYPE_GRADIENT"),
    ("Train", BUSY, {"trainer_type": CALIBRATES}, OUT_OF_ORDER, "TRAINER_TYPE_GRADIENT"),
    ("StopTrain", UNKNOWN, {}, NOT_FOUND, "CreateSession"),
    ("StopTrain", EMPTY, {}, OK, "No training runs"),
    ("StopTrain", IDLE, {}, OK, "No training runs"),
    ("GetTrainStatus", UNKNOWN, {}, NOT_FOUND, "CreateSession"),
    ("GetTrainStatus", EMPTY, {}, OK, ""),
    ("GetTrainStatus", BUSY, {}, OK, "Epoch|Gradient|Training|Validat|Fitt"),
    ("SetTrainRunConfig", UNKNOWN, {}, NOT_FOUND, "CreateSession"),
    ("SetTrainRunConfig", BUSY, {"config": RIGHT}, OUT_OF_ORDER, "run is active"),
    ("SaveTrainRun", UNKNOWN, {"trainrun_path": "a.yaml"}, NOT_FOUND, "CreateSession"),
    ("SaveTrainRun", EMPTY, {"trainrun_path": "a.yaml"}, OUT_OF_ORDER, "SetTrainRunConfig"),
    ("SaveTrainRun", IDLE, {"trainrun_path": ""}, INVALID, "path"),
    ("SaveTrainRun", IDLE, {"trainrun_path": "../a.yaml"}, INVALID, "outside the folder"),
    ("RestoreTrainRun", UNKNOWN, {"trainrun_path": "a.yaml"}, NOT_FOUND, "CreateSession"),
    ("RestoreTrainRun", BUSY, {"trainrun_path": "a.yaml"}, OUT_OF_ORDER, "run is active"),
    ("RestoreTrainRun", IDLE, {"trainrun_path": "no.yaml"}, NOT_FOUND, "File 'no.yaml' not found"),
    ("RestoreTrainRun", IDLE, {"trainrun_path": "/etc/passwd"}, INVALID, "outside the folders"),
]


class Disks(NamedTuple):
    """Where the service writes: on separate small volumes if any can be mounted."""

    artifacts: Path
    outputs: Path
    are_small: bool

    def free(self) -> None:
        for folder in (self.artifacts, self.outputs):
            (folder / "filler").unlink(missing_ok=True)


@pytest.fixture(scope="module")
def disks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Disks]:
    folder = tmp_path_factory.mktemp("disks")
    artifacts, outputs = folder / "artifacts", folder / "outputs"
    with ExitStack() as stack:
        try:
            for path in (artifacts, outputs):
                stack.enter_context(small_volume(path, size_kib=4096))
        except pytest.skip.Exception:
            yield Disks(artifacts, outputs, are_small=False)
        else:
            yield Disks(artifacts, outputs, are_small=True)


@pytest.fixture(scope="module")
def settings(
    redis_server: RedisServer, disks: Disks, tmp_path_factory: pytest.TempPathFactory
) -> TrainerSettings:
    data = tmp_path_factory.mktemp("bad")
    write_bad_data(data)
    return TrainerSettings(
        redis_url=redis_server.url,
        artifact_dir=disks.artifacts,
        data_dir=data,
        output_dir=disks.outputs,
        device="cpu",
        torch_threads=1,
        train_queue=1,
        heartbeat_s=0.5,
        health_interval_s=0.1,
        stop_grace_s=0.5,
        node_packages=(FAULTY,),
    )


@pytest.fixture(scope="module")
def trainer(settings: TrainerSettings) -> Trainer:
    return build_trainer(settings)


@pytest.fixture(scope="module")
def stub(trainer: Trainer, settings: TrainerSettings) -> Iterator[CuvisAIServiceStub]:
    with start_service(trainer.service, settings) as running:
        wait_until(lambda: running.health.serving, "SERVING", READY_WITHIN_S)
        with connect(running.address) as channel:
            yield CuvisAIServiceStub(channel)


@pytest.fixture
def client(stub: CuvisAIServiceStub, settings: TrainerSettings) -> TrainingClient:
    return TrainingClient(stub, settings)


@pytest.fixture(scope="module")
def weights_of_epochs(stub: CuvisAIServiceStub, settings: TrainerSettings) -> dict[str, str]:
    """Digests of the weights after one epoch and after two."""
    names = {}
    for keeps, epochs in (("one epoch", 1), ("two epochs", 2)):
        client = TrainingClient(stub, settings)
        apply(client, training={"max_epochs": epochs})
        assert read(train(client, TRAINS))[1] is None
        names[keeps] = client.session.pipeline.weights_digest
    return names


def pipeline_of(case: Case, disks: Disks) -> dict[str, object]:
    """Return the valid pipeline with the changes of the case."""
    config = pipeline_config().to_dict()
    nodes, connections = config["nodes"], config["connections"]
    nodes.append(node("distance", LOSS))
    connections += [
        edge("MinMaxNormalizer.normalized", "distance.reconstruction"),
        edge("LentilsAnomalyDataNode.cube", "distance.target"),
    ]
    if case.fault:
        folders = {ARTIFACTS: str(disks.artifacts), OUTPUTS: str(disks.outputs), "": ""}
        folder = folders[case.fault.get("folder", "")]
        nodes.append(node("faulty", f"{FAULTY}.Faulty", **{**case.fault, "folder": folder}))
        target = "MinMaxNormalizer.inputs.data" if case.before_fit else "bce.inputs.predictions"
        before = next(each for each in connections if each["target"] == target)
        before["target"] = "faulty.inputs.data"
        connections.append({"source": "faulty.outputs.passed", "target": target})
    if case.monitor:
        nodes.append(node("board", MONITOR, **case.monitor))
        connections.append(edge("metrics_anomaly.metrics", "board.metrics"))
    return config


def apply(client: TrainingClient, pipeline: object = None, **changes: dict) -> None:
    client.apply(
        pipeline=pipeline or pipeline_config().to_dict(),
        data=RIGHT_DATA | changes.get("data", {}),
        training=RIGHT_TRAINING | changes.get("training", {}),
        **RIGHT_LISTS | changes.get("lists", {}),
    )


def train(client: TrainingClient, kind: int, **data: object) -> grpc.Call:
    request = pb.TrainRequest(session_id=client.session_id, trainer_type=kind)
    request.data.config_bytes = json.dumps(RIGHT_DATA | data).encode()
    return client.stub.Train(request, timeout=CALL_WITHIN_S)


def provoke(client: TrainingClient, case: Case, disks: Disks):
    """Train as the case says; return the last messages, their error, and the weights before."""
    try:
        changes = {"data": case.data, "lists": case.lists, "training": case.training}
        apply(client, pipeline_of(case, disks), **changes)
    except grpc.RpcError as error:
        return [], error, ""
    for kind in case.kinds[:-1]:
        assert read(train(client, kind))[1] is None
    before = client.session.pipeline.weights_digest
    return *read(train(client, case.kinds[-1], **case.data)), before


def is_finite(client: TrainingClient) -> bool:
    stored = client.session.pipeline
    pipeline = build_pipeline(parse_config(PipelineConfig, stored.config_json, "pipeline"))
    from_safetensors(pipeline, client.artifacts.get(stored.weights_digest))
    return all(
        bool(value.isfinite().all())
        for values in state_of(pipeline).values()
        for value in values.values()
    )


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_bad_input(case, client, trainer, settings, disks, weights_of_epochs):
    if case.fault.get("folder") and not disks.are_small:
        pytest.skip("no volume can be mounted here")
    wait_until(trainer.pool.pids, "a worker", READY_WITHIN_S)
    workers = set(trainer.pool.pids())

    messages, error, before = provoke(client, case, disks)
    disks.free()

    code = grpc.StatusCode.OK if error is None else error.code()
    text = messages[-1].message if error is None else error.details()
    assert code is case.code, text
    assert re.search(case.text, text), text
    assert not INTERNALS.search(text), text
    assert not any(place in text for place in (SECRET, str(disks.outputs.parent), str(Path.cwd())))
    if error is None:
        assert is_finite(client)
    else:
        _assert_reported(client, messages, text)
        kept = client.session.pipeline.weights_digest
        assert kept == {"before": before, **weights_of_epochs}[case.keeps]
    if code in SPENT:
        # The process that retains the memory, or has the defect, is replaced.
        wait_until(lambda: not workers & set(trainer.pool.pids()), "another worker", CALL_WITHIN_S)
    apply(client)
    assert read(train(client, TRAINS))[1] is None
    assert client.session.pipeline.weights_digest == weights_of_epochs["two epochs"]


def _assert_reported(client: TrainingClient, messages: list[pb.TrainResponse], text: str) -> None:
    """Assert that a run, if one was created, ended with one ERROR message, as in its status."""
    if not messages:
        return
    terminal = [each for each in messages if each.status != pb.TRAIN_STATUS_RUNNING]
    assert terminal == [messages[-1]]
    assert messages[-1].status == pb.TRAIN_STATUS_ERROR
    # For an unexpected error the interceptor reports only the trace id.
    assert messages[-1].message.startswith(text)
    assert client.status() == messages[-1]


def test_only_errors_that_no_input_causes_are_internal():
    internal = [name for name, case in CASES.items() if case.code is grpc.StatusCode.INTERNAL]
    assert internal == ["a defect of a node", "a node reads a broken disk"]
    assert all(CASES[name].fault for name in internal)


@pytest.mark.parametrize(
    ("method", "state", "fields", "code", "text"),
    CALLS,
    ids=[f"{method} {state} {number}" for number, (method, state, *_) in enumerate(CALLS)],
)
def test_calls_in_every_state_of_a_session(method, state, fields, code, text, client):
    if state in {IDLE, BUSY}:
        apply(client, training={"max_epochs": 5000 if state is BUSY else 2})
    busy = train(client, TRAINS) if state is BUSY else iter(())
    if state is BUSY:
        read_until(busy, "Epoch 1")
    session_id = str(uuid.uuid4()) if state is UNKNOWN else client.session_id
    request = getattr(pb, f"{method}Request")(session_id=session_id, **fields)

    try:
        answer = getattr(client.stub, method)(request, timeout=CALL_WITHIN_S)
        replies = list(answer) if method == "Train" else [answer]
    except grpc.RpcError as error:
        code_received, details = error.code(), error.details()
    else:
        code_received, details = OK, str(replies[-1])

    assert code_received is code, details
    assert re.search(text, details), details
    if state is BUSY:
        assert client.stop().accepted
        assert read(busy)[0][-1].status == pb.TRAIN_STATUS_CANCELLED
    apply(client)
    assert read(train(client, TRAINS))[1] is None


def test_weights_of_another_pipeline_are_refused_and_the_session_keeps_its_weights(
    client, settings
):
    other = TrainingClient(client.stub, settings)
    other.apply()
    saved = other.stub.SaveTrainRun(
        pb.SaveTrainRunRequest(session_id=other.session_id, trainrun_path="other.yaml")
    )
    apply(client)
    assert read(train(client, TRAINS))[1] is None
    mine = client.stub.SaveTrainRun(
        pb.SaveTrainRunRequest(
            session_id=client.session_id, trainrun_path="mine.yaml", save_weights=True
        )
    )
    before = client.session
    assert saved.success
    request = pb.RestoreTrainRunRequest(
        session_id=client.session_id,
        trainrun_path="other.yaml",
        weights_path=mine.weights_path,
        strict=True,
    )

    with pytest.raises(grpc.RpcError) as refused:
        client.stub.RestoreTrainRun(request, timeout=CALL_WITHIN_S)

    assert refused.value.code() is INVALID
    assert re.search("normalizer|detector|RXGlobal", refused.value.details())
    assert client.session == before
    assert read(train(client, TRAINS))[1] is None
