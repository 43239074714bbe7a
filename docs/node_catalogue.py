"""The catalogue of nodes, generated from the built-in node list and the classes' docstrings.

``python -m docs.node_catalogue`` prints it; it is a page of the documentation site.
"""

import inspect
import json
import sys
from collections.abc import Iterable, Iterator, Mapping

from griffe import Docstring, DocstringSectionKind

from docs.marked_tables import cell
from fleet_engine import catalogue
from fleet_schemas.graph import BuiltInNode, built_in_nodes

_TITLE = """# Nodes

Every node class that pipelines may use without a plugin: what it computes, its ports and its
hparams. Each class also accepts `name` and `execution_stages`. A letter in a shape denotes any
extent. `ListAvailableNodes` returns the same over the wire.

"""


def render() -> str:
    """Return the page: the nodes by category, in alphabetical order."""
    by_category: dict[str, list[BuiltInNode]] = {}
    for node in built_in_nodes():
        by_category.setdefault(str(node.category), []).append(node)
    parts = [_TITLE]
    for category, nodes in sorted(by_category.items()):
        parts.append(f"## {category.capitalize()}\n")
        for node in sorted(nodes, key=lambda each: each.class_name):
            parts += _node(node)
    return "\n".join(parts)


def _node(node: BuiltInNode) -> Iterator[str]:
    prose, arguments = _documented(node)
    yield f"### {node.class_name}\n"
    yield f"{prose}\n"
    yield f"`class_name`: {_codes(node.paths)}. Runs at: {', '.join(node.stages)}."
    if node.trainable_buffers:
        yield f"Gradient training may unfreeze: {_codes(node.trainable_buffers)}."
    yield ""
    if node.inputs or node.outputs:
        yield "| port | type | meaning |\n| --- | --- | --- |"
        for side, ports in (("inputs", node.inputs), ("outputs", node.outputs)):
            for name, port in ports.items():
                notes = "".join(
                    f" ({word})" for word in ("optional", "variadic") if getattr(port, word)
                )
                yield f"| `{side}.{name}` | {port}{notes} | {cell(port.description)} |"
        yield ""
    if node.hparams:
        yield "| hparam | default | meaning |\n| --- | --- | --- |"
        for name, hparam in node.hparams.items():
            default = "required" if hparam.required else f"`{json.dumps(hparam.default)}`"
            yield f"| `{name}` | {default} | {cell(arguments.get(name, ''))} |"
        yield ""


def _documented(node: BuiltInNode) -> tuple[str, Mapping[str, str]]:
    """Return the class's description and those of its arguments, from its docstring."""
    text = inspect.getdoc(catalogue()[node.paths[0]]) or ""
    prose, arguments = [], {}
    for section in Docstring(text).parse("google", warnings=False):
        if section.kind is DocstringSectionKind.text:
            prose.append(str(section.value))
        elif section.kind is DocstringSectionKind.parameters:
            arguments = {each.name: each.description for each in section.value}
    return "\n\n".join(prose), arguments


def _codes(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


if __name__ == "__main__":
    sys.stdout.write(render())
