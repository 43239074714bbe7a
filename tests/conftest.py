"""Settings of every test run, and how a parallel run divides the tests among its workers."""

import os

import pytest
from hypothesis import settings

# OpenMP threads sleep while they wait: spinning ones starve each other when the cores are busy.
# The services of a stack have the same setting.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

# Examples have no time limit, because a busy machine is no reason to fail. Nor have those of the
# profile "ci", which is Hypothesis' own.
settings.register_profile("unlimited", deadline=None)
settings.load_profile("unlimited")

_MAX_WORKERS = 8
_LEVELS = ("e2e", "integration", "service", "parity", "contract", "numerics", "unit")
"""Levels in the order in which a parallel run begins them: what takes longest comes first."""

_GROUPS = {
    "tests/e2e/client_library/": "fleet",
    "tests/e2e/resilience/": "fleet",
    "tests/e2e/examples/": "examples",
    "tests/e2e/security/": "security",
    "tests/e2e/telemetry/": "telemetry",
    "tests/integration/trainer/": "trainer processes",
}
"""Groups of the folders whose files share what is slow to start."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Return the workers of `-n auto`: one more than there are cores, as e2e tests often wait."""
    return min((os.cpu_count() or 1) + 1, _MAX_WORKERS)


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the groups
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Group the tests of a parallel run by what they share; a group runs on one worker."""
    if not hasattr(config, "workerinput"):
        return
    for item in items:
        item.add_marker(pytest.mark.xdist_group(_group(item)))
    items.sort(key=_rank)


def _group(item: pytest.Item) -> str:
    if _uses_the_shared_stack(item):
        return "stack"
    for folder, group in _GROUPS.items():
        if item.nodeid.startswith(folder):
            return group
    return item.nodeid.partition("::")[0]


def _uses_the_shared_stack(item: pytest.Item) -> bool:
    fixtures = item._fixtureinfo.name2fixturedefs if isinstance(item, pytest.Function) else {}
    return "stack" in fixtures and fixtures["stack"][-1].baseid == "tests/e2e"


def _rank(item: pytest.Item) -> int:
    level = item.path.relative_to(item.config.rootpath).parts[1]
    return _LEVELS.index(level) if level in _LEVELS else len(_LEVELS)
