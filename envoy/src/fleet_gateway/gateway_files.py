"""Writes Envoy's configuration files."""

import json
from pathlib import Path
from typing import Any

from fleet_gateway.authentication import authentication_files
from fleet_gateway.bootstrap import render_bootstrap
from fleet_gateway.settings import GatewaySettings
from fleet_gateway.tls import tls_files

BOOTSTRAP = "envoy.json"


def write_gateway_files(settings: GatewaySettings, folder: Path) -> Path:
    """Write Envoy's configuration and the files that it names.

    A running Envoy applies changes of API keys and token keys at once; for all other changes it has
    to be restarted.

    Args:
        settings: settings of the gateway.
        folder: target folder, created if necessary. Only its owner can read the files.

    Returns:
        The file for ``envoy -c``.

    Raises:
        UnusableFile: a file of keys or certificates is invalid.
    """
    folder = folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    files = {
        **tls_files(settings),
        **authentication_files(settings),
        BOOTSTRAP: render_bootstrap(settings, folder),
    }
    for name, content in files.items():
        _write(folder / name, content)
    return folder / BOOTSTRAP


def _write(path: Path, content: dict[str, Any]) -> None:
    # Envoy reloads a file when it is moved into place, and must not see a partial one.
    temporary = path.with_name(f".{path.name}.new")
    temporary.unlink(missing_ok=True)
    temporary.touch(mode=0o600)
    temporary.write_text(json.dumps(content, indent=2), encoding="utf-8")
    temporary.replace(path)
