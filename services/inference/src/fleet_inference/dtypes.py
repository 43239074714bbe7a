"""The eight element types of tensors and their torch equivalents."""

from collections.abc import Mapping
from types import MappingProxyType

import torch

from fleet_proto.cuvis_ai.v1.cuvis_ai_pb2 import DType

TORCH_DTYPES: Mapping[int, torch.dtype] = MappingProxyType(
    {
        DType.D_TYPE_FLOAT32: torch.float32,
        DType.D_TYPE_FLOAT64: torch.float64,
        DType.D_TYPE_INT32: torch.int32,
        DType.D_TYPE_INT64: torch.int64,
        DType.D_TYPE_UINT8: torch.uint8,
        DType.D_TYPE_BOOL: torch.bool,
        DType.D_TYPE_FLOAT16: torch.float16,
        DType.D_TYPE_UINT16: torch.uint16,
    }
)
"""By number of ``cuvis_ai.v1.DType``; all values of the enum except UNSPECIFIED."""

WIRE_DTYPES: Mapping[torch.dtype, int] = MappingProxyType(
    {dtype: number for number, dtype in TORCH_DTYPES.items()}
)
"""The inverse mapping; other types cannot be sent."""
