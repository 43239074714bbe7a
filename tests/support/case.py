"""One hostile request and the exact answer that it gets."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import grpc

INVALID = grpc.StatusCode.INVALID_ARGUMENT
MISSING = grpc.StatusCode.NOT_FOUND
DOWN = grpc.StatusCode.UNAVAILABLE
EARLY = grpc.StatusCode.FAILED_PRECONDITION
EXHAUSTED = grpc.StatusCode.RESOURCE_EXHAUSTED

Fields = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """A row of the list.

    Attributes:
        name: what is tried.
        method: of the wire.
        fields: of its request, made when they are needed, for some are large.
        code: status that the call ends with.
        text: its words, all of them; where they end with " ...", those that come before.
        in_session: whether a session that can infer is named where `fields` names none.
    """

    name: str
    method: str
    fields: Callable[[], Fields]
    code: grpc.StatusCode
    text: str
    in_session: bool = True

    def says(self, text: str) -> bool:
        """Whether `text` is the expected one."""
        beginning = self.text.removesuffix(" ...")
        return text == self.text or (beginning != self.text and text.startswith(beginning))

    def __str__(self) -> str:
        return f"{self.method}: {self.name}"
