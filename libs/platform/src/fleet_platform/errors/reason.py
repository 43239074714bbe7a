"""Reasons for failures, independent of any transport."""

from enum import Enum


class Reason(Enum):
    """The reason for a failure; ``fleet_platform.rpc`` maps each to exactly one gRPC status."""

    INVALID_INPUT = "invalid_input"
    NOT_FOUND = "not_found"
    OUT_OF_ORDER = "out_of_order"
    EXHAUSTED = "exhausted"
    DEPENDENCY_DOWN = "dependency_down"
    CONFLICT = "conflict"
    CANCELLED = "cancelled"
    DEADLINE_PASSED = "deadline_passed"
    DEFECT = "defect"
