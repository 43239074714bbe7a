"""Pipeline configs: nodes, their connections, and a description."""

from typing import Any

from pydantic import (
    Field,
    SerializerFunctionWrapHandler,
    field_validator,
    model_serializer,
    model_validator,
)

from fleet_schemas.config_model import ConfigModel, JsonObject

MAX_NODES = 1000
MAX_CONNECTIONS = 10_000


class PipelineMetadata(ConfigModel):
    """Descriptive metadata of a pipeline; it does not affect the computation."""

    name: str = Field(description="Title.")
    description: str = Field("", description="Purpose of the pipeline.")
    created: str = Field("", description="Creation time, ISO 8601; empty: not recorded.")
    tags: list[str] = Field(default_factory=list, description="Keywords.")
    author: str = Field("", description="Author.")
    cuvis_ai_version: str = Field("0.1.0", description="Release that wrote the file.")


class NodeConfig(ConfigModel):
    """One node of the graph."""

    name: str = Field(min_length=1, description="Name that connections and weights refer to.")
    class_name: str = Field(min_length=1, description="Full dotted path of the node's class.")
    hparams: JsonObject = Field(
        default_factory=dict, description="Keyword arguments of the node's class."
    )


class ConnectionConfig(ConfigModel):
    """An edge from one node's output port to another node's input port."""

    source: str = Field(description="`<node>.outputs.<port>`.")
    target: str = Field(description="`<node>.inputs.<port>`.")

    @field_validator("source")
    @classmethod
    def _check_source(cls, endpoint: str) -> str:
        return _checked_endpoint(endpoint, "outputs")

    @field_validator("target")
    @classmethod
    def _check_target(cls, endpoint: str) -> str:
        return _checked_endpoint(endpoint, "inputs")

    @property
    def source_node(self) -> str:
        """Name of the source node."""
        return self.source.split(".")[0]

    @property
    def source_port(self) -> str:
        """Output port of the source node."""
        return self.source.split(".")[2]

    @property
    def target_node(self) -> str:
        """Name of the target node."""
        return self.target.split(".")[0]

    @property
    def target_port(self) -> str:
        """Input port of the target node."""
        return self.target.split(".")[2]


class PipelineConfig(ConfigModel):
    """A graph of nodes.

    `frozen_nodes` is only known to readers of 0.1.0, `name` to those up to 0.2.0, and `plugins` to
    those since 0.5.0. Each refuses the keys of the others, so `to_dict` omits unused keys. A
    top-level `version`, which some published files contain, is accepted and dropped.
    """

    name: str = Field("", description="Short name; empty: none.")
    plugins: list[str] | None = Field(
        None, description="Names of the plugins whose nodes are used; null: not declared."
    )
    frozen_nodes: list[str] = Field(
        default_factory=list,
        description="Nodes that are not trained, unless a trainrun unfreezes them.",
    )
    nodes: list[NodeConfig] = Field(
        default_factory=list, max_length=MAX_NODES, description="The nodes."
    )
    connections: list[ConnectionConfig] = Field(
        default_factory=list, max_length=MAX_CONNECTIONS, description="The edges."
    )
    metadata: PipelineMetadata | None = Field(None, description="Description; null: none.")

    @model_validator(mode="before")
    @classmethod
    def _drop_version(cls, sent: Any) -> Any:
        if isinstance(sent, dict) and "version" in sent:
            return {key: value for key, value in sent.items() if key != "version"}
        return sent

    @model_serializer(mode="wrap")
    def _serialize(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        dumped: dict[str, Any] = handler(self)
        unused = {key for key in ("name", "frozen_nodes") if not dumped[key]}
        if self.plugins is None:
            unused.add("plugins")
        return {key: value for key, value in dumped.items() if key not in unused}


def _checked_endpoint(endpoint: str, side: str) -> str:
    parts = endpoint.split(".")
    if len(parts) != 3 or parts[1] != side or not all(parts):
        raise ValueError(f"must have the form '<node>.{side}.<port>'")
    return endpoint
