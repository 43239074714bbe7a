"""Trainruns: pipeline, data, settings, and node roles."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Discriminator, Field, Tag

from fleet_schemas.config_model import ConfigModel
from fleet_schemas.data import DataConfig
from fleet_schemas.pipeline import PipelineConfig
from fleet_schemas.training import TrainingConfig


class PipelineReference(ConfigModel):
    """References to the files of a pipeline."""

    config_path: str = Field(description="The pipeline's YAML file.")
    weights_path: str | None = Field(None, description="Its weights; null: untrained.")


def _form_of(pipeline: Any) -> str:
    if isinstance(pipeline, str):
        return "<path>"
    if isinstance(pipeline, PipelineReference):
        return "<reference>"
    if isinstance(pipeline, Mapping) and {"config_path", "weights_path"} & pipeline.keys():
        return "<reference>"
    return "<inline>"


class TrainRunConfig(ConfigModel):
    """A reproducible training run."""

    name: str = Field(description="Name of the run.")
    pipeline: (
        Annotated[
            Annotated[PipelineConfig, Tag("<inline>")]
            | Annotated[PipelineReference, Tag("<reference>")]
            | Annotated[str, Tag("<path>")],
            Discriminator(_form_of),
        ]
        | None
    ) = Field(None, description="Inline, a path, or paths of config and weights; null: as loaded.")
    data: DataConfig = Field(description="The measurements.")
    training: TrainingConfig | None = Field(
        None, description="Settings for gradient training; null: statistical training only."
    )
    loss_nodes: list[str] = Field(
        default_factory=list, description="Nodes whose outputs add up to the loss."
    )
    metric_nodes: list[str] = Field(
        default_factory=list, description="Nodes whose outputs are logged."
    )
    freeze_nodes: list[str] = Field(default_factory=list, description="Nodes that are not trained.")
    unfreeze_nodes: list[str] = Field(default_factory=list, description="Nodes that are trained.")
    output_dir: str = Field("./outputs", description="Output folder of the run.")
    tags: dict[str, str] = Field(default_factory=dict, description="Notes.")
