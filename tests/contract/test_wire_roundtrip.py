"""Bytes written by a published release have the same meaning in ours, and vice versa.

The published messages are built from their extracted descriptors in their own pool, so that
no published package is imported.
"""

from functools import cache
from typing import Any

import pytest
from google.protobuf import message_factory
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import Message
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2
from tests.contract.test_wire_published import CONFLICT, is_public
from tests.support.published.schemas import RELEASES, published_file, release_key

pytestmark = pytest.mark.published

MAX_DEPTH = 4
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
VALUES: dict[int, st.SearchStrategy[Any]] = {
    FieldDescriptor.TYPE_BOOL: st.booleans(),
    FieldDescriptor.TYPE_BYTES: st.binary(max_size=16),
    FieldDescriptor.TYPE_DOUBLE: st.floats(allow_nan=False),
    FieldDescriptor.TYPE_FLOAT: st.floats(allow_nan=False, width=32),
    FieldDescriptor.TYPE_INT32: st.integers(-(2**31), 2**31 - 1),
    FieldDescriptor.TYPE_INT64: st.integers(-(2**63), 2**63 - 1),
    FieldDescriptor.TYPE_STRING: TEXT,
    FieldDescriptor.TYPE_UINT64: st.integers(0, 2**64 - 1),
}


@cache
def published_messages(release: str) -> dict[str, type[Message]]:
    pool = DescriptorPool()
    file = pool.AddSerializedFile(published_file(release).SerializeToString())
    return {
        name: message_factory.GetMessageClass(descriptor)
        for name, descriptor in file.message_types_by_name.items()
        if is_public(name)
    }


def our_message(name: str) -> type[Message]:
    found: type[Message] = getattr(cuvis_ai_pb2, name)
    return found


def is_compatible(message: str, number: int, release: str) -> bool:
    _, last = CONFLICT.get(f"{message}.{number}", ("", ""))
    return not last or release_key(release) > release_key(last)


def map_value(field: FieldDescriptor) -> Any:
    """Return the field that describes a map's values, or None if the field is not a map."""
    entry = field.message_type
    if entry is None or not entry.GetOptions().map_entry:
        return None
    return entry.fields_by_name["value"]


@cache
def value_strategy(field: FieldDescriptor, release: str, depth: int) -> st.SearchStrategy[Any]:
    if field.enum_type is not None:
        return st.sampled_from([value.number for value in field.enum_type.values])
    if field.message_type is not None:
        return values_by_number(field.message_type, release, depth - 1)
    return VALUES[field.type]


@cache
def values_by_number(
    descriptor: Descriptor, release: str, depth: int = MAX_DEPTH
) -> st.SearchStrategy[dict[int, Any]]:
    """Draw the content of a message as field number to value; absent fields are omitted."""
    optional: dict[int, st.SearchStrategy[Any]] = {}
    for field in descriptor.fields:
        if not is_compatible(descriptor.name, field.number, release):
            continue
        if field.message_type is not None and depth == 0:
            continue
        value_field = map_value(field)
        if value_field is not None:
            if value_field.message_type is not None and depth == 1:
                continue
            values = value_strategy(value_field, release, depth)
            optional[field.number] = st.dictionaries(TEXT, values, min_size=1, max_size=2)
        elif field.is_repeated:
            values = value_strategy(field, release, depth)
            optional[field.number] = st.lists(values, min_size=1, max_size=3)
        else:
            optional[field.number] = value_strategy(field, release, depth)
    return st.fixed_dictionaries({}, optional=optional)


def fill(message: Any, content: dict[int, Any]) -> None:
    """Set fields by number."""
    message.SetInParent()
    for number, value in content.items():
        field = message.DESCRIPTOR.fields_by_number[number]
        target = getattr(message, field.name)
        if map_value(field) is not None:
            for key, item in value.items():
                if isinstance(item, dict):
                    fill(target[key], item)
                else:
                    target[key] = item
        elif field.is_repeated and field.message_type is not None:
            for item in value:
                fill(target.add(), item)
        elif field.is_repeated:
            target.extend(value)
        elif field.message_type is not None:
            fill(target, value)
        else:
            setattr(message, field.name, value)


def read(message: Message) -> dict[int, Any]:
    """Return the fields that are set, by number, as plain values."""
    content: dict[int, Any] = {}
    for field, value in message.ListFields():
        if map_value(field) is not None:
            content[field.number] = {key: plain(item) for key, item in value.items()}
        elif field.is_repeated:
            content[field.number] = [plain(item) for item in value]
        else:
            content[field.number] = plain(value)
    return content


def plain(value: Any) -> Any:
    return read(value) if isinstance(value, Message) else value


@pytest.mark.parametrize("release", RELEASES)
@settings(
    max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
@given(data=st.data())
def test_messages_have_the_same_meaning(release: str, data: st.DataObject) -> None:
    messages = published_messages(release)
    name = data.draw(st.sampled_from(sorted(messages)))
    theirs = messages[name]()
    fill(theirs, data.draw(values_by_number(theirs.DESCRIPTOR, release)))

    ours = our_message(name).FromString(theirs.SerializeToString())
    back = messages[name].FromString(ours.SerializeToString())

    assert read(ours) == read(theirs)
    assert back == theirs


@pytest.mark.parametrize("release", RELEASES)
def test_every_single_field_has_the_same_meaning(release: str) -> None:
    for name, theirs_class in published_messages(release).items():
        for field in theirs_class.DESCRIPTOR.fields:
            if not is_compatible(name, field.number, release):
                continue
            theirs = theirs_class()
            fill(theirs, {field.number: example_value(field)})
            ours = our_message(name).FromString(theirs.SerializeToString())
            assert read(ours) == read(theirs) != {}, f"{name}.{field.name}"


def example_value(field: Any) -> Any:
    """Return a value that differs from the field's default."""
    value_field = map_value(field)
    if value_field is not None:
        return {"key": example_item(value_field)}
    return [example_item(field)] if field.is_repeated else example_item(field)


def example_item(field: Any) -> Any:
    if field.message_type is not None:
        return {}
    if field.enum_type is not None:
        return field.enum_type.values[-1].number
    examples = {
        FieldDescriptor.TYPE_BOOL: True,
        FieldDescriptor.TYPE_BYTES: b"\x00\xff",
        FieldDescriptor.TYPE_STRING: "µm",
    }
    return examples.get(field.type, 7)
