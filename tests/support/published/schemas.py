"""Reads the wire of published schema releases out of their wheels, without importing them.

Two packages that define the same full message names cannot be imported side by side; a generated
module is therefore only parsed, and the descriptor that it holds as a bytes literal taken out.
"""

import ast
import zipfile
from dataclasses import dataclass
from functools import cache

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
)

from tests.support.published.wheels import wheel

DISTRIBUTION = "cuvis-ai-schemas"
RELEASES = ("0.1.0", "0.2.0", "0.4.1", "0.5.2", "0.8.0", "0.9.0", "0.14.2")


def release_key(release: str) -> tuple[int, ...]:
    """Orders releases by number."""
    return tuple(int(part) for part in release.split("."))


@cache
def published_file(release: str) -> FileDescriptorProto:
    """Returns the file descriptor that a published release was generated from."""
    with zipfile.ZipFile(wheel(DISTRIBUTION, release)) as archive:
        (module,) = (name for name in archive.namelist() if name.endswith("cuvis_ai_pb2.py"))
        tree = ast.parse(archive.read(module))
    (serialized,) = (
        call.args[0].value
        for call in ast.walk(tree)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr == "AddSerializedFile"
        and isinstance(call.args[0], ast.Constant)
        and isinstance(call.args[0].value, bytes)
    )
    return FileDescriptorProto.FromString(serialized)


@dataclass(frozen=True)
class Fact:
    """One line of a wire: what is found under a key that releases share.

    Attributes:
        name: name of a field or enum value; empty for messages, enums and methods.
        kind: type of a field with its label, or request and response of a method.
        oneof: name of the oneof that a field is in; empty: none.
    """

    name: str = ""
    kind: str = ""
    oneof: str = ""


def facts(file: FileDescriptorProto) -> dict[str, Fact]:
    """Flattens a file descriptor.

    Returns:
        ``Message``, ``Message.5``, ``Enum``, ``Enum=5`` and ``Service/Method`` to what is there;
        fields and enum values go by number.
    """
    found: dict[str, Fact] = {"syntax": Fact(kind=file.syntax), "package": Fact(kind=file.package)}
    for message in file.message_type:
        found |= _message_facts(message, "")
    for enum in file.enum_type:
        found |= _enum_facts(enum, "")
    for service in file.service:
        found[service.name] = Fact(kind="service")
        for method in service.method:
            request = ("stream " if method.client_streaming else "") + _short(method.input_type)
            response = ("stream " if method.server_streaming else "") + _short(method.output_type)
            found[f"{service.name}/{method.name}"] = Fact(kind=f"{request} -> {response}")
    return found


def _short(type_name: str) -> str:
    return type_name.removeprefix(".cuvis_ai.v1.")


def _enum_facts(enum: EnumDescriptorProto, scope: str) -> dict[str, Fact]:
    name = scope + enum.name
    found = {name: Fact(kind="enum")}
    for value in enum.value:
        found[f"{name}={value.number}"] = Fact(name=value.name)
    return found


def _message_facts(message: DescriptorProto, scope: str) -> dict[str, Fact]:
    name = scope + message.name
    entries = {entry.name: entry for entry in message.nested_type if entry.options.map_entry}
    found = {name: Fact(kind="message")}
    for field in message.field:
        entry = entries.get(field.type_name.rsplit(".", 1)[-1])
        in_oneof = field.HasField("oneof_index") and not field.proto3_optional
        found[f"{name}.{field.number}"] = Fact(
            name=field.name,
            kind=_map_kind(entry) if entry is not None else _kind(field),
            oneof=message.oneof_decl[field.oneof_index].name if in_oneof else "",
        )
    for nested in message.nested_type:
        if not nested.options.map_entry:
            found |= _message_facts(nested, f"{name}.")
    for enum in message.enum_type:
        found |= _enum_facts(enum, f"{name}.")
    return found


def _map_kind(entry: DescriptorProto) -> str:
    key, value = entry.field
    return f"map<{_kind(key)}, {_kind(value)}>"


def _kind(field: FieldDescriptorProto) -> str:
    scalar = FieldDescriptorProto.Type.Name(field.type).removeprefix("TYPE_").lower()
    text = f"{scalar} {_short(field.type_name)}" if field.type_name else scalar
    if field.label == FieldDescriptorProto.LABEL_REPEATED:
        unpacked = field.options.HasField("packed") and not field.options.packed
        return f"repeated {text}{' unpacked' if unpacked else ''}"
    return f"optional {text}" if field.proto3_optional else text
