"""An input or output of a pipeline or a node."""

from dataclasses import dataclass

from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb


@dataclass(frozen=True)
class Port:
    """An input or output port.

    Attributes:
        name: name of the port; ``node.port`` for an output of a pipeline.
        shape: length of each axis; -1: any length.
        dtype: element type, such as ``float32``; ``any``: any type.
        required: whether the port must be connected or provided.
        description: meaning of the values.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    required: bool
    description: str = ""

    @classmethod
    def of_pipeline(cls, spec: pb.TensorSpec) -> "Port":
        """Create from a port of a pipeline."""
        return cls(spec.name, tuple(spec.shape), _dtype(spec.dtype), spec.required)

    @classmethod
    def of_node(cls, name: str, spec: pb.PortSpec) -> "Port":
        """Create from a port of a node class."""
        dtype = _dtype(spec.dtype)
        return cls(name, tuple(spec.shape), dtype, not spec.optional, spec.description)


def _dtype(number: int) -> str:
    names: dict[int, str] = {value: name for name, value in pb.DType.items()}
    name = names.get(number, str(number)).removeprefix("D_TYPE_").lower()
    return "any" if name == "unspecified" else name
