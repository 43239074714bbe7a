"""One error of one method: when it is told, in which words, and what to do about it."""

from dataclasses import dataclass, replace
from enum import Enum
from typing import Self

from tests.support.case import Case


class Session(Enum):
    """The session that a request is about, where it names none itself."""

    NEW = "nothing was loaded into it"
    LOADED = "it has a pipeline that is not fitted"
    FITTED = "its pipeline can infer, its trainrun is statistical"
    GRADIENT = "its trainrun is one by gradient, its pipeline is not fitted"
    TRAINING = "a training runs in it"


class Situation(Enum):
    """What the whole stack is in. Each contains those before it, and none is left again."""

    AT_REST = 0
    SLOT_TAKEN = 1
    TRAINING_QUEUE_FULL = 2
    STORE_DOWN = 3


@dataclass(frozen=True, kw_only=True)
class Row(Case):
    """A row of the table.

    ``<session_id>`` in the text stands for the session's id.

    Attributes:
        remedy: what the caller does about it.
        session: the one that the request is about, where `in_session` and it names none.
        situation: what has to be so before.
    """

    remedy: str
    session: Session = Session.FITTED
    situation: Situation = Situation.AT_REST

    def with_text(self, text: str) -> Self:
        """The same with other words."""
        return replace(self, text=text)


@dataclass(frozen=True, kw_only=True)
class RowTestedElsewhere:
    """A row that takes more than a request to bring about.

    Attributes:
        name: as of a row.
        method: as of a row.
        code: name of the status.
        text: as of a row; ``<...>`` stand for what depends on the case.
        remedy: as of a row.
        proof: the test that brings it about, as ``path::name``.
    """

    name: str
    method: str
    code: str
    text: str
    remedy: str
    proof: str


TableRow = Row | RowTestedElsewhere
"""Any row of the table."""
