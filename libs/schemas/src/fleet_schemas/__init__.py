"""Config schemas of both published generations: pipeline, data, training, trainrun."""

from fleet_schemas.callbacks import (
    CallbacksConfig,
    EarlyStoppingConfig,
    LearningRateMonitorConfig,
    ModelCheckpointConfig,
)
from fleet_schemas.canonical import canonical_json, digest
from fleet_schemas.config_model import ConfigModel, check_json
from fleet_schemas.config_type import CONFIG_TYPES, config_type
from fleet_schemas.data import DataConfig
from fleet_schemas.optimizer import OPTIMIZERS, OptimizerConfig
from fleet_schemas.parsing import (
    MAX_CONFIG_SIZE_BYTES,
    parse_config,
    schema_violations,
    validate_config,
)
from fleet_schemas.pipeline import (
    ConnectionConfig,
    NodeConfig,
    PipelineConfig,
    PipelineMetadata,
)
from fleet_schemas.scheduler import SCHEDULERS, SchedulerConfig
from fleet_schemas.splits import DataSplitConfig, Selector, SplitConstraint
from fleet_schemas.trainer import TrainerConfig
from fleet_schemas.training import TRAINER_KEYS, TrainingConfig
from fleet_schemas.trainrun import PipelineReference, TrainRunConfig
from fleet_schemas.violations import models_in, nearest
from fleet_schemas.yaml_text import parse_yaml, to_yaml

__all__ = [
    "CONFIG_TYPES",
    "MAX_CONFIG_SIZE_BYTES",
    "OPTIMIZERS",
    "SCHEDULERS",
    "TRAINER_KEYS",
    "CallbacksConfig",
    "ConfigModel",
    "ConnectionConfig",
    "DataConfig",
    "DataSplitConfig",
    "EarlyStoppingConfig",
    "LearningRateMonitorConfig",
    "ModelCheckpointConfig",
    "NodeConfig",
    "OptimizerConfig",
    "PipelineConfig",
    "PipelineMetadata",
    "PipelineReference",
    "SchedulerConfig",
    "Selector",
    "SplitConstraint",
    "TrainRunConfig",
    "TrainerConfig",
    "TrainingConfig",
    "canonical_json",
    "check_json",
    "config_type",
    "digest",
    "models_in",
    "nearest",
    "parse_config",
    "parse_yaml",
    "schema_violations",
    "to_yaml",
    "validate_config",
]
