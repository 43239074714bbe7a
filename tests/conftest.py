"""Settings of every test run, and how a parallel run divides the tests among its workers."""

import os
from typing import Any

import pytest
from hypothesis import settings
from xdist.scheduler.loadscope import LoadScopeScheduling

# OpenMP threads sleep while they wait: spinning ones starve each other when the cores are busy.
# The services of a stack have the same setting.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

# Examples have no time limit: they must not fail because the machine is busy. The profile "ci",
# which Hypothesis defines, has none either.
settings.register_profile("unlimited", deadline=None)
settings.load_profile("unlimited")

_MAX_WORKERS = 8
_LEVELS = ("e2e", "integration", "service", "parity", "contract", "numerics", "unit")
"""Levels in the order in which a parallel run starts them: the longest first."""

_GROUPS = (
    ("tests/e2e/client_library/", "fleet"),
    ("tests/e2e/resilience/", "fleet"),
    ("tests/e2e/examples/", "examples"),
    ("tests/e2e/security/", "security"),
    ("tests/e2e/telemetry/", "telemetry"),
    ("tests/e2e/cli/test_with_fleet.py", "stack"),
    ("tests/e2e/cli/", "command line"),
    ("tests/e2e/docs/test_snippets.py", "stack"),
    ("tests/e2e/docs/", "documentation"),
    ("tests/e2e/errors/", "errors"),
    ("tests/e2e/fuzz/", "fuzz"),
    ("tests/e2e/packages/", "packages"),
    ("tests/e2e/test_overload.py", "overload"),
    ("tests/e2e/test_published_wizard.py", "wizard"),
    ("tests/e2e/test_start_and_stop.py", "start and stop"),
    ("tests/e2e/test_unused_artifacts.py", "unused artifacts"),
    ("tests/e2e/test_without_torch.py", "without torch"),
    ("tests/e2e/", "stack"),
    ("tests/integration/trainer/", "trainer processes"),
)
"""Groups of tests that share what is slow to start, by the beginning of their paths.

The first match counts; "stack" is the group of the shared stack. Other files are their own group.
"""


class _GroupScheduling(LoadScopeScheduling):
    """Runs each group on one worker."""

    def _split_scope(self, nodeid: str) -> str:
        for beginning, group in _GROUPS:
            if nodeid.startswith(beginning):
                return group
        return nodeid.partition("::")[0]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> _GroupScheduling:
    """Divide the tests of a parallel run by group."""
    return _GroupScheduling(config, log)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Return the workers of `-n auto`: one more than there are cores, as e2e tests often wait."""
    return min((os.cpu_count() or 1) + 1, _MAX_WORKERS)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Sort the tests of a parallel run by level."""
    if hasattr(config, "workerinput"):
        items.sort(key=_rank)


def _rank(item: pytest.Item) -> int:
    level = item.path.relative_to(item.config.rootpath).parts[1]
    return _LEVELS.index(level) if level in _LEVELS else len(_LEVELS)
