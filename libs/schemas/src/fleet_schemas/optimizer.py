"""The optimizer of gradient training."""

from pydantic import Field

from fleet_schemas.config_model import ConfigModel

OPTIMIZERS = ("adam", "adamw", "sgd")
"""Names of all optimizers in lower case; names are case-insensitive."""


class OptimizerConfig(ConfigModel):
    """Settings for the optimizer."""

    name: str = Field("adamw", description="adam, adamw or sgd.")
    lr: float = Field(
        1e-3, gt=0.0, le=1.0, description="Learning rate.", json_schema_extra={"minimum": 1e-6}
    )
    weight_decay: float = Field(0.0, ge=0.0, le=1.0, description="L2 penalty on the weights.")
    momentum: float | None = Field(0.9, ge=0.0, le=1.0, description="Momentum; sgd only.")
    betas: tuple[float, float] | None = Field(
        None,
        description="Decay rates of the moment estimates; adam and adamw only; null: 0.9, 0.999.",
    )
