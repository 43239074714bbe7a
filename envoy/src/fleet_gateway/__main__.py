"""Writes Envoy's configuration files for the settings in the environment.

Run ``python -m fleet_gateway FOLDER``, then ``envoy -c FOLDER/envoy.json``. While Envoy is running,
run it again to apply changes of API keys and token keys.
"""

import sys
from pathlib import Path

from fleet_gateway.gateway_files import write_gateway_files
from fleet_gateway.settings import GatewaySettings
from fleet_gateway.unusable_file import UnusableFile


def main(arguments: list[str]) -> int:
    """Run the command; return the exit code."""
    if len(arguments) != 1:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    try:
        path = write_gateway_files(GatewaySettings(), Path(arguments[0]))
    except UnusableFile as error:
        sys.stderr.write(f"The gateway cannot start: {error}\n")
        return 1
    sys.stdout.write(f"{path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
