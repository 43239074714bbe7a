"""Interceptors around every call, whatever its type."""

from fleet_platform.rpc.interceptors.admission import Admission
from fleet_platform.rpc.interceptors.chain import Chain

__all__ = ["Admission", "Chain"]
