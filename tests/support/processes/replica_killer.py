"""Replicas of a running stack that die, one after the other."""

import os
import signal
import time
from collections.abc import Sequence
from functools import partial

from fleet_local.background import BackgroundStack
from fleet_local.readiness import is_serving
from tests.support.polling import wait_until
from tests.support.processes.gateway_admin import GatewayAdmin
from tests.support.processes.serving_process import serving_pid

_BACK_WITHIN_S = 300.0


class ReplicaKiller:
    """Ends replicas of one service, never the last one that the gateway sends calls to."""

    def __init__(self, stack: BackgroundStack, service: str, names: Sequence[str]) -> None:
        self._stack = stack
        self._service = service
        self._names = list(names)
        self._admin = GatewayAdmin(stack.run_dir / "envoy.json")

    def kill_every(self, pause_s: float, for_s: float) -> int:
        """Kill the processes that serve in turn, without a warning; returns how often.

        A replica's turn comes `pause_s` after the one before, or when another one serves beside it.
        """
        ends_s = time.monotonic() + for_s
        due_s = time.monotonic()
        kills = 0
        while due_s < ends_s:
            time.sleep(max(0.0, due_s - time.monotonic()))
            wait_until(lambda: len(self._serving()) > 1, "two replicas serve", _BACK_WITHIN_S)
            if time.monotonic() > ends_s:
                break
            victim = self._serving()[0]
            os.kill(serving_pid(self._stack, victim), signal.SIGKILL)
            # The next turn is another's.
            self._names.remove(victim)
            self._names.append(victim)
            kills += 1
            due_s = max(due_s + pause_s, time.monotonic())
        return kills

    def replace_all(self) -> None:
        """Stop each replica as an operator does, the next one when its successor serves."""
        for name in self._names:
            before = self._stack.part(name)["pid"]
            os.kill(before, signal.SIGTERM)
            wait_until(
                partial(self._is_replaced, name, before), f"another {name} serves", _BACK_WITHIN_S
            )

    def _is_replaced(self, name: str, before: int) -> bool:
        return self._stack.part(name)["pid"] not in {0, before} and name in self._serving()

    def _serving(self) -> list[str]:
        """Those that live and get calls, the one that died longest ago first."""
        healthy = self._admin.healthy_ports(self._service)
        parts = {name: self._stack.part(name) for name in self._names}
        return [
            name
            for name, part in parts.items()
            if part["port"] in healthy and is_serving(f"127.0.0.1:{part['port']}")
        ]
