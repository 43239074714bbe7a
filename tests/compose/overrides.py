"""The additions to the project's compose file for these tests."""

import functools
import http.server
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.sdk_stub import cu3s

_WHEELS_PORT = 8199
"""Always the same one: the engine takes a build from its cache only if its arguments are equal."""
_STANDINS = "/srv/standins"


@contextmanager
def served_wheels() -> Iterator[str | None]:
    """Serve the folder ``PIP_FIND_LINKS`` to image builds; yields its address, or None without."""
    folder = os.environ.get("PIP_FIND_LINKS", "")
    if not Path(folder).is_dir() or not folder:
        yield None
        return
    handler = functools.partial(_Quiet, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", _WHEELS_PORT), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{_WHEELS_PORT}"
        finally:
            server.shutdown()


def write_overrides(path: Path, shared_dir: Path, find_links: str | None) -> None:
    """Write the compose file.

    Args:
        path: where to.
        shared_dir: holds ``data`` and ``outputs``, at the same path in the containers.
        find_links: where builds find wheels beside the index.
    """
    data, outputs = f"{shared_dir}/data", f"{shared_dir}/outputs"
    folders = [f"{data}:{data}", f"{outputs}:{outputs}"]
    service: dict[str, Any] = {
        "environment": {"DATA_DIR": data, "OUTPUT_DIR": outputs},
        "volumes": folders,
    }
    computing: dict[str, Any] = {
        "environment": {**service["environment"], "PYTHONPATH": _STANDINS, "TORCH_THREADS": "1"},
        "volumes": [*folders, f"{cu3s.PYTHONPATH}:{_STANDINS}:ro"],
    }
    if find_links is not None:
        args = {"PIP_FIND_LINKS": find_links, "PIP_EXTRA_INDEX_URL": ""}
        # Of the host: the folder is served on its loopback.
        computing["build"] = {"network": "host", "args": args}
    services = {"session": service, "config": service, "trainer": computing, "inference": computing}
    path.write_text(json.dumps({"services": services}), encoding="utf-8")


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_args: Any) -> None:
        pass
