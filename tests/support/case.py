"""A request that is refused, with the exact answer."""

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
    """A request and its expected refusal.

    Attributes:
        name: a short description of the request.
        method: the method that is called.
        fields: returns the fields of the request, which may be large.
        code: the expected status.
        text: the expected text; one that ends with " ..." is only the beginning.
        in_session: whether the request names a session that can infer, unless `fields` has one.
    """

    name: str
    method: str
    fields: Callable[[], Fields]
    code: grpc.StatusCode
    text: str
    in_session: bool = True

    def matches(self, text: str) -> bool:
        """Return whether `text` is the expected one."""
        beginning = self.text.removesuffix(" ...")
        return text == self.text or (beginning != self.text and text.startswith(beginning))

    def __str__(self) -> str:
        return f"{self.method}: {self.name}"
