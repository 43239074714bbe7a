"""The reference of the configs, generated from their schemas.

``python -m docs.config_reference`` prints it; it is a page of the documentation site.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from docs.marked_tables import cell
from fleet_schemas import CONFIG_TYPES

_TITLE = """# Configs

The keys of each kind of config, from the schemas that the services validate with;
`GetParameterSchema` returns the same as JSON Schema. Keys that are not listed are rejected, and the
error names the most similar key. Files are composed by Hydra: a `defaults` list, and overrides such
as `data.batch_size=4` ([guide](../guide/client.md#configuration-resolution)).

"""

_Schema = Mapping[str, Any]


def render() -> str:
    """Return the page: the kinds that clients name, then the sections that these consist of."""
    found: dict[str, _Schema] = {}
    names: dict[str, str] = {}
    for kind, model in CONFIG_TYPES.items():
        schema: _Schema = model.model_json_schema()
        names[model.__name__] = kind
        found.setdefault(model.__name__, schema)
        for name, definition in schema.get("$defs", {}).items():
            found.setdefault(name, definition)
    found = {**{name: found[name] for name in names}, **found}
    parts = [_TITLE]
    for name, schema in found.items():
        if "properties" in schema:
            parts += _model(name, names.get(name), schema)
    return "\n".join(parts)


def _model(name: str, kind: str | None, schema: _Schema) -> Iterator[str]:
    yield f"## {name}\n"
    if kind is not None:
        yield f"`config_type` is `{kind}`.\n"
    yield f"{schema.get('description', '')}\n"
    yield "| key | type | default | meaning |\n| --- | --- | --- | --- |"
    required = schema.get("required", ())
    for key, field in schema["properties"].items():
        default = "required" if key in required else _default(field)
        cells = (f"`{key}`", _type(field), default, cell(field.get("description", "")))
        yield f"| {' | '.join(cells)} |"
    yield ""


def _type(field: _Schema) -> str:
    if "$ref" in field:
        name = field["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in field or "oneOf" in field:
        kinds = [_type(each) for each in field.get("anyOf") or field["oneOf"]]
        return " or ".join(dict.fromkeys(kinds))
    if "enum" in field:
        return " or ".join(f"`{value}`" for value in field["enum"])
    if "const" in field:
        return f"`{field['const']}`"
    kind = str(field.get("type", "anything"))
    if kind == "array" and "items" in field:
        return f"list of {_type(field['items'])}"
    return {"array": "list", "object": "mapping"}.get(kind, kind) + _range(field)


def _range(field: _Schema) -> str:
    signs = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    bounds = [f"{sign} {field[key]}" for key, sign in signs.items() if key in field]
    return f" {', '.join(bounds)}" if bounds else ""


def _default(field: _Schema) -> str:
    if "default" in field:
        default = field["default"]
        return "null" if default is None else f"`{json.dumps(default)}`"
    return {"array": "`[]`", "object": "`{}`"}.get(field.get("type", ""), "its defaults")


if __name__ == "__main__":
    sys.stdout.write(render())
