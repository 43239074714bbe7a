"""One error of one method: when it occurs, its text, and what the caller can do about it."""

from dataclasses import dataclass, replace
from enum import Enum
from typing import Self

from tests.support.case import Case


class Session(Enum):
    """The session that a request names, unless its fields have one."""

    NEW = "nothing was loaded into it"
    LOADED = "it has a pipeline that is not fitted"
    FITTED = "its pipeline can infer, its trainrun is statistical"
    GRADIENT = "its trainrun is one by gradient, its pipeline is not fitted"
    TRAINING = "a training runs in it"


class Situation(Enum):
    """The state of the whole stack. Each includes those before it, and none is left."""

    AT_REST = 0
    SLOT_TAKEN = 1
    TRAINING_QUEUE_FULL = 2
    STORE_DOWN = 3


@dataclass(frozen=True, kw_only=True)
class Row(Case):
    """A row of the table.

    ``<session_id>`` in the text means the session's id.

    Attributes:
        remedy: what the caller can do.
        session: the session that the request names if `in_session` and its fields have none.
        situation: the state of the stack in which the request is sent.
    """

    remedy: str
    session: Session = Session.FITTED
    situation: Situation = Situation.AT_REST

    def with_text(self, text: str) -> Self:
        """Return the row with another text."""
        return replace(self, text=text)


@dataclass(frozen=True, kw_only=True)
class RowTestedElsewhere:
    """A row that one request alone cannot cause.

    Attributes:
        name: as of a row.
        method: as of a row.
        code: name of the status.
        text: as of a row; ``<...>`` mean parts that depend on the case.
        remedy: as of a row.
        proof: the test that causes the error, as ``path::name``.
    """

    name: str
    method: str
    code: str
    text: str
    remedy: str
    proof: str


TableRow = Row | RowTestedElsewhere
"""Any row of the table."""
