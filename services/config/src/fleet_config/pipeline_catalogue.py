"""The pipelines that the server offers: what lies below its folder `pipeline`."""

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
        file: where it is.
        metadata: what it says about itself; its stem is the name of one that says nothing.
        weights: the file of weights beside it, of the same stem; None: there is none.
        text: the file's text; empty: not read.
    """

    path: str
    file: Path
    metadata: PipelineMetadata
    weights: Path | None
    text: str = ""


class PipelineCatalogue:
    """Reads the folder at each question, so that a pipeline saved into it appears at once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files = YamlFiles()

    def list(self, tag: str = "") -> list[OfferedPipeline]:
        """All pipelines, sorted by path; a file that is none is logged and left out.

        Args:
            tag: only pipelines with this tag, letter case ignored; empty: all.

        Raises:
            NotFound: the server has no folder of pipelines.
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
        """One pipeline with its text.

        Args:
            path: relative, with or without extension, or a bare stem that only one pipeline has.

        Raises:
            InvalidInput: empty, absolute, leading upwards, or the stem of several pipelines.
            NotFound: there is none; the text names those most like it.
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
                "pipeline_path is empty. Name one of ListAvailablePipelines, as 'rx_statistical'."
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
        hint = f" Most like it: {', '.join(close)}." if close else ""
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
