"""Settings for the training loop, as older published files nest them under `trainer`."""

from typing import Annotated

from pydantic import Field, StrictFloat, StrictInt

from fleet_schemas.callbacks import CallbacksConfig
from fleet_schemas.config_model import ConfigModel

BatchLimit = (
    Annotated[StrictInt, Field(ge=0)] | Annotated[StrictFloat, Field(ge=0.0, le=1.0)] | None
)
"""A number of batches (int), a fraction of all batches (float 0..1), or no limit."""


class TrainerConfig(ConfigModel):
    """Settings for the training loop, which may also be flat in `TrainingConfig`."""

    max_epochs: int = Field(100, ge=1, le=10000, description="Maximum number of epochs.")
    accelerator: str = Field("auto", description="auto, cpu, gpu, ...")
    devices: int | str | None = Field(
        None, description="Number or list of devices; null: automatic."
    )
    default_root_dir: str | None = Field(None, description="Output folder of the loop.")
    precision: str | int = Field("32-true", description="Floating-point precision.")
    accumulate_grad_batches: int = Field(1, ge=1, description="Batches per optimizer step.")
    enable_progress_bar: bool = Field(True, description="Show progress on the server.")
    enable_checkpointing: bool = Field(False, description="Write checkpoints.")
    log_every_n_steps: int = Field(50, ge=1, description="Steps between two log entries.")
    val_check_interval: float | int | None = Field(
        1.0, ge=0.0, description="Validate after this fraction (float) or number (int) of batches."
    )
    check_val_every_n_epoch: int | None = Field(1, ge=1, description="Epochs between validations.")
    gradient_clip_val: float | None = Field(
        None, ge=0.0, description="Maximum gradient norm; null: not clipped."
    )
    deterministic: bool = Field(False, description="Use only deterministic algorithms.")
    benchmark: bool = Field(False, description="Let cuDNN search for the fastest algorithms.")
    callbacks: CallbacksConfig | None = Field(None, description="Null: none.")
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
