"""Generates the list of the engine's node classes for services without torch.

``python -m tools.built_in_nodes`` writes ``built_in_nodes.json`` into the package
``fleet_schemas``; with ``--check`` it writes nothing and fails if the committed file is outdated.
"""

import argparse
import dataclasses
import inspect
import json
import sys
from pathlib import Path
from typing import Any, get_type_hints

from pydantic import TypeAdapter

from fleet_engine import Node, catalogue
from fleet_engine.descriptions import NodeDescription, built_in_nodes
from fleet_engine.graph.port_spec import Ports, dtype_name
from fleet_schemas.graph import HPARAMS_OF_EVERY_NODE

TARGET = Path(__file__).parents[1] / "libs/schemas/src/fleet_schemas/graph/built_in_nodes.json"


def generate() -> str:
    """Return the content of the file."""
    nodes = [_node(node) for node in built_in_nodes()]
    return json.dumps(nodes, indent=1, ensure_ascii=False) + "\n"


def _node(node: NodeDescription) -> dict[str, Any]:
    kind = catalogue()[node.paths[0]]
    return {
        "class_name": node.class_name,
        "paths": list(node.paths),
        "summary": (inspect.getdoc(kind) or "").partition("\n")[0],
        "category": str(node.category),
        "tags": [str(tag) for tag in node.tags],
        "stages": sorted(stage.value for stage in kind.STAGES),
        "inputs": _ports(node.inputs),
        "outputs": _ports(node.outputs),
        "hparams": _hparams(kind),
        "trainable_buffers": list(kind.TRAINABLE_BUFFERS),
    }


def _ports(ports: Ports) -> dict[str, Any]:
    return {
        name: {
            **dataclasses.asdict(port),
            "dtype": None if port.dtype is None else dtype_name(port.dtype),
        }
        for name, port in ports.items()
    }


def _hparams(kind: type[Node]) -> dict[str, Any]:
    hints = get_type_hints(kind.__init__, include_extras=True)
    return {
        name: {
            "schema": TypeAdapter(hints.get(name, Any)).json_schema(),
            "required": parameter.default is inspect.Parameter.empty,
            "default": None
            if parameter.default is inspect.Parameter.empty
            else TypeAdapter(Any).dump_python(parameter.default, mode="json"),
        }
        for name, parameter in inspect.signature(kind).parameters.items()
        if parameter.kind is not inspect.Parameter.VAR_KEYWORD and name not in HPARAMS_OF_EVERY_NODE
    }


def main() -> int:
    """Write or check the file.

    Returns:
        The exit status: 0, or 1 when ``--check`` found a difference.
    """
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--check", action="store_true", help="compare only; write nothing")
    parser.add_argument("--target", type=Path, default=TARGET, help="the file to write or compare")
    arguments = parser.parse_args()
    text = generate()
    if not arguments.check:
        arguments.target.write_text(text, encoding="utf-8")
        return 0
    if arguments.target.read_text(encoding="utf-8") != text:
        print(
            f"{arguments.target.name} does not match the engine's node classes.\n"
            "Run: python -m tools.built_in_nodes",
            file=sys.stderr,
        )
        return 1
    print("the list of built-in nodes is current")
    return 0


if __name__ == "__main__":
    sys.exit(main())
