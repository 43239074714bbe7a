"""Paths that lead out, through links, or nowhere, in every field that is a path."""

import json
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb2
from tests.support.case import INVALID, MISSING, Case, Fields

LINK = "hostile_link"
"""In the output folder, to a folder outside."""

FITTED = "hostile/fitted.yaml"
"""A trainrun that was saved."""

_OUTSIDE = {
    "upwards": "../../../../etc/passwd",
    "absolute": "/etc/passwd",
    "a device": "/dev/zero",
    "a process": "/proc/self/environ",
}
_LINKED = f"{LINK}/passwd"
_NO_NAMES = {"NUL": ("a\0b.yaml", "a?b.yaml"), "5000": ("p" * 5000, f"{'p' * 200}...")}
_FORBIDDEN = "outside the folders that this server may read"
_EVERYWHERE = (
    "the session's search paths, the output folder, the working directory, the data folder and the "
    "configuration tree"
)


class _Field(NamedTuple):
    name: str
    method: str
    fields: Callable[[str], Fields]
    in_session: bool = True

    def case(self, what: str, path: str, text: str, code=INVALID) -> Case:
        name = f"{self.name} {what}"
        return Case(name, self.method, partial(self.fields, path), code, text, self.in_session)


def _data(path: str) -> Fields:
    content = {"cu3s_file_path": path, "train_ids": [0]}
    return {"data": pb2.DataConfig(config_bytes=json.dumps(content).encode())}


def _annotations(path: str) -> Fields:
    content = {"cu3s_file_path": "scene.npz", "annotation_json_path": path, "train_ids": [0]}
    return {"data": pb2.DataConfig(config_bytes=json.dumps(content).encode())}


def _pipeline(path: str) -> Fields:
    content = {"name": "x", "data": {"cu3s_file_path": "scene.npz"}, "pipeline": path}
    return {"config": pb2.TrainRunConfig(config_bytes=json.dumps(content).encode())}


def _not_there(suffixes: str, where: str = _EVERYWHERE) -> str:
    """The same for a file outside that exists and for one that does not."""
    return f"File '{_LINKED}' not found{suffixes}; looked in {where}."


_WEIGHTS = " (also with '.pt', '.ckpt', '.safetensors' added)"
_YAML = " (also with '.yaml', '.yml' added)"
_DATA = "the working directory and the data folder"
_READ = [
    (_Field("weights", "LoadPipelineWeights", lambda path: {"weights_path": path}), _WEIGHTS),
    (
        _Field("trainrun", "RestoreTrainRun", lambda path: {"trainrun_path": path}, False),
        _YAML,
    ),
    (
        _Field(
            "weights",
            "RestoreTrainRun",
            lambda path: {"trainrun_path": FITTED, "weights_path": path},
            False,
        ),
        _WEIGHTS,
    ),
    (_Field("pipeline", "SetTrainRunConfig", _pipeline), _YAML),
    (_Field("data", "Train", _data), None),
    (_Field("annotations", "Train", _annotations), None),
]
_WRITTEN = [
    _Field("pipeline", "SavePipeline", lambda path: {"pipeline_path": path}),
    _Field("trainrun", "SaveTrainRun", lambda path: {"trainrun_path": path}),
]
_CONFIG = _Field("config", "ResolveConfig", lambda path: {"config_type": "trainrun", "path": path})
_OFFERED = _Field("pipeline", "GetPipelineInfo", lambda path: {"pipeline_path": path}, False)


def _read_cases(field: _Field, suffixes: str | None) -> list[Case]:
    linked = _not_there("", _DATA) if suffixes is None else _not_there(suffixes)
    return [
        *(
            field.case(
                what, path, f"Path '{path}' is outside the folders that this server may read."
            )
            for what, path in _OUTSIDE.items()
        ),
        *(
            field.case(what, path, f"Path '{shown}' cannot be the name of a file.")
            for what, (path, shown) in _NO_NAMES.items()
        ),
        field.case("through a link", _LINKED, linked, MISSING),
    ]


def _written_cases(field: _Field) -> list[Case]:
    return [
        *(
            field.case(
                what,
                path,
                f"Path '{path}.yaml' is outside the folder that this server writes to; use a "
                "relative path, which is written below its output folder.",
            )
            for what, path in {**_OUTSIDE, "through a link": _LINKED}.items()
        ),
        *(
            field.case(what, path, f"Path '{shown}' cannot be the name of a file.")
            for what, (path, shown) in _NO_NAMES.items()
        ),
    ]


def _config_cases() -> list[Case]:
    upwards = _OUTSIDE["upwards"]
    return [
        _CONFIG.case("upwards", upwards, f"path '{upwards}' must not contain '..'."),
        *_read_cases(_CONFIG, None)[1:-1],
        _CONFIG.case(
            "through a link",
            _LINKED,
            f"trainrun config '{_LINKED}' not found in the session's search paths or in "
            "the server's configs.",
            MISSING,
        ),
    ]


def _offered_cases() -> list[Case]:
    return [
        *(
            _OFFERED.case(
                what,
                path,
                f"pipeline_path '{path}' must be relative to the server's pipeline folder, without "
                "'..' and '\\'.",
            )
            for what, path in _OUTSIDE.items()
        ),
        _OFFERED.case("NUL", "a\0b.yaml", "Pipeline 'a?b.yaml' not found.", MISSING),
        _OFFERED.case("5000", "p" * 5000, f"Pipeline '{'p' * 80}...' not found.", MISSING),
        _OFFERED.case("through a link", _LINKED, f"Pipeline '{_LINKED}' not found.", MISSING),
    ]


CASES = [
    *(case for field, suffixes in _READ for case in _read_cases(field, suffixes)),
    *(case for field in _WRITTEN for case in _written_cases(field)),
    *_config_cases(),
    *_offered_cases(),
]
