"""Context and reports of the node contract."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class ExecutionStage(StrEnum):
    ALWAYS = "always"
    TRAIN = "train"
    VAL = "val"
    TEST = "test"
    INFERENCE = "inference"


@dataclass
class Context:
    stage: ExecutionStage = ExecutionStage.INFERENCE
    epoch: int = 0
    batch_idx: int = 0
    global_step: int = 0


@dataclass
class Metric:
    name: str
    value: float
    stage: ExecutionStage = ExecutionStage.INFERENCE
    epoch: int = 0
    batch_idx: int = 0


@dataclass
class Artifact:
    name: str
    value: Any
    el_id: int
    desc: str
    type: str
    stage: ExecutionStage = ExecutionStage.INFERENCE
    epoch: int = 0
    batch_idx: int = 0
