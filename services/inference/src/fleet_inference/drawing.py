"""Draws pipelines as images or as text for Graphviz and Mermaid."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from fleet_engine.drawing import Figure, figure_of, to_dot, to_mermaid
from fleet_inference.graphviz import Graphviz
from fleet_platform.errors import Exhausted, InvalidInput
from fleet_platform.rpc import Call
from fleet_platform.sessions import SessionStore, require_pipeline
from fleet_platform.shown_text import shown
from fleet_schemas import PipelineConfig, parse_config, parse_yaml, validate_config

_DEFAULT = "png"
_IMAGES = ("png", "svg")
_TEXTS: Mapping[str, tuple[str, Callable[[Figure], str]]] = MappingProxyType(
    {"dot": ("dot", to_dot), "graphviz": ("dot", to_dot), "mermaid": ("mermaid", to_mermaid)}
)
_MAX_WRAPPERS = 6
_MAX_YAML_BYTES = 1024 * 1024


class DrawnPipeline(NamedTuple):
    """A drawn pipeline.

    Attributes:
        content: an image file, or UTF-8 text.
        format: the actual format of `content`: png, svg, dot or mermaid.
    """

    content: bytes
    format: str


class Drawing:
    """Implements ``GetPipelineVisualization``."""

    def __init__(self, *, sessions: SessionStore, graphviz: Graphviz) -> None:
        self._sessions = sessions
        self._graphviz = graphviz

    def draw(self, session_id: str, wanted: str, config_yaml: str, call: Call) -> DrawnPipeline:
        """Draw a session's pipeline, or the one that `config_yaml` describes.

        The pipeline is not built: no weights are read, and unknown classes are drawn as well.

        Args:
            session_id: the session; ignored if `config_yaml` is given.
            wanted: the format, ignoring case; empty means png.
            config_yaml: a pipeline as YAML or JSON; empty means the session's.
            call: limits how long this may wait.

        Returns:
            The drawing; without Graphviz, the DOT text instead of an image.

        Raises:
            NotFound: unknown session.
            OutOfOrder: the session has no pipeline.
            InvalidInput: an unknown format, or an invalid configuration.
            Exhausted: the pipeline is too large to draw, or too many are being drawn.
        """
        chosen = wanted.lower() or _DEFAULT
        if chosen not in _IMAGES and chosen not in _TEXTS:
            known = ", ".join((*_IMAGES, *_TEXTS))
            raise InvalidInput(f"format: {shown(wanted)} is unknown; valid: {known}.")
        config = _parse(config_yaml) if config_yaml else self._config_of(session_id)
        figure = figure_of(config)
        if chosen in _TEXTS:
            name, write = _TEXTS[chosen]
            return DrawnPipeline(write(figure).encode(), name)
        dot_text = to_dot(figure)
        image = self._graphviz.render(dot_text, chosen, call)
        if image is None:
            return DrawnPipeline(dot_text.encode(), "dot")
        return DrawnPipeline(image, chosen)

    def _config_of(self, session_id: str) -> PipelineConfig:
        stored = require_pipeline(self._sessions.read(session_id))
        return parse_config(PipelineConfig, stored.config_json, "pipeline")


def _parse(config_yaml: str) -> PipelineConfig:
    what = "config_content"
    raw = config_yaml.encode()
    if len(raw) > _MAX_YAML_BYTES:
        raise Exhausted(f"{what}: the config has {len(raw)} bytes; the limit is {_MAX_YAML_BYTES}.")
    content = _unwrapped(parse_yaml(raw, what))
    if "nodes" not in content:
        raise InvalidInput(f"{what}: 'nodes' is missing; a pipeline with nodes is required.")
    return validate_config(PipelineConfig, content, what)


def _unwrapped(content: dict[str, Any]) -> dict[str, Any]:
    """Return the innermost mapping: a resolved config may be nested in single-key packages."""
    for _ in range(_MAX_WRAPPERS):
        inner = next(iter(content.values())) if len(content) == 1 else None
        if "nodes" in content or not isinstance(inner, dict):
            break
        content = inner
    return content
