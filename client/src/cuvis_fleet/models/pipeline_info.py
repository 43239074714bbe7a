"""A pipeline that the server offers."""

from dataclasses import dataclass

from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb


@dataclass(frozen=True)
class PipelineInfo:
    """A pipeline configuration of the server.

    Attributes:
        path: path below the server's pipeline folder, with extension.
        resolved_path: absolute path on the server.
        name: name from the configuration.
        description: free text.
        tags: keywords.
        weights_path: absolute path of the weights beside it on the server; empty: no weights.
        yaml: text of the configuration; only set when a single pipeline was requested.
    """

    path: str
    resolved_path: str
    name: str
    description: str
    tags: tuple[str, ...]
    weights_path: str
    yaml: str

    @classmethod
    def from_wire(cls, info: pb.PipelineInfo) -> "PipelineInfo":
        """Create from a message."""
        return cls(
            path=info.pipeline_path,
            resolved_path=info.resolved_path,
            name=info.metadata.name,
            description=info.metadata.description,
            tags=tuple(info.metadata.tags or info.tags),
            weights_path=info.weights_path,
            yaml=info.yaml_content,
        )
