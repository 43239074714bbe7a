"""Builds the stored pipeline of a session in memory."""

from fleet_engine.graph.build import build_pipeline
from fleet_engine.graph.pipeline import Pipeline
from fleet_engine.out_of_memory import map_out_of_memory
from fleet_engine.plugins import PluginLoader
from fleet_engine.weights.artifact import from_safetensors
from fleet_platform.artifacts import ArtifactStore
from fleet_platform.errors import NotFound
from fleet_proto.records.v1 import records_pb2 as records
from fleet_schemas import PipelineConfig, parse_config


def open_stored(
    stored: records.Pipeline, artifacts: ArtifactStore, plugins: PluginLoader
) -> Pipeline:
    """Build a session's pipeline on the CPU with its stored weights.

    Raises:
        InvalidInput: the configuration is not a valid graph.
        NotFound: the weights artifact, or the code of a plugin, is gone.
        Exhausted: it does not fit into memory.
    """
    with map_out_of_memory("The pipeline"):
        pipeline = build_stored(stored, plugins)
        if stored.weights_digest:
            from_safetensors(pipeline, _weights(stored.weights_digest, artifacts))
        return pipeline


def build_stored(stored: records.Pipeline, plugins: PluginLoader) -> Pipeline:
    """Build a session's pipeline on the CPU with initial weights.

    Args:
        stored: configuration, and the plugins whose classes it uses.
        plugins: imports the classes of plugins.

    Raises:
        InvalidInput: the configuration is not a valid graph.
        NotFound: the code of a plugin is gone.
        Exhausted: its nodes need too much memory.
    """
    config = parse_config(PipelineConfig, stored.config_json, "pipeline")
    return build_pipeline(config, plugins.class_finder(stored.plugins))


def _weights(digest: str, artifacts: ArtifactStore) -> bytes:
    try:
        return artifacts.get(digest)
    except NotFound:
        raise NotFound(
            "The weights of this session are no longer stored. Load them again with "
            "LoadPipelineWeights, or call Train."
        ) from None
