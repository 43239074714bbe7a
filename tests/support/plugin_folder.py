"""Folders of plugins for tests."""

from collections.abc import Mapping
from pathlib import Path

NODES = '''
from dataclasses import dataclass

import torch
from torch import nn

from lab.settings import FACTOR


@dataclass(frozen=True)
class Port:
    dtype: object
    shape: tuple
    optional: bool = False


class Scale(nn.Module):
    """Follows the published contract without deriving from a base class."""

    INPUT_SPECS = {"data": Port(torch.float32, (-1, -1, -1, -1))}
    OUTPUT_SPECS = {"scaled": Port(torch.float32, (-1, -1, -1, -1))}

    def __init__(self, by=1.0):
        super().__init__()
        self.by = by

    def forward(self, data, **_):
        from lab.offset import offset

        return {"scaled": data * self.by * FACTOR + offset()}
'''

FILES = {
    "lab/__init__.py": "",
    "lab/nodes.py": NODES,
    "lab/settings.py": "FACTOR = 2.0\n",
    "lab/offset.py": "def offset():\n    return 0.0\n",
}

SCALE = "lab.nodes.Scale"


def write_plugin(folder: Path, changes: Mapping[str, str] | None = None) -> Path:
    """Write a plugin that provides ``lab.nodes.Scale``: data * by * 2 + 0.

    Args:
        folder: of the plugin.
        changes: files that it has besides, or in another form.
    """
    for name, text in {**FILES, **(changes or {})}.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return folder
