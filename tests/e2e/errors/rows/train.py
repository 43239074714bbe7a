"""Errors of the methods that train and follow trainings."""

import json
from collections.abc import Callable
from typing import Any

import grpc

from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb2
from tests.e2e.errors.row import ProvenElsewhere, Row, Session, Situation, TableRow
from tests.e2e.errors.rows.recurring import (
    INSIDE,
    fields,
    no_pipeline,
    row,
    unknown_session,
)
from tests.support.case import EARLY, EXHAUSTED, INVALID, MISSING, Fields

_DATA: dict[str, Any] = {"cu3s_file_path": "scene.npz", "train_ids": [0, 2], "val_ids": [1]}
_IDS = "Name measurements that the file has."
_KNOWN = "Use one of those that `GetTrainingCapabilities` lists."
_NODES = "Name nodes of the pipeline."
_NAMED = "tests/service/trainer/test_named_trainings.py"
_STARTED = "The training had begun: its last message says the same."


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
    """A statistical training on other data."""

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


def _elsewhere(name: str, code: str, text: str, remedy: str, proof: str) -> ProvenElsewhere:
    return ProvenElsewhere(
        name=name, method="Train", code=code, text=text, remedy=remedy, proof=proof
    )


NOTES = {
    "Train": "A training that had begun tells its error in a last message with the status ERROR, "
    "then ends the stream with the matching code and the same text. When a client leaves, or its "
    "deadline passes, the stream ends and not the training, whether it runs or waits: call `Train` "
    "again to follow it, `StopTrain` to end it. A key in the metadata `x-fleet-training-key` names "
    "the training: `Train` with a key that began one follows that one, for a day after its end "
    "too, and ends as the first call would have. A call that was refused began none.",
    "StopTrain": "Where no training runs, the next one is cancelled before it begins, unless "
    "`SetTrainRunConfig` or `RestoreTrainRun` is called first.",
    "GetTrainStatus": "A training that failed is no error here: the reply's message has the status "
    "ERROR and the reason.",
}

ROWS: list[TableRow] = [
    unknown_session("Train"),
    no_pipeline(
        "Train", "The session has no pipeline. Call LoadPipeline or SetTrainRunConfig first."
    ),
    _train(
        "no trainer_type",
        INVALID,
        "trainer_type 0 is unknown. Send one of: TRAINER_TYPE_STATISTICAL (1), "
        "TRAINER_TYPE_GRADIENT (2), TRAINER_TYPE_CALIBRATION (3).",
        "Set `trainer_type`.",
        fields(trainer_type=0),
    ),
    _train(
        "unknown trainer_type",
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
        "nothing to train on",
        INVALID,
        "data.train_ids is empty. Name at least one measurement to train on, as [0, 1, 2].",
        _IDS,
        train_ids=[],
    ),
    _on(
        "a measurement that is not there",
        INVALID,
        "There is no measurement 77 in 'scene.npz', which the train split names; its "
        "measurements are 0 to 6.",
        _IDS,
        train_ids=[0, 77],
    ),
    _on(
        "no such data file",
        MISSING,
        "File 'not_there.npz' not found; looked in the working directory and the data folder.",
        "Check the path.",
        cu3s_file_path="not_there.npz",
    ),
    _on(
        "a data file outside",
        INVALID,
        "Path '/etc/passwd' lies outside the folders that this server may read.",
        INSIDE,
        cu3s_file_path="/etc/passwd",
    ),
    _on(
        "a broken data file",
        INVALID,
        "Data file 'broken.npz' cannot be read: it is not a whole .npz file of plain numbers "
        "with 'cube' [N,H,W,C] or [H,W,C] and, if any, 'wavelengths' [C] and 'mask' of the "
        "cube's first axes.",
        "Write the file anew.",
        cu3s_file_path="broken.npz",
    ),
    _on(
        "a file of another kind",
        INVALID,
        "Data file 'Lentils/Lentils_000.json' is of an unknown kind; supported are .cu3s, "
        "ENVI (name the .hdr), .mat, .npy, .npz, .tif and .tiff.",
        "Name a file with one of these endings.",
        cu3s_file_path="Lentils/Lentils_000.json",
    ),
    _on(
        "wrong channels",
        INVALID,
        "Fitting RXGlobal, measurement 0: Node 'RXGlobal', input 'data': got 5 channels; "
        "needed: 61 channels, as the hparam num_channels says.",
        "Load a pipeline for as many channels as the data have.",
        cu3s_file_path="narrow.npz",
    ),
    _gradient(
        "unknown optimizer",
        "training.optimizer.name 'adem' is unknown. Did you mean 'adam'? Known: adam, adamw, sgd.",
        _KNOWN,
        optimizer={"name": "adem", "lr": 0.1},
    ),
    _gradient(
        "unknown scheduler",
        "training.scheduler.name 'cosinus' is unknown. Did you mean 'cosine'? Known: "
        "reduce_on_plateau, cosine, step, exponential, plateau.",
        _KNOWN,
        optimizer={"name": "adam", "lr": 0.1},
        scheduler={"name": "cosinus"},
    ),
    _gradient(
        "wrong type of a setting",
        "training.max_epochs: must be a valid integer, unable to parse string as an integer, "
        "got 'many'.",
        "Give a value of the type named.",
        max_epochs="many",
    ),
    _gradient(
        "a setting that this server cannot meet",
        "training.accelerator 'tpu' is unknown; known: auto, cpu, gpu, cuda.",
        "Use what the text names.",
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
        "no losses",
        INVALID,
        "loss_nodes is empty. Name at least one node of the pipeline whose output is to be "
        "minimised, in a trainrun with SetTrainRunConfig.",
        "Name loss nodes in the trainrun.",
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
        "nothing to calibrate on",
        INVALID,
        "data.val_ids is empty. Name the labelled measurements to calibrate on, as [3, 4].",
        _IDS,
        Session.FITTED,
        val_ids=[],
    ),
    _train(
        "a training of another type runs",
        EARLY,
        "Another training (TRAINER_TYPE_GRADIENT) runs in this session. Call Train with that "
        "type to follow it, and TRAINER_TYPE_STATISTICAL when it has ended.",
        "Follow it with its own type, or call `StopTrain`.",
        session=Session.TRAINING,
        situation=Situation.SLOT_TAKEN,
    ),
    _train(
        "too many trainings wait",
        EXHAUSTED,
        "All training slots are taken and 8 trainings wait, which is as many as may. Call "
        "Train again in 10 s.",
        "Wait as told and call again.",
        session=Session.FITTED,
        situation=Situation.TRAINING_QUEUE_FULL,
    ),
    _elsewhere(
        "a training key that is none",
        "INVALID_ARGUMENT",
        "The metadata x-fleet-training-key is '<key>'. Send 16 to 64 letters, digits, '-' or '_', "
        "made at random for each training.",
        "Send a key of that form, or none.",
        f"{_NAMED}::test_what_is_no_key_is_refused_before_anything_is_made",
    ),
    _elsewhere(
        "a training of another type had that key",
        "FAILED_PRECONDITION",
        "The training that is meant was TRAINER_TYPE_STATISTICAL. Call Train with that type to be "
        "told of it, and with another key to train as TRAINER_TYPE_GRADIENT.",
        "Make a key for each training.",
        f"{_NAMED}::test_a_key_keeps_to_its_kind_of_training",
    ),
    _elsewhere(
        "a training that was begun, by `x-fleet-training-begun`, and is forgotten",
        "NOT_FOUND",
        "This training is not known any more, or never was: what has ended is kept for a day. Call "
        "Train without the metadata x-fleet-training-begun to train.",
        "Train anew, if its pipeline is not saved.",
        f"{_NAMED}::test_a_training_that_is_forgotten_is_not_begun_again_by_who_follows_it",
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
        "no space left",
        "RESOURCE_EXHAUSTED",
        "The artifact volume is full; free some space and try again.",
        "Tell the operator.",
        "tests/service/trainer/test_bad_input.py::test_bad_input",
    ),
    _elsewhere(
        "its process was killed again and again",
        "UNAVAILABLE",
        "The process that trained was killed by signal 9, perhaps because memory ran out. The "
        "session is usable; call Train again. The training was begun 3 times without getting "
        "further.",
        "Use a smaller `data.batch_size`, or tell the operator.",
        "tests/service/trainer/test_child_death.py::"
        "test_a_run_that_kills_its_children_ends_with_what_killed_them",
    ),
    unknown_session("StopTrain"),
    unknown_session("GetTrainStatus"),
]
