"""Runs a script or module of the published packages where torchvision is not installed.

    PYTHONPATH=tests/support/sdk_stub python -m launch_published script.py [arguments]
    PYTHONPATH=tests/support/sdk_stub python -m launch_published -m module [arguments]

Every torchvision wheel asks for one exact torch. The published packages import two of its names, to
annotate with, so that two empty classes serve in its place; an installed torchvision is left alone.
"""

import importlib.util
import runpy
import sys
from pathlib import Path
from types import ModuleType


def provide_torchvision() -> None:
    """Make the names importable, unless the real ones are."""
    # torchmetrics asks for torchvision when it is imported, and would ask the stand-in for more.
    import torchmetrics  # noqa: F401

    if importlib.util.find_spec("torchvision") is not None:
        return
    package, tv_tensors = ModuleType("torchvision"), ModuleType("torchvision.tv_tensors")
    for name in ("BoundingBoxes", "Mask"):
        setattr(tv_tensors, name, type(name, (), {}))
    package.tv_tensors = tv_tensors
    sys.modules |= {package.__name__: package, tv_tensors.__name__: tv_tensors}


def main() -> None:
    """Run what the command line names, as `python` itself would."""
    provide_torchvision()
    del sys.argv[0]
    if sys.argv[0] == "-m":
        del sys.argv[0]
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    else:
        sys.path.insert(0, str(Path(sys.argv[0]).resolve().parent))
        runpy.run_path(sys.argv[0], run_name="__main__")


if __name__ == "__main__":
    main()
