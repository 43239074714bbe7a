"""Applies the trainrun of a file to a session."""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from fleet_engine.plugins import PluginLoader
from fleet_engine.weights import read_weights_file
from fleet_platform.artifacts import ArtifactStore
from fleet_platform.errors import InvalidInput, NotFound
from fleet_platform.files import PathPolicy
from fleet_platform.runs import RunStore, require_no_training
from fleet_platform.sessions import SessionStore, new_session
from fleet_platform.shown_text import shown
from fleet_proto.records.v1.records_pb2 import SessionRecord
from fleet_schemas import TrainRunConfig, canonical_json, validate_config
from fleet_trainer.trainruns.prepared import PreparedTrainRun, stored_pipeline
from fleet_trainer.trainruns.sources import (
    YAML_SUFFIXES,
    PipelineSource,
    read_pipeline,
    read_yaml,
)


class RestoredTrainRun(NamedTuple):
    """The session with a restored trainrun, and the trainrun as canonical JSON."""

    session_id: str
    config_json: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainRunRestoring:
    """Implements ``RestoreTrainRun``.

    The pipeline of a trainrun is in the file itself, or in a file that it names, relative to its
    own folder; otherwise in ``<stem>_pipeline.yaml`` beside it.
    """

    sessions: SessionStore
    artifacts: ArtifactStore
    plugins: PluginLoader
    runs: RunStore
    paths: PathPolicy

    def restore(
        self, path: str, *, weights_path: str, strict: bool, session_id: str
    ) -> RestoredTrainRun:
        """Check a trainrun completely, then apply it to a session.

        Relative paths are looked up in the output folder first, where SaveTrainRun writes, then as
        for all other files.

        Args:
            path: Path of the trainrun as the client sent it; ``.yaml`` may be left out.
            weights_path: Path of weights in any accepted form, used instead of those that the
                trainrun names; may be empty.
            strict: Whether the weights must be complete.
            session_id: The session to restore into; empty: a new one.

        Raises:
            NotFound: the session or a file does not exist.
            InvalidInput: a path is outside the allowed folders, the file is not a trainrun, is not
                composed or has no pipeline, or the weights do not fit.
            OutOfOrder: a training is active in the session.
            Exhausted: the pipeline does not fit into memory or on the artifact volume.
        """
        session = self.sessions.read(session_id) if session_id else new_session(self.paths)
        require_no_training(session, self.runs)
        folders: tuple[str | Path, ...] = (self.paths.output_dir, *session.search_paths)
        file = self.paths.readable(path, folders, YAML_SUFFIXES)
        trainrun = _read(file, path)
        source = self._source(trainrun, file, folders)
        if weights_path:
            weights = read_weights_file(weights_path, self.paths, folders).content
            source = source._replace(weights=weights)
        pipeline = stored_pipeline(
            source, self.artifacts, self.plugins, session.plugins, strict=strict
        )
        self._apply(PreparedTrainRun(trainrun, pipeline), session, is_new=not session_id)
        # A client that wrote a path can read a path; clients of the other form need the pipeline.
        if not isinstance(trainrun.pipeline, str):
            trainrun = trainrun.model_copy(update={"pipeline": source.config})
        return RestoredTrainRun(session.session_id, canonical_json(trainrun))

    def _source(
        self, trainrun: TrainRunConfig, file: Path, folders: tuple[str | Path, ...]
    ) -> PipelineSource:
        given = trainrun.pipeline
        if given is None:
            given = f"{file.stem}_pipeline.yaml"
            try:
                self.paths.readable(str(file.with_name(given)))
            except NotFound:
                raise InvalidInput(
                    f"The trainrun has no 'pipeline', and there is no '{shown(given)}' beside it."
                    " Add the pipeline itself or its path."
                ) from None
        return read_pipeline(given, self.paths, (file.parent, *folders))

    def _apply(self, prepared: PreparedTrainRun, session: SessionRecord, *, is_new: bool) -> None:
        if is_new:
            prepared.write_to(session)
            self.sessions.create(session)
            return

        def change(record: SessionRecord) -> None:
            if record.run_id != session.run_id:
                require_no_training(record, self.runs)
            prepared.write_to(record)

        self.sessions.update(session.session_id, change)


def _read(file: Path, path: str) -> TrainRunConfig:
    what = f"trainrun '{shown(path)}'"
    content = read_yaml(file, what)
    if "defaults" in content:
        raise InvalidInput(
            f"{what} has a Hydra 'defaults' list, so it is not composed yet. Call ResolveConfig"
            " with its path, and SetTrainRunConfig with the result."
        )
    return validate_config(TrainRunConfig, content, what)
