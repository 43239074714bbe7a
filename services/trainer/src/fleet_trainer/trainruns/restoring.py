"""Opens a session from a trainrun's file."""

from pathlib import Path
from typing import NamedTuple

from fleet_engine.plugins import PluginLoader
from fleet_platform.artifacts import ArtifactStore
from fleet_platform.errors import InvalidInput, NotFound
from fleet_platform.files import PathPolicy
from fleet_platform.sessions import SessionStore, new_session
from fleet_platform.shown_text import shown
from fleet_proto.records.v1.records_pb2 import SessionRecord
from fleet_schemas import TrainRunConfig, canonical_json, validate_config
from fleet_trainer.runs.training_runs import TrainingRuns
from fleet_trainer.trainruns.idle_session import require_idle
from fleet_trainer.trainruns.prepared import PreparedTrainRun, stored_pipeline
from fleet_trainer.trainruns.sources import PipelineSource, read_pipeline
from fleet_trainer.trainruns.weights_file import read_weights_file
from fleet_trainer.trainruns.yaml_file import SUFFIXES, read_yaml

_METHOD = "RestoreTrainRun"


class RestoredTrainRun(NamedTuple):
    """The session that holds a restored trainrun, and the trainrun as canonical JSON."""

    session_id: str
    config_json: bytes


class TrainRunRestoring:
    """``RestoreTrainRun``.

    The pipeline of a trainrun is the one that the file has inline or names, relative to the file's
    folder; where it has none, ``<stem>_pipeline.yaml`` beside it.
    """

    def __init__(
        self,
        *,
        sessions: SessionStore,
        artifacts: ArtifactStore,
        plugins: PluginLoader,
        runs: TrainingRuns,
        paths: PathPolicy,
    ) -> None:
        self._sessions = sessions
        self._artifacts = artifacts
        self._plugins = plugins
        self._runs = runs
        self._paths = paths

    def restore(
        self, path: str, *, weights_path: str, strict: bool, session_id: str
    ) -> RestoredTrainRun:
        """Check a trainrun completely, then make it a session's.

        Relative paths start at the output folder, so that what was saved is found again, then
        wherever files are looked for.

        Args:
            path: of the trainrun, as the client sent it; ``.yaml`` may be left out.
            weights_path: of weights in any accepted form, before those that the trainrun names;
                empty: none.
            strict: whether the weights must be there to the last value.
            session_id: the session to restore into; empty: a new one.

        Raises:
            NotFound: the session, or a file.
            InvalidInput: a path outside the allowed folders, no trainrun, one that is not composed
                or has no pipeline, or weights that do not fit.
            OutOfOrder: a training runs in the session.
            Exhausted: it does not fit into memory or on the artifact volume.
        """
        session = self._sessions.read(session_id) if session_id else new_session(self._paths)
        require_idle(session, self._runs, _METHOD)
        folders: tuple[str | Path, ...] = (self._paths.output_dir, *session.search_paths)
        file = self._paths.readable(path, folders, SUFFIXES)
        trainrun = _read(file, path)
        source = self._source(trainrun, file, folders)
        if weights_path:
            source = source._replace(weights=read_weights_file(weights_path, self._paths, folders))
        pipeline = stored_pipeline(
            source, self._artifacts, self._plugins, session.plugins, strict=strict
        )
        self._give(PreparedTrainRun(trainrun, pipeline), session, is_new=not session_id)
        # Who wrote a path reads a path; readers of the other form want the pipeline itself.
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
                self._paths.readable(str(file.with_name(given)))
            except NotFound:
                raise InvalidInput(
                    f"The trainrun has no 'pipeline', and there is no '{shown(given)}' beside it."
                    " Give it one inline or as a path."
                ) from None
        return read_pipeline(given, self._paths, (file.parent, *folders))

    def _give(self, prepared: PreparedTrainRun, session: SessionRecord, *, is_new: bool) -> None:
        if is_new:
            prepared.write_to(session)
            self._sessions.create(session)
            return

        def change(record: SessionRecord) -> None:
            if record.run_id != session.run_id:
                require_idle(record, self._runs, _METHOD)
            prepared.write_to(record)

        self._sessions.update(session.session_id, change)


def _read(file: Path, path: str) -> TrainRunConfig:
    what = f"trainrun '{shown(path)}'"
    content = read_yaml(file, what)
    if "defaults" in content:
        raise InvalidInput(
            f"{what} has a Hydra 'defaults' list, so it is not composed yet. Call ResolveConfig"
            " with its path, and SetTrainRunConfig with the result."
        )
    return validate_config(TrainRunConfig, content, what)
