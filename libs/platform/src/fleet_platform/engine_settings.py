"""Settings of the services that build or validate pipelines."""

from typing import Annotated

from pydantic import field_validator
from pydantic_settings import NoDecode

from fleet_platform.plugin_settings import PluginSettings


class EngineSettings(PluginSettings):
    """How pipelines are built; must be the same for all services that share pipelines."""

    node_packages: Annotated[tuple[str, ...], NoDecode] = ()
    """Comma-separated packages whose node classes pipelines may use; default: built-in nodes
    only."""

    @field_validator("node_packages", mode="before")
    @classmethod
    def _split_names(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("node_packages")
    @classmethod
    def _require_dotted_names(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for prefix in value:
            if not all(part.isidentifier() for part in prefix.split(".")):
                raise ValueError(f"{prefix!r} is not a dotted name such as lab.nodes")
        return value
