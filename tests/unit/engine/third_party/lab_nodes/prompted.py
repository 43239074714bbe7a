"""A third-party node that reads all request inputs other than the cube."""
# ruff: noqa: RUF012  (ports are declared as published classes declare them)

import json

import torch
from lab_contract import Node, PortSpec

ANY = PortSpec(list, (), optional=True)


class Prompted(Node):
    """Returns its inputs: the annotations as JSON bytes, the tensors unchanged."""

    INPUT_SPECS = {
        "bboxes": ANY,
        "points": ANY,
        "text_prompt": PortSpec(str, (), optional=True),
        "mask": PortSpec(torch.Tensor, (-1, -1, -1), optional=True),
        "rgb_image": PortSpec(torch.Tensor, (-1, -1, -1, 3), optional=True),
        "mesu_index": PortSpec(torch.int64, (-1,), optional=True),
        "frame_id": PortSpec(torch.int64, (-1,), optional=True),
        "gain": PortSpec(torch.float64, (-1,), optional=True),
    }
    OUTPUT_SPECS = {
        "annotations": PortSpec(torch.uint8, (-1,)),
        "mask": PortSpec(torch.Tensor, (-1, -1, -1), optional=True),
        "rgb_image": PortSpec(torch.Tensor, (-1, -1, -1, 3), optional=True),
        "mesu_index": PortSpec(torch.int64, (-1,), optional=True),
        "frame_id": PortSpec(torch.int64, (-1,), optional=True),
        "gain": PortSpec(torch.float64, (-1,), optional=True),
    }

    def forward(self, bboxes=None, points=None, text_prompt=None, context=None, **tensors):
        told = json.dumps({"bboxes": bboxes, "points": points, "text_prompt": text_prompt})
        return {"annotations": torch.tensor(list(told.encode()), dtype=torch.uint8), **tensors}
