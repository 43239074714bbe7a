"""The pipelines that the server offers: the files in its `pipeline` folder."""

import difflib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from fleet_config.lookup import yaml_files
from fleet_config.yaml_file import YamlFiles
from fleet_platform.errors import AppError, InvalidInput, NotFound
from fleet_platform.shown_text import shown
from fleet_platform.telemetry import logger
from fleet_schemas import PipelineMetadata, validate_config

_SUFFIX = ".yaml"
_log = logger("fleet.config")


@dataclass(frozen=True)
class OfferedPipeline:
    """One pipeline of the catalogue.

    Attributes:
        path: relative to the folder, with extension.
        file: the config file.
        metadata: from the file; if it has none, the file's stem is the name.
        weights: the weights file with the same stem in the same folder; None if it does not exist.
        text: the file's text; empty if it was not read.
    """

    path: str
    file: Path
    metadata: PipelineMetadata
    weights: Path | None
    text: str = ""


class PipelineCatalogue:
    """Lists and finds pipelines; reads the folder on every call, so new files appear at once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files = YamlFiles()

    def list(self, tag: str = "") -> list[OfferedPipeline]:
        """Return all pipelines, sorted by path; unreadable files are logged and skipped.

        Args:
            tag: return only pipelines with this tag, ignoring case; empty means all.

        Raises:
            NotFound: the server has no pipeline folder.
        """
        if not self._folder.is_dir():
            raise NotFound("This server has no pipeline folder in its configuration tree.")
        wanted = tag.strip().lower()
        offered = []
        for file in sorted(yaml_files(self._folder), key=self._relative):
            try:
                pipeline = self._describe(file)
            except AppError as error:
                _log.warning("pipeline.unreadable", path=self._relative(file), error=error.text)
                continue
            if not wanted or wanted in {each.lower() for each in pipeline.metadata.tags}:
                offered.append(pipeline)
        return offered

    def get(self, path: str) -> OfferedPipeline:
        """Return one pipeline with its text.

        Args:
            path: relative, with or without extension, or a stem that only one pipeline has.

        Raises:
            InvalidInput: the path is empty, absolute, contains "..", or is the stem of several
                pipelines.
            NotFound: no such pipeline; the text lists the closest matches.
        """
        file = self._find(path)
        described = self._describe(file)
        return OfferedPipeline(
            described.path,
            described.file,
            described.metadata,
            described.weights,
            file.read_text(encoding="utf-8"),
        )

    def _find(self, path: str) -> Path:
        pure = PurePosixPath(path)
        if not path.strip() or not pure.parts:
            raise InvalidInput(
                "pipeline_path is empty. Name one that ListAvailablePipelines returns, such as "
                "'rx_statistical'."
            )
        if pure.is_absolute() or ".." in pure.parts or "\\" in path:
            raise InvalidInput(
                f"pipeline_path '{shown(path)}' must be relative to the server's pipeline folder, "
                "without '..' and '\\'."
            )
        relative = path if path.endswith(_SUFFIX) else path + _SUFFIX
        files = {self._relative(file): file for file in yaml_files(self._folder)}
        if relative in files:
            return files[relative]
        named = [name for name in files if PurePosixPath(name).name == relative]
        if len(named) == 1:
            return files[named[0]]
        if named:
            raise InvalidInput(
                f"'{shown(path)}' names several pipelines: {', '.join(sorted(named))}. Give one of "
                "these paths."
            )
        close = difflib.get_close_matches(relative, files, n=3, cutoff=0.5)
        hint = f" Closest matches: {', '.join(close)}." if close else ""
        raise NotFound(f"Pipeline '{shown(path)}' not found.{hint}")

    def _describe(self, file: Path) -> OfferedPipeline:
        path = self._relative(file)
        content = self._files.read(file, path).content
        weights = file.with_suffix(".pt")
        return OfferedPipeline(
            path, file, _metadata(content, file.stem), weights if weights.is_file() else None
        )

    def _relative(self, file: Path) -> str:
        return file.relative_to(self._folder).as_posix()


def _metadata(content: dict[str, Any], stem: str) -> PipelineMetadata:
    given = content.get("metadata") or {"name": stem}
    return validate_config(PipelineMetadata, given, "metadata")
