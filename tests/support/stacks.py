"""The settings of stacks that tests start."""

from collections.abc import Mapping
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


def stack_environment(folder: Path, data_dir: Path, more: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a stack that writes only below `folder`."""
    return {
        "DATA_DIR": str(data_dir),
        "OUTPUT_DIR": str(folder / "outputs"),
        "CUVIS_CONFIGS_DIR": str(REPOSITORY / "configs"),
        **more,
    }
