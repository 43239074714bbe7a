"""Errors of the methods that train and follow training runs."""

import json
from collections.abc import Callable
from typing import Any

import grpc

from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb2
from tests.e2e.errors.row import Row, RowTestedElsewhere, Session, Situation, TableRow
from tests.e2e.errors.rows.recurring import (
    INSIDE,
    fields,
    no_pipeline,
    row,
    unknown_session,
)
from tests.support.case import EARLY, EXHAUSTED, INVALID, MISSING, Fields

_DATA: dict[str, Any] = {"cu3s_file_path": "scene.npz", "train_ids": [0, 2], "val_ids": [1]}
_IDS = "Use the numbers of measurements in the file."
_KNOWN = "Use a name that `GetTrainingCapabilities` lists."
_NAMED = "tests/service/trainer/test_named_trainings.py"


def _train(
    name: str,
    code: grpc.StatusCode,
    text: str,
    remedy: str,
    make: Callable[[], Fields] = dict,
    **options: Any,
) -> Row:
    return row("Train", name, code, text, remedy, make, **options)


def _on(name: str, code: grpc.StatusCode, text: str, remedy: str, **data: Any) -> Row:
    """A statistical training run on other data."""

    def make() -> Fields:
        return {"data": pb2.DataConfig(config_bytes=json.dumps(_DATA | data).encode())}

    return _train(name, code, text, remedy, make, session=Session.LOADED)


def _gradient(name: str, text: str, remedy: str, **training: Any) -> Row:
    def make() -> Fields:
        raw = json.dumps(training).encode()
        return {
            "trainer_type": pb2.TRAINER_TYPE_GRADIENT,
            "training": pb2.TrainingConfig(config_bytes=raw),
        }

    return _train(name, INVALID, text, remedy, make, session=Session.GRADIENT)


def _calibrate(
    name: str, code: grpc.StatusCode, text: str, remedy: str, session: Session, **data: Any
) -> Row:
    def make() -> Fields:
        return {
            "trainer_type": pb2.TRAINER_TYPE_CALIBRATION,
            "data": pb2.DataConfig(config_bytes=json.dumps(_DATA | data).encode()),
        }

    return _train(name, code, text, remedy, make, session=session)


def _elsewhere(name: str, code: str, text: str, remedy: str, proof: str) -> RowTestedElsewhere:
    return RowTestedElsewhere(
        name=name, method="Train", code=code, text=text, remedy=remedy, proof=proof
    )


NOTES = {
    "Train": "If a training fails after it has started, its last message has the status ERROR and "
    "the error's text, and then the stream ends with the matching code and the same text. A "
    "rejected call does not start a training.\n\n"
    "If a client disconnects or its deadline passes, the stream ends but the training continues, "
    "running or queued. Call `Train` again to follow it, or `StopTrain` to stop it.\n\n"
    "The metadata `x-fleet-training-key` identifies a training run: if a run was "
    "already started with that key, `Train` follows it, up to a day after its end, and ends "
    "as the first call would have ended.",
    "StopTrain": "If no training is running, `StopTrain` cancels the next one before it starts, "
    "unless `SetTrainRunConfig` or `RestoreTrainRun` is called first.",
    "GetTrainStatus": "A failed training run does not make this call fail: the message in the "
    "reply has the status ERROR and the reason.",
}

ROWS: list[TableRow] = [
    unknown_session("Train"),
    no_pipeline(
        "Train", "This session has no pipeline. Call LoadPipeline or SetTrainRunConfig first."
    ),
    _train(
        "an unset trainer_type",
        INVALID,
        "trainer_type 0 is unknown. Send one of: TRAINER_TYPE_STATISTICAL (1), "
        "TRAINER_TYPE_GRADIENT (2), TRAINER_TYPE_CALIBRATION (3).",
        "Set `trainer_type`.",
        fields(trainer_type=0),
    ),
    _train(
        "an unknown trainer_type",
        INVALID,
        "trainer_type 99 is unknown. Send one of: TRAINER_TYPE_STATISTICAL (1), "
        "TRAINER_TYPE_GRADIENT (2), TRAINER_TYPE_CALIBRATION (3).",
        "Set `trainer_type`.",
        fields(trainer_type=99),
    ),
    _train(
        "no data",
        INVALID,
        "There is no data to train on. Send it as 'data' of the TrainRequest, or in a "
        "trainrun with SetTrainRunConfig.",
        "Send `data`, or call `SetTrainRunConfig`.",
        session=Session.LOADED,
    ),
    _train(
        "malformed data",
        INVALID,
        "data: not JSON: Expecting property name enclosed in double quotes at line 1, column 2.",
        "Send the config as UTF-8 JSON.",
        fields(data=pb2.DataConfig(config_bytes=b"{")),
    ),
    _on(
        "no measurements to train on",
        INVALID,
        "data.train_ids is empty. Name at least one measurement to train on, such as [0, 1, 2].",
        _IDS,
        train_ids=[],
    ),
    _on(
        "a measurement that does not exist",
        INVALID,
        "The train split names measurement 77, which 'scene.npz' does not have; its "
        "measurements are 0 to 6.",
        _IDS,
        train_ids=[0, 77],
    ),
    _on(
        "a data file that does not exist",
        MISSING,
        "File 'not_there.npz' not found; looked in the working directory and the data folder.",
        "Check the path.",
        cu3s_file_path="not_there.npz",
    ),
    _on(
        "a data file outside the readable folders",
        INVALID,
        "Path '/etc/passwd' is outside the folders that this server may read.",
        INSIDE,
        cu3s_file_path="/etc/passwd",
    ),
    _on(
        "a corrupted data file",
        INVALID,
        "Data file 'broken.npz' cannot be read: it is not a complete .npz file of plain numbers "
        "with 'cube' [N,H,W,C] or [H,W,C] and, optionally, 'wavelengths' [C] and 'mask' [N,H,W] "
        "or [H,W].",
        "Write the file again.",
        cu3s_file_path="broken.npz",
    ),
    _on(
        "a file of an unsupported format",
        INVALID,
        "Data file 'Lentils/Lentils_000.json' has an unknown format; supported: .cu3s, "
        "ENVI (name the .hdr), .mat, .npy, .npz, .tif and .tiff.",
        "Use a file in one of the formats listed in the text.",
        cu3s_file_path="Lentils/Lentils_000.json",
    ),
    _on(
        "a different number of channels",
        INVALID,
        "Fitting RXGlobal, measurement 0: Node 'RXGlobal', input 'data': got 5 channels; "
        "expected 61 channels (hparam num_channels).",
        "Load a pipeline that is made for the number of channels in the data.",
        cu3s_file_path="narrow.npz",
    ),
    _gradient(
        "an unknown optimizer",
        "training.optimizer.name 'adem' is unknown. Did you mean 'adam'? Known: adam, adamw, sgd.",
        _KNOWN,
        optimizer={"name": "adem", "lr": 0.1},
    ),
    _gradient(
        "an unknown scheduler",
        "training.scheduler.name 'cosinus' is unknown. Did you mean 'cosine'? Known: "
        "reduce_on_plateau, cosine, step, exponential, plateau.",
        _KNOWN,
        optimizer={"name": "adam", "lr": 0.1},
        scheduler={"name": "cosinus"},
    ),
    _gradient(
        "a setting of the wrong type",
        "training.max_epochs: must be a valid integer, got 'many'.",
        "Use a value of the type named in the text.",
        max_epochs="many",
    ),
    _gradient(
        "a setting that the server does not support",
        "training.accelerator 'tpu' is unknown; known: auto, cpu, gpu, cuda.",
        "Use one of the values listed in the text.",
        optimizer={"name": "adam", "lr": 0.1},
        accelerator="tpu",
    ),
    _train(
        "no training settings",
        INVALID,
        "There are no training settings. Send them as 'training' of the TrainRequest, or in "
        "a trainrun with SetTrainRunConfig.",
        "Send `training`, or call `SetTrainRunConfig`.",
        fields(
            trainer_type=pb2.TRAINER_TYPE_GRADIENT,
            data=pb2.DataConfig(config_bytes=json.dumps(_DATA).encode()),
        ),
        session=Session.LOADED,
    ),
    _train(
        "no loss nodes",
        INVALID,
        "loss_nodes is empty. Name at least one node of the pipeline whose output the "
        "training minimises, in a trainrun with SetTrainRunConfig.",
        "Name the loss nodes in the trainrun.",
        fields(trainer_type=pb2.TRAINER_TYPE_GRADIENT),
    ),
    _calibrate(
        "calibration before training",
        EARLY,
        "The pipeline has no trained weights to calibrate with. Call Train with "
        "TRAINER_TYPE_STATISTICAL or TRAINER_TYPE_GRADIENT first, or LoadPipelineWeights.",
        "Train first, or load weights.",
        Session.LOADED,
    ),
    _calibrate(
        "no measurements to calibrate on",
        INVALID,
        "data.val_ids is empty. Name the labelled measurements to calibrate on, such as [3, 4].",
        _IDS,
        Session.FITTED,
        val_ids=[],
    ),
    _train(
        "a training of another type is running",
        EARLY,
        "Another training run (TRAINER_TYPE_GRADIENT) is active in this session. Call Train with "
        "that type to follow it, and with TRAINER_TYPE_STATISTICAL after it has ended.",
        "Follow it with its own type, or call `StopTrain`.",
        session=Session.TRAINING,
        situation=Situation.SLOT_TAKEN,
    ),
    _train(
        "too many training runs are queued",
        EXHAUSTED,
        "All training slots are busy and 8 training runs are queued, which is the limit. Call "
        "Train again in 10 s.",
        "Wait for the stated time and call again.",
        session=Session.FITTED,
        situation=Situation.TRAINING_QUEUE_FULL,
    ),
    _elsewhere(
        "a malformed training key",
        "INVALID_ARGUMENT",
        "The metadata x-fleet-training-key is '<key>'. Send 16 to 64 letters, digits, '-' or '_', "
        "generated at random for each training run.",
        "Send a key of the stated form, or no key.",
        f"{_NAMED}::test_a_malformed_key_is_refused_before_a_run_is_created",
    ),
    _elsewhere(
        "the key of a training of another type",
        "FAILED_PRECONDITION",
        "The training run with this key was TRAINER_TYPE_STATISTICAL. Call Train with that type "
        "to follow it, or use another key to run TRAINER_TYPE_GRADIENT.",
        "Use a new key for each training.",
        f"{_NAMED}::test_a_key_keeps_its_kind_of_training",
    ),
    _elsewhere(
        "with `x-fleet-training-begun`, a training that is no longer stored",
        "NOT_FOUND",
        "This training run is unknown or has expired: a run is kept for a day after its end. To "
        "train again, call Train without the metadata x-fleet-training-begun.",
        "Train again if the trained pipeline was not saved.",
        f"{_NAMED}::test_following_an_expired_training_does_not_launch_another",
    ),
    _elsewhere(
        "no memory left",
        "RESOURCE_EXHAUSTED",
        "Training ran out of memory. Use a smaller data.batch_size or smaller measurements, "
        "or call Train again when the device is less busy.",
        "Use a smaller `data.batch_size`.",
        "tests/service/trainer/test_bad_input.py::test_bad_input",
    ),
    _elsewhere(
        "no disk space left",
        "RESOURCE_EXHAUSTED",
        "The artifact volume is full; free some space and try again.",
        "Contact the operator.",
        "tests/service/trainer/test_bad_input.py::test_bad_input",
    ),
    _elsewhere(
        "the training process was killed repeatedly",
        "UNAVAILABLE",
        "The training process was killed by signal 9, perhaps because memory ran out. The "
        "session can still be used; call Train again. The training run was started 3 times "
        "without progress.",
        "Use a smaller `data.batch_size`, or contact the operator.",
        "tests/service/trainer/test_child_death.py::"
        "test_a_run_that_kills_its_workers_fails_with_the_cause",
    ),
    unknown_session("StopTrain"),
    unknown_session("GetTrainStatus"),
]
