"""Settings for gradient training, in the two published shapes."""

from typing import Any

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from fleet_schemas.callbacks import CallbacksConfig
from fleet_schemas.config_model import ConfigModel
from fleet_schemas.optimizer import OptimizerConfig
from fleet_schemas.scheduler import SchedulerConfig
from fleet_schemas.trainer import BatchLimit, TrainerConfig

TRAINER_KEYS = frozenset(TrainerConfig.model_fields)
"""Settings that may be nested under `trainer` or flat."""

_NESTED_TOP_KEYS = (
    "seed",
    "optimizer",
    "scheduler",
    "callbacks",
    "trainer",
    "max_epochs",
    "batch_size",
    "num_workers",
    "gradient_clip_val",
    "accumulate_grad_batches",
)
_OWN_KEYS = ("num_nodes", "strategy")
"""Settings that no published release knows; they are only written if they are used."""
_NEWER_KEYS = (
    *_OWN_KEYS,
    "limit_train_batches",
    "limit_val_batches",
    "num_sanity_val_steps",
    "release_cuda_cache_on_validation",
)
_ONLY_NESTED = frozenset({"trainer", "batch_size", "num_workers"})
_ONLY_FLAT = TRAINER_KEYS - frozenset(_NESTED_TOP_KEYS) | {"release_cuda_cache_on_validation"}


class TrainingConfig(ConfigModel):
    """Settings for gradient training, without data and pipeline.

    Published files have the settings of the loop either nested under `trainer` or flat next to
    `seed`. In both cases the flat attributes contain the effective values: a given flat value takes
    precedence over a nested one. `to_dict` returns the original shape; a config whose
    keys are all common to both shapes is returned with only those, which either reader accepts.
    """

    seed: int = Field(42, ge=0, description="Seed of all random number generators.")
    optimizer: OptimizerConfig = Field(
        default_factory=OptimizerConfig, description="The optimizer."
    )
    scheduler: SchedulerConfig | None = Field(None, description="Null: constant learning rate.")
    callbacks: CallbacksConfig | None = Field(None, description="Null: none.")
    trainer: TrainerConfig | None = Field(None, description="The loop's settings, nested.")
    max_epochs: int = Field(100, ge=1, le=10000, description="Maximum number of epochs.")
    batch_size: int = Field(
        32, ge=1, description="Accepted for older clients; `data.batch_size` is used instead."
    )
    num_workers: int = Field(4, ge=0, description="Accepted for older clients; has no effect.")
    gradient_clip_val: float | None = Field(
        None, ge=0.0, description="Maximum gradient norm; null: not clipped."
    )
    accumulate_grad_batches: int = Field(1, ge=1, description="Batches per optimizer step.")
    release_cuda_cache_on_validation: bool = Field(
        False, description="Free cached GPU memory around each validation."
    )
    accelerator: str = Field("auto", description="auto, cpu, gpu, ...")
    devices: int | str | None = Field(
        None, description="Number or list of devices; null: automatic."
    )
    default_root_dir: str | None = Field(None, description="Output folder of the loop.")
    precision: str | int = Field("32-true", description="Floating-point precision.")
    enable_progress_bar: bool = Field(True, description="Show progress on the server.")
    enable_checkpointing: bool = Field(False, description="Write checkpoints.")
    log_every_n_steps: int = Field(50, ge=1, description="Steps between two log entries.")
    val_check_interval: float | int | None = Field(
        1.0, ge=0.0, description="Validate after this fraction (float) or number (int) of batches."
    )
    check_val_every_n_epoch: int | None = Field(1, ge=1, description="Epochs between validations.")
    num_nodes: int | None = Field(None, ge=1, description="Number of hosts; null: one.")
    strategy: str | None = Field(
        None, description="Strategy of distributed training: auto or ddp; null: auto."
    )
    limit_train_batches: BatchLimit = Field(
        None, description="Maximum number of training batches per epoch."
    )
    limit_val_batches: BatchLimit = Field(
        None, description="Maximum number of validation batches per epoch."
    )
    num_sanity_val_steps: int | None = Field(
        None, ge=-1, description="Validation batches before training; -1: all; null: two."
    )
    deterministic: bool = Field(False, description="Use only deterministic algorithms.")
    benchmark: bool = Field(False, description="Let cuDNN search for the fastest algorithms.")

    @model_validator(mode="after")
    def _agree(self) -> "TrainingConfig":
        if self.trainer is None and not self.model_fields_set & _ONLY_NESTED:
            return self
        trainer = self.trainer or TrainerConfig()
        agreed = {key: self._value_of(key, trainer) for key in TRAINER_KEYS}
        # The model is frozen, but it is still being constructed here.
        for key, value in agreed.items():
            self.__dict__[key] = value
        self.__dict__["trainer"] = trainer.model_copy(update=agreed)
        return self

    def _value_of(self, key: str, trainer: TrainerConfig) -> Any:
        flat = getattr(self, key)
        if key in self.model_fields_set and flat is not None:
            return flat
        return getattr(trainer, key)

    @model_serializer(mode="wrap")
    def _serialize(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        dumped: dict[str, Any] = handler(self)
        if self.trainer is not None:
            return self._nested(dumped)
        left_out = _ONLY_NESTED if self.model_fields_set & _ONLY_FLAT else _ONLY_NESTED | _ONLY_FLAT
        left_out = left_out | _unused(dumped)
        return {key: value for key, value in dumped.items() if key not in left_out}

    def _nested(self, dumped: dict[str, Any]) -> dict[str, Any]:
        unused = _unused(dumped)
        trainer = {key: value for key, value in dumped["trainer"].items() if key not in unused}
        released = {"release_cuda_cache_on_validation"} - unused
        kept = [*_NESTED_TOP_KEYS, *released]
        return {key: dumped[key] for key in kept} | {"trainer": trainer}


def _unused(dumped: dict[str, Any]) -> set[str]:
    """Return the unused newer keys, which readers before 0.11.0 refuse."""
    return {key for key in _NEWER_KEYS if dumped[key] is None or dumped[key] is False}
