"""Stages of a run."""

from enum import StrEnum


class Stage(StrEnum):
    """Purpose of a run; `ALWAYS` is only declared by nodes and never the stage of a run."""

    TRAIN = "train"
    VAL = "val"
    TEST = "test"
    INFERENCE = "inference"
    ALWAYS = "always"
