"""When a node takes part in a run."""

from enum import StrEnum


class Stage(StrEnum):
    """Purpose of a run; `ALWAYS` is only a node's answer, never the stage of a run."""

    TRAIN = "train"
    VAL = "val"
    TEST = "test"
    INFERENCE = "inference"
    ALWAYS = "always"
