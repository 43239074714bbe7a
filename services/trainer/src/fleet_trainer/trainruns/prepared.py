"""A trainrun that has been checked completely and can be applied to a session."""

from collections.abc import Iterable
from dataclasses import dataclass

from fleet_engine.out_of_memory import map_out_of_memory
from fleet_engine.plugins import PluginLoader, used_plugins
from fleet_engine.weights import build_stored, load_weights, to_safetensors
from fleet_platform.artifacts import ArtifactStore
from fleet_platform.errors import OutOfOrder
from fleet_proto.records.v1.records_pb2 import Pipeline, Plugin, SessionRecord
from fleet_schemas import TrainRunConfig, canonical_json, digest
from fleet_trainer.trainruns.sources import PipelineSource


@dataclass(frozen=True, slots=True)
class PreparedTrainRun:
    """A trainrun and the stored form of its pipeline.

    Attributes:
        trainrun: The settings.
        pipeline: The pipeline as sessions store it; None: the session keeps its pipeline.
    """

    trainrun: TrainRunConfig
    pipeline: Pipeline | None

    def write_to(self, record: SessionRecord) -> None:
        """Apply the trainrun to a session.

        Raises:
            OutOfOrder: neither the trainrun nor the session has a pipeline.
        """
        if self.pipeline is not None:
            record.pipeline.CopyFrom(self.pipeline)
        elif not record.HasField("pipeline"):
            raise OutOfOrder(
                "Neither the trainrun nor the session has a pipeline. Call LoadPipeline first,"
                " or send a trainrun with a 'pipeline'."
            )
        rest = self.trainrun.to_dict()
        del rest["pipeline"]
        training = self.trainrun.training
        record.data_config_json = canonical_json(self.trainrun.data)
        record.training_config_json = canonical_json(training) if training else b""
        record.trainrun_config_json = canonical_json(rest)
        record.stop_requested = False


def stored_pipeline(
    source: PipelineSource,
    artifacts: ArtifactStore,
    loader: PluginLoader,
    plugins: Iterable[Plugin],
    *,
    strict: bool,
) -> Pipeline:
    """Build a pipeline, load its weights, and return it as sessions store it.

    Args:
        source: Configuration and weights.
        artifacts: Where weights are stored.
        loader: Imports the classes of plugins.
        plugins: The plugins of the session.
        strict: Whether the weights must be complete.

    Raises:
        InvalidInput: the graph is invalid, the weights file is unreadable, or its weights do not
            fit.
        OutOfOrder: the pipeline names a plugin that is not registered.
        Exhausted: it does not fit into memory or on the artifact volume.
    """
    config_json = canonical_json(source.config)
    stored = Pipeline(
        config_json=config_json,
        config_digest=digest(config_json),
        plugins=used_plugins(source.config, plugins),
    )
    with map_out_of_memory("The pipeline"):
        pipeline = build_stored(stored, loader)
        if source.weights is not None:
            load_weights(pipeline, source.weights, strict=strict)
            stored.weights_digest = artifacts.put(to_safetensors(pipeline))
    return stored
