"""A class that a plugin provides."""

from typing import Literal

from pydantic import ConfigDict, Field, field_validator

from fleet_schemas.config_model import ConfigModel


class CapabilityPort(ConfigModel):
    """A port of a node, as described by its manifest."""

    model_config = ConfigDict(extra="ignore")

    dtype: str = Field("", description="Name of the dtype; empty: any.")
    shape: list[int] = Field(default_factory=list, description="Sizes; -1: any.")
    optional: bool = Field(False, description="Whether the node runs without it.")
    description: str = Field("", description="Meaning of the values.")
    variadic: bool = Field(False, description="Whether it takes any number of sources.")


class Capability(ConfigModel):
    """A class that a plugin provides; other fields of the manifest are ignored."""

    model_config = ConfigDict(extra="ignore")

    class_name: str = Field(max_length=500, description="Full dotted path of the class.")
    kind: Literal["node", "data_module"] = Field("node", description="Kind of the class.")
    data_module_name: str = Field("", description="Data modules only: name for configs.")
    category: str = Field("unspecified", description="Category of the node.")
    tags: list[str] = Field(default_factory=list, description="Its keywords.")
    input_specs: dict[str, CapabilityPort] = Field(default_factory=dict, description="Inputs.")
    output_specs: dict[str, CapabilityPort] = Field(default_factory=dict, description="Outputs.")
    doc_summary: str = Field("", description="Summary.")

    @field_validator("class_name")
    @classmethod
    def _check_path(cls, path: str) -> str:
        parts = path.split(".")
        if len(parts) < 2 or not all(part.isidentifier() for part in parts):
            raise ValueError("must be a full dotted path such as 'package.module.Class'")
        return path
