"""Weights that are programs, lies or noise."""

import io
import os
import pickle
import zipfile
from collections.abc import Callable
from functools import partial

import torch

from tests.support.case import INVALID, Case, Fields

_CODE = (
    "The weights file contains more than tensors and plain values, or is "
    "damaged; it is not read, because that could run code. Needed: a file "
    "saved by SavePipeline, or a Lightning .ckpt of tensors and plain "
    "values."
)
_DAMAGED = (
    "The weights file is damaged or is not a torch file. Needed: a .pt, .ckpt or .safetensors file."
)
_LAYOUT = (
    "The weights file has an unknown layout. Expected: a .pt file with "
    "{'state_dict': {node: {key: tensor}}}, a Lightning .ckpt with a state_dict of "
    "'pipeline_modules.<number>.<key>' or 'nodes.<node>.<key>', or a .safetensors file with "
    "'<node>.<key>'; found: "
)


class _Bomb:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (os.mkdir, ("crater",))


def _saved(content: object, *, legacy: bool = False) -> bytes:
    file = io.BytesIO()
    torch.save(content, file, _use_new_zipfile_serialization=not legacy)
    return file.getvalue()


def _zip(name: str, content: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return file.getvalue()


def _header(text: bytes, length: int | None = None) -> bytes:
    """A safetensors file without tensors."""
    return (len(text) if length is None else length).to_bytes(8, "little") + text


def _case(name: str, text: str, make: Callable[[], bytes]) -> Case:
    def fields() -> Fields:
        return {"weights_bytes": make()}

    return Case(name, "LoadPipelineWeights", fields, INVALID, text)


CASES = [
    _case(
        "a bomb in a zip",
        _CODE,
        lambda: _saved({"state_dict": _Bomb(), "metadata": {}}),
    ),
    _case(
        "a bomb in the old format",
        _CODE,
        lambda: _saved({"state_dict": _Bomb()}, legacy=True),
    ),
    _case(
        "a bomb as a tensor",
        _CODE,
        lambda: _saved({"state_dict": {"RXGlobal": {"mu": _Bomb()}}}),
    ),
    _case(
        "a bomb as a checkpoint",
        _CODE,
        lambda: _saved({"epoch": 1, "callbacks": _Bomb()}),
    ),
    _case(
        "a bare pickle",
        _CODE,
        lambda: pickle.dumps(_Bomb()),
    ),
    _case(
        "a pickle cut short",
        _CODE,
        lambda: pickle.dumps(_Bomb())[:-3],
    ),
    _case(
        "a zip that unpacks to a thousandfold",
        "The weights file unpacks from 26 ...",
        lambda: _zip("archive/data/0", b"\0" * 2**28),
    ),
    _case(
        "a zip without pickle",
        _DAMAGED,
        lambda: _zip("readme", b"weights"),
    ),
    _case(
        "a header of 2^63 bytes",
        _CODE,
        lambda: _header(b"{}", 2**63),
    ),
    _case(
        "a tensor beyond the file",
        "The weights are not a readable safetensors file.",
        lambda: _header(
            b'{"w":{"dtype":"F32","shape":[1099511627776],"data_offsets":[0,4398046511104]}}'
        ),
    ),
    _case(
        "a tensor of negative size",
        "The weights are not a readable safetensors file.",
        lambda: _header(b'{"w":{"dtype":"F32","shape":[-1],"data_offsets":[4,0]}}'),
    ),
    _case(
        "a state that is a number",
        f"{_LAYOUT}a state_dict that is a int.",
        lambda: _saved({"state_dict": 7}),
    ),
    _case(
        "a state without end",
        f"{_LAYOUT}state.state that is a dict.",
        lambda: _saved({"state_dict": _endless()}),
    ),
    _case(
        "a value repeated 2^40 times",
        f"{_LAYOUT}RXGlobal.mu of 1099511627776 values in 4 bytes.",
        lambda: _repeated(2**40),
    ),
    _case(
        "zeros",
        _CODE,
        partial(bytes, 10_000),
    ),
]


def _repeated(count: int) -> bytes:
    return _saved({"state_dict": {"RXGlobal": {"mu": torch.zeros(1).expand(count)}}})


def _endless() -> dict[str, object]:
    state: dict[str, object] = {}
    state["state"] = state
    return state
