"""Why a call failed, in the language of the domain."""

from enum import Enum


class Reason(Enum):
    """One member for each kind of failure; the rpc room maps each to exactly one wire status."""

    INVALID_INPUT = "invalid_input"
    NOT_FOUND = "not_found"
    OUT_OF_ORDER = "out_of_order"
    EXHAUSTED = "exhausted"
    DEPENDENCY_DOWN = "dependency_down"
    CONFLICT = "conflict"
    CANCELLED = "cancelled"
    DEADLINE_PASSED = "deadline_passed"
    DEFECT = "defect"
