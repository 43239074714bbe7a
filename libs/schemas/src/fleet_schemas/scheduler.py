"""The schedule of the learning rate."""

from pydantic import Field

from fleet_schemas.config_model import ConfigModel

SCHEDULERS = ("reduce_on_plateau", "cosine", "step", "exponential", "plateau")
"""Names of all schedules in lower case; names are case-insensitive. `plateau` is short for
`reduce_on_plateau`."""


class SchedulerConfig(ConfigModel):
    """Settings for the learning rate schedule."""

    name: str | None = Field(
        None,
        description="cosine, exponential, step, reduce_on_plateau or plateau; null: constant rate.",
    )
    warmup_epochs: int = Field(0, ge=0, description="Number of warm-up epochs.")
    min_lr: float = Field(1e-6, ge=0.0, description="Lower bound of the rate.")
    t_max: int | None = Field(None, ge=1, description="cosine: half period in epochs.")
    step_size: int | None = Field(None, ge=1, description="step: epochs between two drops.")
    gamma: float | None = Field(
        None, ge=0.0, le=1.0, description="step, exponential: factor of each drop."
    )
    monitor: str | None = Field(None, description="plateau: the monitored value.")
    mode: str = Field(
        "min", description="plateau: whether the monitored value should be min or max."
    )
    factor: float = Field(0.1, ge=0.0, le=1.0, description="plateau: factor of each drop.")
    patience: int = Field(10, ge=0, description="plateau: epochs without progress before a drop.")
    threshold: float = Field(
        1e-4, ge=0.0, description="plateau: minimum change that counts as progress."
    )
    threshold_mode: str = Field("rel", description="plateau: rel or abs threshold.")
    cooldown: int = Field(0, ge=0, description="plateau: epochs to wait after a drop.")
    eps: float = Field(
        1e-8, ge=0.0, description="plateau: smaller changes to the rate are skipped."
    )
    verbose: bool = Field(False, description="Whether each change is logged.")
