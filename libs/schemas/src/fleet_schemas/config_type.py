"""Schemas by the names that clients use."""

from collections.abc import Mapping
from types import MappingProxyType

from fleet_platform.errors import InvalidInput
from fleet_schemas.callbacks import CallbacksConfig
from fleet_schemas.config_model import ConfigModel
from fleet_schemas.data import DataConfig
from fleet_schemas.optimizer import OptimizerConfig
from fleet_schemas.pipeline import PipelineConfig
from fleet_schemas.scheduler import SchedulerConfig
from fleet_schemas.training import TrainingConfig
from fleet_schemas.trainrun import TrainRunConfig
from fleet_schemas.violations import nearest

CONFIG_TYPES: Mapping[str, type[ConfigModel]] = MappingProxyType(
    {
        "trainrun": TrainRunConfig,
        "pipeline": PipelineConfig,
        "data": DataConfig,
        "training": TrainingConfig,
        "optimizer": OptimizerConfig,
        "scheduler": SchedulerConfig,
        "callbacks": CallbacksConfig,
    }
)


def config_type(name: str) -> type[ConfigModel]:
    """Return the schema called `name`.

    Raises:
        InvalidInput: the name is unknown; the text lists the known ones.
    """
    try:
        return CONFIG_TYPES[name]
    except KeyError as error:
        known = list(CONFIG_TYPES)
        raise InvalidInput(
            f"config_type '{name}' is unknown.{nearest(name, known)} Known: {', '.join(known)}."
        ) from error
