"""Draws pipelines."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from fleet_engine.drawing import Figure, figure_of, to_dot, to_mermaid
from fleet_inference.rendering import Renderer
from fleet_inference.session_pipeline import require_pipeline
from fleet_platform.errors import Exhausted, InvalidInput
from fleet_platform.rpc import Call
from fleet_platform.sessions import SessionStore
from fleet_platform.shown_text import shown
from fleet_schemas import PipelineConfig, parse_config, parse_yaml, validate_config

_DEFAULT = "png"
_IMAGES = ("png", "svg")
_TEXTS: Mapping[str, tuple[str, Callable[[Figure], str]]] = MappingProxyType(
    {"dot": ("dot", to_dot), "graphviz": ("dot", to_dot), "mermaid": ("mermaid", to_mermaid)}
)
_MOST_WRAPPED = 6
_MOST_YAML_BYTES = 1024 * 1024


class Drawing(NamedTuple):
    """A drawn pipeline.

    Attributes:
        content: an image file, or UTF-8 text.
        format: what `content` really is: png, svg, dot or mermaid.
    """

    content: bytes
    format: str


class Visualisation:
    """``GetPipelineVisualization``."""

    def __init__(self, *, sessions: SessionStore, renderer: Renderer) -> None:
        self._sessions = sessions
        self._renderer = renderer

    def draw(self, session_id: str, wanted: str, config_yaml: str, call: Call) -> Drawing:
        """Draw a session's pipeline, or the one that `config_yaml` describes.

        Neither is built: no weights are read, and a class that is not known here is drawn too.

        Args:
            session_id: whose pipeline; not looked at where `config_yaml` is given.
            wanted: the format, in any letter case; empty: png.
            config_yaml: a pipeline as YAML or JSON; empty: the session's.
            call: says how long the caller waits.

        Returns:
            The drawing; where Graphviz is not installed, its text in place of an image.

        Raises:
            NotFound: unknown session.
            OutOfOrder: the session has no pipeline.
            InvalidInput: an unknown format, or no valid configuration.
            Exhausted: the pipeline is too large to be drawn, or others are being drawn.
        """
        chosen = wanted.lower() or _DEFAULT
        if chosen not in _IMAGES and chosen not in _TEXTS:
            known = ", ".join((*_IMAGES, *_TEXTS))
            raise InvalidInput(f"format: {shown(wanted)} is not known; known are: {known}.")
        config = _parse(config_yaml) if config_yaml else self._config_of(session_id)
        figure = figure_of(config)
        if chosen in _TEXTS:
            name, write = _TEXTS[chosen]
            return Drawing(write(figure).encode(), name)
        dot_text = to_dot(figure)
        image = self._renderer.render(dot_text, chosen, call)
        return Drawing(dot_text.encode(), "dot") if image is None else Drawing(image, chosen)

    def _config_of(self, session_id: str) -> PipelineConfig:
        stored = require_pipeline(self._sessions.read(session_id))
        return parse_config(PipelineConfig, stored.config_json, "pipeline")


def _parse(config_yaml: str) -> PipelineConfig:
    what = "config_content"
    raw = config_yaml.encode()
    if len(raw) > _MOST_YAML_BYTES:
        raise Exhausted(
            f"{what}: the config has {len(raw)} bytes; at most {_MOST_YAML_BYTES} are read."
        )
    content = _unwrapped(parse_yaml(raw, what))
    if "nodes" not in content:
        raise InvalidInput(f"{what}: there is no 'nodes'; needed: a pipeline with its nodes.")
    return validate_config(PipelineConfig, content, what)


def _unwrapped(content: dict[str, Any]) -> dict[str, Any]:
    """The innermost mapping: a resolved config may lie in packages of one key each."""
    for _ in range(_MOST_WRAPPED):
        inner = next(iter(content.values())) if len(content) == 1 else None
        if "nodes" in content or not isinstance(inner, dict):
            break
        content = inner
    return content
