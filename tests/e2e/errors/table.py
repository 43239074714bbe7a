"""The table of errors: method by method, case by case."""

from collections.abc import Mapping, Sequence

from tests.e2e.errors.row import Row, RowTestedElsewhere, TableRow
from tests.e2e.errors.rows import (
    config,
    every_method,
    gateway,
    inference,
    loading,
    session,
    showing,
    train,
    trainrun,
    weights,
)

TABLE: Sequence[TableRow] = (
    *session.ROWS,
    *config.ROWS,
    *trainrun.ROWS,
    *train.ROWS,
    *loading.ROWS,
    *weights.ROWS,
    *showing.ROWS,
    *inference.ROWS,
)
"""What each method tells of its own."""

ASKED: Sequence[Row] = sorted(
    (row for row in TABLE if isinstance(row, Row)),
    key=lambda row: row.situation.value,
)
"""All rows that one request brings about, in an order in which no situation comes back."""

TESTED_ELSEWHERE: Sequence[RowTestedElsewhere] = (
    *every_method.GENERAL,
    *gateway.ROWS,
    *(row for row in TABLE if isinstance(row, RowTestedElsewhere)),
)

NOTES: Mapping[str, str] = {
    **session.NOTES,
    **config.NOTES,
    **train.NOTES,
    **showing.NOTES,
    **inference.NOTES,
}
"""What a reader should know of a method beside its errors."""
