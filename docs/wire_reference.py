"""The reference of the gRPC API, generated from the comments of its proto file.

``python -m docs.wire_reference`` prints it; it is a page of the documentation site.
"""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
    MethodDescriptorProto,
)
from grpc_tools import protoc

from docs.marked_tables import cell
from fleet_proto.methods import METHODS_BY_SERVICE

ROOT = Path(__file__).resolve().parent.parent / "proto"
SOURCE = "cuvis_ai/v1/cuvis_ai.proto"

_MESSAGE, _ENUM, _SERVICE, _FIELD, _METHOD, _NESTED, _VALUE = 4, 5, 6, 2, 2, 3, 2
"""Field numbers of descriptor.proto, which form the paths of comments."""

_TITLE = f"""# Wire

The contents of `{SOURCE}`: package `cuvis_ai.v1`, service `CuvisAIService`. Clients that
were generated from any published release are compatible with it; [Errors](../errors/index.md)
lists how each call may fail.

"""

Comments = dict[tuple[int, ...], str]


def render() -> str:
    """Return the page: the methods by service, then the messages, then the enums."""
    file = _described()
    comments: Comments = {
        tuple(place.path): " ".join(place.leading_comments.split())
        for place in file.source_code_info.location
    }
    parts = [_TITLE, *_methods(file, comments), "## Messages\n"]
    for index, message in enumerate(file.message_type):
        parts += _message(message, (_MESSAGE, index), comments)
    parts.append("## Enums\n")
    for index, enum in enumerate(file.enum_type):
        parts += _enum(enum, (_ENUM, index), comments)
    return "\n".join(parts)


def _described() -> FileDescriptorProto:
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "described.binpb"
        arguments = [f"-I{ROOT}", "--include_source_info", f"--descriptor_set_out={target}", SOURCE]
        if protoc.main(["protoc", *arguments]) != 0:
            raise ValueError(f"protoc cannot parse {ROOT / SOURCE}")
        return FileDescriptorSet.FromString(target.read_bytes()).file[0]


def _methods(file: FileDescriptorProto, comments: Comments) -> Iterator[str]:
    by_name = {
        method.name: (method, comments.get((_SERVICE, 0, _METHOD, index), ""))
        for index, method in enumerate(file.service[0].method)
    }
    for service, names in METHODS_BY_SERVICE.items():
        yield f"## Methods of the {service} service\n"
        yield from _table("method", "request", "response", "description")
        for name in sorted(names):
            method, comment = by_name[name]
            yield _row(
                f"[`{name}`](../errors/{service}.md#{name.lower()})", *_types(method), comment
            )
        yield ""


def _types(method: MethodDescriptorProto) -> tuple[str, str]:
    stream = "stream of " if method.server_streaming else ""
    return _linked(method.input_type), stream + _linked(method.output_type)


def _message(message: DescriptorProto, path: tuple[int, ...], comments: Comments) -> Iterator[str]:
    yield f"### {message.name}\n"
    yield f"{comments.get(path, '')}\n"
    maps = {each.name: each for each in message.nested_type if each.options.map_entry}
    if message.field:
        yield from _table("field", "number", "type", "meaning")
    for index, field in enumerate(message.field):
        meaning = comments.get((*path, _FIELD, index), "")
        if field.HasField("oneof_index") and not field.proto3_optional:
            meaning += f" One of `{message.oneof_decl[field.oneof_index].name}`."
        yield _row(f"`{field.name}`", str(field.number), _type(field, maps), meaning.strip())
    yield ""
    for index, nested in enumerate(message.nested_type):
        if not nested.options.map_entry:
            yield from _message(nested, (*path, _NESTED, index), comments)


def _enum(enum: EnumDescriptorProto, path: tuple[int, ...], comments: Comments) -> Iterator[str]:
    yield f"### {enum.name}\n"
    yield f"{comments.get(path, '')}\n"
    yield from _table("value", "number", "meaning")
    for index, value in enumerate(enum.value):
        yield _row(f"`{value.name}`", str(value.number), comments.get((*path, _VALUE, index), ""))
    yield ""


def _type(field: FieldDescriptorProto, maps: dict[str, DescriptorProto]) -> str:
    entry = maps.get(field.type_name.rpartition(".")[2])
    if entry is not None:
        key, value = (_type(each, {}) for each in entry.field)
        return f"map of {key} to {value}"
    kind = FieldDescriptorProto.Type.Name(field.type).removeprefix("TYPE_").lower()
    named = _linked(field.type_name) if field.type_name else kind
    if field.label == FieldDescriptorProto.LABEL_REPEATED:
        return f"list of {named}"
    return f"optional {named}" if field.proto3_optional else named


def _linked(full_name: str) -> str:
    name = full_name.rpartition(".")[2]
    return f"[{name}](#{name.lower()})"


def _table(*titles: str) -> Iterator[str]:
    yield _row(*titles)
    yield _row(*("---" for _ in titles))


def _row(*cells: str) -> str:
    return f"| {' | '.join(map(cell, cells))} |"


if __name__ == "__main__":
    sys.stdout.write(render())
