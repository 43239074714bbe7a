"""Converts configs and pipelines to messages."""

import json
from typing import Any

from fleet_config.pipeline_catalogue import OfferedPipeline
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb


def to_reply(config: dict[str, Any]) -> pb.ResolveConfigResponse:
    """Return the config as readable JSON."""
    return pb.ResolveConfigResponse(config_bytes=json.dumps(config, indent=2).encode())


def to_pipeline_info(offered: OfferedPipeline) -> pb.PipelineInfo:
    """Return the message for a pipeline, with the fields of all releases."""
    return pb.PipelineInfo(
        pipeline_path=offered.path,
        resolved_path=str(offered.file),
        metadata=pb.PipelineMetadata(**offered.metadata.to_dict()),
        tags=offered.metadata.tags,
        has_weights=offered.weights is not None,
        weights_path=str(offered.weights or ""),
        yaml_content=offered.text,
    )
