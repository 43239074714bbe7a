"""Settings of the services that build or judge pipelines."""

from typing import Annotated

from pydantic import field_validator
from pydantic_settings import NoDecode

from fleet_platform.plugin_settings import PluginSettings


class EngineSettings(PluginSettings):
    """How pipelines are built; the same for every service that has to do with the same ones."""

    node_packages: Annotated[tuple[str, ...], NoDecode] = ()
    """Packages that pipelines may name node classes of, parted by comma; unset: built-in ones."""

    @field_validator("node_packages", mode="before")
    @classmethod
    def _split_names(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("node_packages")
    @classmethod
    def _refuse_other_than_dotted_names(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for prefix in value:
            if not all(part.isidentifier() for part in prefix.split(".")):
                raise ValueError(f"{prefix!r} is no dotted name such as lab.nodes")
        return value
