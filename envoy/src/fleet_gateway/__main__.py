"""Print the Envoy bootstrap for the settings in the environment: ``python -m fleet_gateway``."""

import json
import sys

from fleet_gateway.bootstrap import render_bootstrap
from fleet_gateway.settings import GatewaySettings

if __name__ == "__main__":
    json.dump(render_bootstrap(GatewaySettings()), sys.stdout, indent=2)
