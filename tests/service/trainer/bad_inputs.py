"""Cases of bad input: what is sent, the error, and the weights of the session afterwards."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from grpc import StatusCode

from fleet_proto.cuvis_ai.v1.cuvis_ai_pb2 import (
    TRAINER_TYPE_CALIBRATION,
    TRAINER_TYPE_GRADIENT,
    TRAINER_TYPE_STATISTICAL,
)

FITS, TRAINS, CALIBRATES = (
    TRAINER_TYPE_STATISTICAL,
    TRAINER_TYPE_GRADIENT,
    TRAINER_TYPE_CALIBRATION,
)
MISSING, EXHAUSTED = StatusCode.NOT_FOUND, StatusCode.RESOURCE_EXHAUSTED
STEPS_OF_AN_EPOCH, VALIDATIONS_OF_AN_EPOCH = 3, 1
OUTPUTS, ARTIFACTS = "<outputs>", "<artifacts>"
LAST_EPOCH = "The session has the weights of the last whole epoch"


_NONE: Mapping[str, Any] = MappingProxyType({})


class Case(NamedTuple):
    """One bad input.

    Attributes:
        text: Pattern of the error's text, or of the last message if the training succeeds.
        code: The status of the call.
        kinds: Types of training in their order; the expectations apply to the last one.
        data, lists, training: Changes of a valid trainrun.
        fault: Hparams of a `Faulty` node before the loss; with `before_fit` before the normaliser.
        monitor: Hparams of a TensorBoard node.
        keeps: The weights that the session has afterwards: those before the last training, or those
            of its complete epochs.
    """

    text: str
    code: StatusCode = StatusCode.INVALID_ARGUMENT
    kinds: tuple[int, ...] = (TRAINS,)
    data: Mapping[str, Any] = _NONE
    lists: Mapping[str, Any] = _NONE
    training: Mapping[str, Any] = _NONE
    fault: Mapping[str, Any] = _NONE
    before_fit: bool = False
    monitor: Mapping[str, Any] = _NONE
    keeps: Literal["before", "one epoch", "two epochs"] = "before"


def _fits(text: str, **fields: Any) -> Case:
    return Case(text, kinds=(FITS,), **fields)


def _calibrates(text: str, **fields: Any) -> Case:
    return Case(text, kinds=(FITS, CALIBRATES), **fields)


def _setting(text: str, **training: Any) -> Case:
    return Case(text, training=training)


def _works(text: str = "Gradient training complete", **training: Any) -> Case:
    return Case(text, StatusCode.OK, training=training)


def _checkpoint(**settings: Any) -> dict[str, Any]:
    return {"callbacks": {"checkpoint": {"dirpath": "best", "monitor": "val/bce"} | settings}}


def _checkpoints(text: str, **settings: Any) -> Case:
    return _setting(text, **_checkpoint(**settings))


def _stopping(text: str, *settings: dict[str, Any], **fields: Any) -> Case:
    watch = [{"monitor": "val/bce"} | each for each in settings]
    return Case(text, training={"callbacks": {"early_stopping": watch}}, **fields)


def _labels(text: str, file: str, **fields: Any) -> Case:
    return Case(text, data={"annotation_json_path": file}, **fields)


def _in_second_epoch(fault: str, **fields: Any) -> dict[str, Any]:
    return {"fault": fault, "after": STEPS_OF_AN_EPOCH + 1, **fields}


_DOES_NOT_FIT = r"^Annotation 1 of '{}' does not fit measurement 0 of 12 x 12 pixels: "
_NO_COCO = r"is not COCO JSON; it needs 'annotations'"
_OUTSIDE = "is outside the folder that this server writes to; use a relative path"
_OUT_OF_MEMORY = "^Training ran out of memory. Use a smaller data.batch_size"
_NO_VALUE = "but no value of that name is logged. Logged are: .*train_loss"

CASES: dict[str, Case] = {
    "unknown optimizer": _setting(
        "^training.optimizer.name 'rmsprop' is unknown.* Known: adam,",
        optimizer={"name": "rmsprop"},
    ),
    "optimizer without a name": _setting(
        "^training.optimizer.name '' is unknown", optimizer={"name": ""}
    ),
    "unknown scheduler": _setting(
        "^training.scheduler.name 'cosinus' is unknown. Did you mean 'cosine'",
        scheduler={"name": "cosinus"},
    ),
    "unknown loss node": Case(
        "^loss_nodes names no, which .* Its nodes: .*bce", lists={"loss_nodes": ["no"]}
    ),
    "unknown metric node": Case("^metric_nodes names no, ", lists={"metric_nodes": ["no"]}),
    "unknown frozen node": Case("^freeze_nodes names no, ", lists={"freeze_nodes": ["no"]}),
    "unknown unfrozen node": Case("^unfreeze_nodes names no, ", lists={"unfreeze_nodes": ["no"]}),
    "no loss node": Case("^loss_nodes is empty", lists={"loss_nodes": []}),
    "loss node that gives no number": Case(
        "^loss_nodes: the output 'decisions' of 'BinaryDecider' is not a scalar",
        lists={"loss_nodes": ["BinaryDecider"]},
    ),
    "metric node that gives no metrics": Case(
        "^metric_nodes: 'bce' has no output 'metrics'", lists={"metric_nodes": ["bce"]}
    ),
    "frozen and unfrozen": Case(
        "^freeze_nodes and unfreeze_nodes both name RXGlobal",
        lists={"freeze_nodes": ["RXGlobal"]},
    ),
    "nothing trainable": Case(
        "^Nothing is trainable: .* RXGlobal, ScoreToLogit", lists={"unfreeze_nodes": []}
    ),
    "loss of nothing that is trained": Case(
        "^The loss of distance does not depend on anything that is trained. Unfreeze",
        lists={"loss_nodes": ["distance"], "metric_nodes": []},
    ),
    # Splits
    "nothing to fit": _fits("^data.train_ids is empty", data={"train_ids": []}),
    "nothing to train on": Case("^data.train_ids is empty", data={"train_ids": []}),
    "nothing to calibrate on": _calibrates("^data.val_ids is empty", data={"val_ids": []}),
    "no validation": Case("complete", StatusCode.OK, data={"val_ids": []}),
    "no validation that is watched": Case(
        f"^training.scheduler.monitor is 'val_loss', {_NO_VALUE}",
        data={"val_ids": []},
        training={"scheduler": {"name": "plateau"}},
    ),
    "no test": Case("complete", StatusCode.OK, data={"test_ids": []}),
    "calibration of what is not trained": Case(
        "^The pipeline has no trained weights", StatusCode.FAILED_PRECONDITION, (CALIBRATES,)
    ),
    **{
        f"no measurement {index} to {what}": Case(
            rf"^The {split} split names measurement {index}, which '\S+' does not have; its"
            r" measurements are 0 to 7",
            kinds=kinds,
            data={f"{split}_ids": [5, index]},
        )
        for what, kinds in {
            "fit": (FITS,),
            "train": (TRAINS,),
        }.items()
        for split in ("train", "val", "test")
        for index in (-1, 8, 10**30)
    },
    # Values
    "NaN in training data, fitted": _fits(
        "^Measurement 2 of 'nan_train.npz' contains NaN", data={"cu3s_file_path": "nan_train.npz"}
    ),
    "NaN in training data": Case(
        "^Measurement 2 of 'nan_train.npz' contains NaN", data={"cu3s_file_path": "nan_train.npz"}
    ),
    "NaN in training data of a fitted pipeline": Case(
        "^Measurement 2 of 'nan_train.npz' contains NaN",
        kinds=(FITS, TRAINS),
        data={"cu3s_file_path": "nan_train.npz"},
    ),
    "infinite values in validation data": Case(
        "^Measurement 5 of 'infinite_val.npz' contains NaN or infinite",
        data={"cu3s_file_path": "infinite_val.npz"},
    ),
    "infinite values in validation data from the second epoch on": Case(
        f"^Measurement 5 of 'infinite_val.npz' contains NaN or infinite.*{LAST_EPOCH}",
        data={"cu3s_file_path": "infinite_val.npz"},
        training={"check_val_every_n_epoch": 2, "num_sanity_val_steps": 0},
        keeps="one epoch",
    ),
    "infinite values in validation data, calibrated": _calibrates(
        "^Calibration complete; no threshold was changed, Measurement 5 of 'infinite_val.npz'",
        code=StatusCode.OK,
        data={"cu3s_file_path": "infinite_val.npz"},
    ),
    "values beyond float32": _fits(
        "^Fitting MinMaxNormalizer, measurement 0, 1: the data contains NaN or infinite",
        data={"cu3s_file_path": "overflow.npz"},
    ),
    "a node makes NaN while fitting": _fits(
        "^Fitting MinMaxNormalizer, measurement 0, 1: the data contains NaN",
        fault={"fault": "nan", "when": "inference"},
        before_fit=True,
    ),
    "loss is NaN at once": Case(
        r"^The loss became nan in epoch 0, batch 0 \(measurements \d, \d; bce = nan\)",
        fault={"fault": "nan"},
    ),
    "loss becomes NaN": Case(
        rf"^The loss became nan in epoch 1, batch 1 \(measurements .*{LAST_EPOCH}",
        fault=_in_second_epoch("nan"),
        keeps="one epoch",
    ),
    "loss becomes infinite": Case(
        rf"^The loss became (inf|nan) in epoch 1, batch 1 .*{LAST_EPOCH}",
        fault=_in_second_epoch("infinite"),
        keeps="one epoch",
    ),
    "validation loss becomes NaN": Case(
        rf"^The loss became nan in the validation of epoch 1, batch 0 \(measurements 5, 6"
        rf".*{LAST_EPOCH}",
        fault={"fault": "nan", "when": "val", "after": 2 * VALIDATIONS_OF_AN_EPOCH},
        keeps="one epoch",
    ),
    "weights become NaN in the last step": Case(
        "^Weights became NaN or infinite in epoch 1: .*ScoreToLogit.scale.* smaller"
        f" training.optimizer.lr .*{LAST_EPOCH}",
        data={"val_ids": []},
        fault={"fault": "exploding_gradient", "after": 2 * STEPS_OF_AN_EPOCH - 1},
        keeps="one epoch",
    ),
    # Labels
    "no labels": Case(
        "^Node 'bce', input 'targets': .* Measurements 5, 6 are not labelled; .*"
        " data.annotation_json_path",
        data={"cu3s_file_path": "unlabelled.npz"},
        lists={"metric_nodes": []},
    ),
    "no labels to calibrate by": _calibrates(
        "no threshold was changed, measurement 5 is not labelled",
        code=StatusCode.OK,
        data={"cu3s_file_path": "unlabelled.npz"},
    ),
    "one class to calibrate by": _calibrates(
        "no threshold was changed, the validation split has no anomalous pixels",
        code=StatusCode.OK,
        data={"cu3s_file_path": "one_class.npz"},
    ),
    "no data file": Case("^File 'no.npz' not found", MISSING, data={"cu3s_file_path": "no.npz"}),
    "no arrays": Case("'broken.npz'", data={"cu3s_file_path": "broken.npz"}),
    "no annotation file": _labels("^File 'no.json' not found", "no.json", code=MISSING),
    "annotation file elsewhere": _labels("outside the folders that this server may", "/etc/passwd"),
    "cut annotation file": _labels(_NO_COCO, "cut.json"),
    "annotation file with a list": _labels(_NO_COCO, "list.json"),
    "annotation file of bytes": _labels(_NO_COCO, "bytes.json"),
    "annotations of larger images": _labels(
        "^Annotation file 'other_size.json' was made for another image: its image 0 is 99 x 99",
        "other_size.json",
    ),
    "annotations of other images": _labels(
        "^Annotation file 'other_images.json' was made for other data: it annotates images 100",
        "other_images.json",
    ),
    **{
        f"annotation {file}": _labels(_DOES_NOT_FIT.format(file) + text, file)
        for file, text in {
            "outside.json": "a polygon is outside the image",
            "odd.json": "a polygon is not a list of finite x, y pairs",
            "words.json": "a polygon is not a list of finite x, y pairs",
            "no_ring.json": "'segmentation' contains neither polygons nor run lengths",
            "runs_for_another_size.json": "run lengths are for 3 x 3 pixels",
            "runs_without_size.json": "run lengths have no 'size' of two numbers",
            "runs_of_words.json": "run lengths are neither a list of integers nor a string",
            "runs_too_short.json": "run lengths do not add up to the image",
        }.items()
    },
    # Places of written files
    "checkpoints beside the outputs": _checkpoints(f"^Path '../up' {_OUTSIDE}", dirpath="../up"),
    "checkpoints in a folder of the system": _checkpoints(
        f"^Path '/etc/x' {_OUTSIDE}", dirpath="/etc/x"
    ),
    "checkpoint name of another folder": _checkpoints(
        r"checkpoint.filename '../x' leaves its folder", filename="../x"
    ),
    "checkpoint name from the root": _checkpoints("leaves its folder", filename="/etc/x"),
    **{
        f"checkpoint name {name!r}": _checkpoints(
            r"checkpoint.filename '.*' cannot be filled in; braces must contain", filename=name
        )
        for name in ("{epoch", "{}", "{epoch:zz}", "{epoch:999999999d}", "{epoch.__class__}")
    },
    "checkpoint name too long": _checkpoints(
        r"'a+\.\.\.' cannot be the name of a file", filename="a" * 300
    ),
    "checkpoint name with a null byte": _checkpoints(
        r"'a\?b' cannot be the name of a file", filename="a\0b"
    ),
    "event files beside the outputs": Case(
        f"^Path '../up/run_01' {_OUTSIDE}", monitor={"output_dir": "../up"}
    ),
    "event files in a folder of the system": Case(
        f"^Path '/etc/run_01' {_OUTSIDE}", monitor={"output_dir": "/etc"}
    ),
    "event files of a run elsewhere": Case(
        _OUTSIDE, monitor={"output_dir": "tb", "run_name": "../../x"}
    ),
    # Volumes
    "artifact volume full while fitting": _fits(
        "^The artifact volume is full; free some space",
        code=EXHAUSTED,
        data={"train_ids": [3]},
        fault={"fault": "full_disk", "when": "inference", "folder": ARTIFACTS},
        before_fit=True,
    ),
    "artifact volume full before the first epoch is kept": Case(
        "^The artifact volume is full; free some space and try again.$",
        EXHAUSTED,
        fault={"fault": "full_disk", "folder": ARTIFACTS},
    ),
    "artifact volume full in the second epoch": Case(
        f"^The artifact volume is full; .* {LAST_EPOCH}",
        EXHAUSTED,
        fault=_in_second_epoch("full_disk", folder=ARTIFACTS),
        keeps="two epochs",
    ),
    "output volume full at the first checkpoint": Case(
        "^The output volume is full; free some space and try again.$",
        EXHAUSTED,
        training=_checkpoint(),
        fault={"fault": "full_disk", "folder": OUTPUTS},
    ),
    "output volume full at the second checkpoint": Case(
        f"^The output volume is full; .* {LAST_EPOCH}",
        EXHAUSTED,
        training=_checkpoint(save_last="link"),
        fault=_in_second_epoch("full_disk", folder=OUTPUTS),
        keeps="one epoch",
    ),
    "output volume full before event files": Case(
        "^The output volume is full",
        EXHAUSTED,
        fault={"fault": "full_disk", "folder": OUTPUTS},
        monitor={"output_dir": "tb"},
    ),
    # Memory
    "device memory": Case(
        f"{_OUT_OF_MEMORY}.* {LAST_EPOCH}",
        EXHAUSTED,
        fault=_in_second_epoch("device_memory"),
        keeps="one epoch",
    ),
    "device memory in validation": Case(
        f"{_OUT_OF_MEMORY}.* {LAST_EPOCH}",
        EXHAUSTED,
        fault={"fault": "device_memory", "when": "val", "after": 2 * VALIDATIONS_OF_AN_EPOCH},
        keeps="one epoch",
    ),
    "device memory of a library": Case(_OUT_OF_MEMORY, EXHAUSTED, fault={"fault": "cublas_memory"}),
    "host memory": Case(_OUT_OF_MEMORY, EXHAUSTED, fault={"fault": "host_memory"}),
    "host memory of NumPy while fitting": _fits(
        _OUT_OF_MEMORY,
        code=EXHAUSTED,
        fault={"fault": "numpy_memory", "when": "inference"},
        before_fit=True,
    ),
    # Errors that no input causes: the only cases of INTERNAL
    "a defect of a node": Case(
        "^Unexpected error; the server's log has it under trace id [0-9a-f]{32}.$",
        StatusCode.INTERNAL,
        fault=_in_second_epoch("defect"),
        keeps="one epoch",
    ),
    "a node reads a broken disk": Case(
        "^Unexpected error; the server's log has it under trace id [0-9a-f]{32}.$",
        StatusCode.INTERNAL,
        fault={"fault": "broken_disk"},
    ),
    # Settings of the training loop
    **{
        f"max_epochs {value!r}": _setting("training.max_epochs: must be ", max_epochs=value)
        for value in (0, -1, 10_001, 1.5, "x", None)
    },
    **{
        f"precision {value!r}": _setting(
            f"^training.precision '{value}' cannot be used; known: 32-true,", precision=value
        )
        for value in ("8", 8, "", "16-true", "bf16-true", "transformer-engine")
    },
    **{f"precision {each}": _works(precision=each) for each in ("16-mixed", "bf16-mixed", 64, 16)},
    "accelerator gpu": _setting(
        "^training.accelerator is 'gpu', but this server trains on the CPU; use auto",
        accelerator="gpu",
    ),
    "accelerator tpu": _setting(
        "^training.accelerator 'tpu' is unknown; known: auto, cpu,", accelerator="tpu"
    ),
    "4096 devices": _setting("^training.devices is 4096, but this server has", devices=4096),
    "no devices": _setting("^training.devices is 0; it must be at least 1", devices=0),
    "devices of words": _setting("^training.devices 'x' is neither a number nor", devices="x"),
    "unknown strategy": _setting("^training.strategy 'fsdp' is unknown", strategy="fsdp"),
    "two hosts": _setting("^training.num_nodes is 2, but a run of this server", num_nodes=2),
    "validation every 0 batches": _setting(
        "^training.val_check_interval is 0; it must be at least 1", val_check_interval=0
    ),
    "validation every 100 of 3 batches": _setting(
        "^training.val_check_interval is 100, but an epoch has 3 batches", val_check_interval=100
    ),
    "validation every 1.5 epochs": _setting(
        "^training.val_check_interval is 1.5; it must be a share", val_check_interval=1.5
    ),
    "validation every -1 batches": _setting(
        "training.val_check_interval: must be greater", val_check_interval=-1
    ),
    "validation by share across epochs": _setting(
        "^training.val_check_interval is 1.0, a share of an epoch", check_val_every_n_epoch=None
    ),
    "validation every 100 batches across epochs": _works(
        val_check_interval=100, check_val_every_n_epoch=None
    ),
    "validation after almost nothing": _works(val_check_interval=0.0001),
    "validation after 10^9 epochs": _works(check_val_every_n_epoch=10**9),
    "all validation batches before training": _works(num_sanity_val_steps=10**6),
    **{
        f"{value} training batches": _setting(
            "^training.limit_train_batches is 0, which leaves nothing to train on",
            limit_train_batches=value,
        )
        for value in (0, 0.0)
    },
    "a share of training batches below one": _setting(
        "^training.limit_train_batches is 0.01, which of 3 batches is less than one",
        limit_train_batches=0.01,
    ),
    "a share of validation batches below one": _setting(
        "^training.limit_val_batches is 0.01, which of 1 batches is less than one",
        limit_val_batches=0.01,
    ),
    "negative number of training batches": _setting(
        "limit_train_batches: must be greater", limit_train_batches=-1
    ),
    "no validation batches": _works(limit_val_batches=0),
    "all in one batch": Case("complete", StatusCode.OK, data={"batch_size": 10**30}),
    **{
        f"batch_size {value!r}": Case("data.batch_size: must be ", data={"batch_size": value})
        for value in (0, -1, 1.5, "x", None)
    },
    "steps over more batches than there are": _works(accumulate_grad_batches=100),
    "steps over no batches": _setting(
        "accumulate_grad_batches: must be greater", accumulate_grad_batches=0
    ),
    **{f"seed {seed}": _works(seed=seed) for seed in (0, 2**32 - 1)},
    **{
        f"seed {seed}": _setting(
            f"^training.seed is {seed}; it must be 4294967295 at most", seed=seed
        )
        for seed in (2**32, 2**63, 2**64)
    },
    "negative seed": _setting("training.seed: must be greater", seed=-1),
    "negative clipping": _setting("gradient_clip_val: must be greater", gradient_clip_val=-1),
    "clipping to almost nothing": _works(gradient_clip_val=1e-300),
    "unknown setting": _setting(
        "training.epochs: unknown key. Did you mean 'max_epochs'", epochs=3
    ),
    # Optimizer and scheduler
    **{
        f"lr {lr}": _setting("training.optimizer.lr: must be ", optimizer={"lr": lr})
        for lr in (0, -1, 1.1)
    },
    **{f"lr {lr}": _works(optimizer={"lr": lr}) for lr in (1e-300, 1.0)},
    **{
        f"betas {betas}": _setting(
            r"^training.optimizer.betas is \[.*\]; each must be at least 0 and less than 1",
            optimizer={"betas": betas},
        )
        for betas in ([1, 1], [2, 0.9], [0.9, -1])
    },
    "negative weight decay": _setting("weight_decay: must be", optimizer={"weight_decay": -1}),
    "plateau that does not sink": _setting(
        "^training.scheduler.factor is 1.0; it must be less than 1",
        scheduler={"name": "plateau", "factor": 1.0},
    ),
    "plateau of an unknown mode": _setting(
        "^training.scheduler.mode is 'x'; it must be min or max",
        scheduler={"name": "plateau", "mode": "x"},
    ),
    "plateau of an unknown value": _setting(
        f"^training.scheduler.monitor is 'nope', {_NO_VALUE}",
        scheduler={"name": "plateau", "monitor": "nope"},
    ),
    "cosine of no epochs": _setting("t_max: must be", scheduler={"name": "cosine", "t_max": 0}),
    "exponential to nothing": _works(scheduler={"name": "exponential", "gamma": 0}),
    "endless warm-up": _works(scheduler={"name": "cosine", "warmup_epochs": 10**6}),
    # Callbacks
    "checkpoint of an unknown value": _checkpoints(
        f"^training.callbacks.checkpoint.monitor is 'nope', {_NO_VALUE}", monitor="nope"
    ),
    "checkpoint of an unknown mode": _checkpoints(
        "checkpoint.mode is 'mean'; it must be min or max", mode="mean"
    ),
    "checkpoint by epochs and by steps": _checkpoints(
        "^training.callbacks.checkpoint: .* exclude one another; set one of them",
        every_n_epochs=2,
        every_n_train_steps=1,
    ),
    "checkpoint by steps and by time": _checkpoints(
        "exclude one another", every_n_train_steps=1, train_time_interval=1
    ),
    "checkpoint every 0 steps": _checkpoints(
        "every_n_train_steps is 0; it must be at least 1", every_n_train_steps=0
    ),
    "checkpoint every -5 s": _checkpoints(
        "train_time_interval is -5.0 s; it must be longer than 0", train_time_interval=-5
    ),
    "checkpoint by steps alone": _works(**_checkpoint(every_n_train_steps=2)),
    "no best checkpoint": _works(**_checkpoint(save_top_k=0)),
    "fewer than no checkpoints": _checkpoints("save_top_k: must be greater", save_top_k=-2),
    "stopping by an unknown value": _stopping(
        f"^training.callbacks.early_stopping.0.monitor is 'nope', {_NO_VALUE}", {"monitor": "nope"}
    ),
    "stopping by an unknown value that may be missing": _stopping(
        "complete", {"monitor": "nope", "strict": False}, code=StatusCode.OK
    ),
    "stopping by a value of no validation": _stopping(
        f"early_stopping.0.monitor is 'val/bce', {_NO_VALUE}", {}, data={"val_ids": []}
    ),
    "stopping by an unknown mode": _stopping(
        "early_stopping.0.mode is 'x'; it must be min or max", {"mode": "x"}
    ),
    "stopping twice by one value": _stopping(
        r"early_stopping.1 watches 'val/bce' \(min\) like an earlier one", {}, {}
    ),
    "stopping without patience": _stopping("patience: must be greater", {"patience": 0}),
}
