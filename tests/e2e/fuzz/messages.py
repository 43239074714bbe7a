"""Strategies for requests, made from the descriptors of the wire."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from hypothesis import strategies as st

from tests.e2e.fuzz import values
from tests.e2e.fuzz.unknown_fields import unknown_fields

_MAX_REPEATED = 4
_NEEDED = frozenset({"session_id", "config_type", "path", "pipeline", "config", "config_bytes"})
_NUMBERS: Mapping[int, st.SearchStrategy[Any]] = {
    FieldDescriptor.TYPE_INT32: st.integers(-(2**31), 2**31 - 1),
    FieldDescriptor.TYPE_INT64: st.one_of(st.integers(-2, 64), st.integers(-(2**63), 2**63 - 1)),
    FieldDescriptor.TYPE_UINT64: st.one_of(st.integers(0, 64), st.integers(0, 2**64 - 1)),
    FieldDescriptor.TYPE_FLOAT: st.floats(width=32),
    FieldDescriptor.TYPE_DOUBLE: st.floats(),
    FieldDescriptor.TYPE_BOOL: st.booleans(),
    FieldDescriptor.TYPE_ENUM: st.one_of(st.integers(-1, 20), st.integers(-(2**31), 2**31 - 1)),
    FieldDescriptor.TYPE_STRING: values.texts,
    FieldDescriptor.TYPE_BYTES: st.binary(max_size=64),
}


@dataclass(frozen=True)
class Seeds:
    """What works, to start from.

    Attributes:
        session_ids: open sessions that may be spoilt.
        configs: JSON texts by the message that carries them.
        pipeline: JSON text of a pipeline.
        weights: of that pipeline.
        inference: a request, without its session.
    """

    session_ids: tuple[str, ...]
    configs: Mapping[str, str]
    pipeline: str
    weights: bytes
    inference: bytes


class Requests:
    """Strategies for the requests of every method."""

    def __init__(self, seeds: Seeds) -> None:
        self._seeds = seeds
        # Mostly right: past the session, and past the kind of config, the interesting part begins.
        sessions = st.sampled_from([*seeds.session_ids * 160, *values.HOSTILE_TEXTS])
        pipelines = values.mutated(seeds.pipeline)
        self._by_name: Mapping[str, st.SearchStrategy[Any]] = {
            "session_id": sessions,
            "config_type": values.config_types,
            "overrides": values.overrides,
            "config_content": st.one_of(pipelines.map(_as_yaml), values.yaml_texts),
            "weights_bytes": values.damaged(seeds.weights),
            "format": st.one_of(st.sampled_from(["svg", "dot", "mermaid", "PNG"]), values.texts),
            **dict.fromkeys(
                ("path", "pipeline_path", "trainrun_path", "weights_path", "search_paths"),
                values.paths,
            ),
        }

    def of(self, descriptor: Descriptor) -> st.SearchStrategy[Message]:
        """Requests of one kind: any set of fields, each with something fit or unfit in it.

        Fields that the wire does not have come with some, so that there is no end of requests.
        """
        requests = self._messages(descriptor)
        if descriptor.name == "InferenceRequest":
            requests = st.one_of(requests, self._spoilt_inference(descriptor))
        return st.builds(_with_more, requests, unknown_fields)

    def _messages(self, descriptor: Descriptor) -> st.SearchStrategy[Message]:
        kind = GetMessageClass(descriptor)
        fields = {field.name: self._field(field) for field in descriptor.fields}
        needed = {name: fields.pop(name) for name in _NEEDED & fields.keys()}
        return st.fixed_dictionaries(needed, optional=fields).map(lambda given: _made(kind, given))

    def _field(self, field: FieldDescriptor) -> st.SearchStrategy[Any]:
        if field.message_type and field.message_type.GetOptions().map_entry:
            return st.dictionaries(
                values.texts,
                self._value(field.message_type.fields_by_name["value"]),
                max_size=_MAX_REPEATED,
            )
        value = self._value(field)
        return st.lists(value, max_size=_MAX_REPEATED) if field.is_repeated else value

    def _value(self, field: FieldDescriptor) -> st.SearchStrategy[Any]:
        named = self._by_name.get(field.name)
        if named is not None:
            return named
        if field.name == "config_bytes":
            return self._config_bytes(field.containing_type.name)
        if field.message_type:
            return self._messages(field.message_type)
        return _NUMBERS[field.type]

    def _config_bytes(self, carrier: str) -> st.SearchStrategy[bytes]:
        valid = self._seeds.configs.get(carrier)
        candidates = [valid] if valid else list(self._seeds.configs.values())
        mutated = st.one_of(*(values.mutated(text) for text in candidates))
        return st.one_of(mutated.map(_as_json), values.damaged(candidates[0].encode()))

    def _spoilt_inference(self, descriptor: Descriptor) -> st.SearchStrategy[Message]:
        """A request that works, with parts of another merged into it."""
        kind = GetMessageClass(descriptor)
        session_id = self._seeds.session_ids[0]

        def merged(other: Message) -> Message:
            request = kind.FromString(self._seeds.inference)
            request.MergeFrom(other)
            request.session_id = session_id
            return request

        return self._messages(descriptor).map(merged)


def _made(kind: type[Message], given: Mapping[str, Any]) -> Message:
    message = kind()
    for name, value in given.items():
        if isinstance(value, dict):
            entries = getattr(message, name)
            for key, entry in value.items():
                entries[key].CopyFrom(entry)
        elif isinstance(value, list):
            getattr(message, name).extend(value)
        elif isinstance(value, Message):
            getattr(message, name).CopyFrom(value)
        else:
            setattr(message, name, value)
    return message


def _with_more(message: Message, more: bytes) -> Message:
    message.MergeFromString(more)
    return message


def _as_json(content: Any) -> bytes:
    return json.dumps(content).encode()


def _as_yaml(content: Any) -> str:
    return yaml.safe_dump(content, allow_unicode=True)
