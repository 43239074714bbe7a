"""Loads a session's pipeline and weights."""

from fleet_engine.out_of_memory import map_out_of_memory
from fleet_engine.plugins import used_plugins
from fleet_engine.weights import load_weights, read_weights_file, to_safetensors
from fleet_inference.materialiser import Materialiser
from fleet_platform.artifacts import ArtifactStore
from fleet_platform.errors import Conflict, InvalidInput
from fleet_platform.files import PathPolicy
from fleet_platform.rpc import Call
from fleet_platform.runs import RunStore, require_no_training
from fleet_platform.sessions import SessionStore, require_pipeline
from fleet_proto.records.v1 import records_pb2 as records
from fleet_schemas import PipelineConfig, canonical_json, digest, parse_config

CLIENT_BYTES = "(client-bytes)"
"""The source that the reply names for weights that were sent in the request."""


class Loading:
    """Implements ``LoadPipeline`` and ``LoadPipelineWeights``."""

    def __init__(
        self,
        *,
        sessions: SessionStore,
        runs: RunStore,
        artifacts: ArtifactStore,
        materialiser: Materialiser,
        paths: PathPolicy,
    ) -> None:
        self._sessions = sessions
        self._runs = runs
        self._artifacts = artifacts
        self._materialiser = materialiser
        self._paths = paths

    def load_pipeline(self, session_id: str, config_json: bytes, call: Call) -> PipelineConfig:
        """Set the session's pipeline to the one in `config_json`, with initial weights.

        The pipeline is built before the session is changed, so that a session never has one that
        cannot run.

        Returns:
            The configuration as stored.

        Raises:
            NotFound: unknown session.
            InvalidInput: invalid configuration or graph.
            OutOfOrder: a training run is active, or a plugin that the pipeline names is not
                registered.
            Exhausted: the pipeline does not fit into memory.
        """
        session = self._sessions.read(session_id)
        require_no_training(session, self._runs)
        config = parse_config(PipelineConfig, config_json, "pipeline")
        if not config.nodes:
            raise InvalidInput("pipeline.nodes is empty; a pipeline needs at least one node.")
        canonical = canonical_json(config)
        pipeline = records.Pipeline(
            config_json=canonical,
            config_digest=digest(canonical),
            plugins=used_plugins(config, session.plugins),
        )
        self._materialiser.get(pipeline, call)

        def replace(record: records.SessionRecord) -> None:
            require_no_training(record, self._runs)
            record.pipeline.CopyFrom(pipeline)

        self._sessions.update(session_id, replace)
        return config

    def load_weights_file(self, session_id: str, path: str, *, strict: bool) -> str:
        """Load weights from a file on the server.

        Args:
            session_id: the session.
            path: as the client sent it; ``.pt``, ``.ckpt`` or ``.safetensors`` may be omitted.
            strict: whether the file must have every value of the pipeline, and no other values for
                its nodes.

        Returns:
            The absolute path that was read.

        Raises:
            NotFound: unknown session, or no such file.
            InvalidInput: the path is outside the allowed roots, or the file is not a weights file
                or does not match the pipeline.
            OutOfOrder: no pipeline, or a training run is active.
        """
        record = self._sessions.read(session_id)
        origin = self._changeable(record)
        file = read_weights_file(path, self._paths, record.search_paths)
        self._load(session_id, origin, file.content, strict=strict)
        return str(file.path)

    def load_weights_bytes(self, session_id: str, content: bytes, *, strict: bool) -> str:
        """Load weights that were sent in the request.

        Returns:
            `CLIENT_BYTES`.

        Raises:
            NotFound, InvalidInput, OutOfOrder: as `load_weights_file` does.
        """
        origin = self._changeable(self._sessions.read(session_id))
        self._load(session_id, origin, content, strict=strict)
        return CLIENT_BYTES

    def _changeable(self, record: records.SessionRecord) -> records.Pipeline:
        origin = require_pipeline(record)
        require_no_training(record, self._runs)
        return origin

    def _load(
        self, session_id: str, origin: records.Pipeline, content: bytes, *, strict: bool
    ) -> None:
        pipeline = self._materialiser.private(origin)
        with map_out_of_memory("Loading the weights"):
            load_weights(pipeline, content, strict=strict)
            weights_digest = self._artifacts.put(to_safetensors(pipeline))

        def replace(record: records.SessionRecord) -> None:
            _require_unchanged(record, origin)
            record.pipeline.weights_digest = weights_digest

        self._sessions.update(session_id, replace)


def _require_unchanged(record: records.SessionRecord, origin: records.Pipeline) -> None:
    """Refuse to store weights for a pipeline that the session no longer has.

    Raises:
        Conflict: another call replaced the pipeline or its weights.
    """
    if record.pipeline != origin:
        raise Conflict(
            "Another call changed this session's pipeline at the same time. Retry if the call "
            "should apply to the new pipeline."
        )
