"""Gateway: the route table and the Envoy bootstrap rendered from it."""

from fleet_gateway.bootstrap import render_bootstrap
from fleet_gateway.routes import Repeat, repeat_of, route_table
from fleet_gateway.settings import GatewaySettings

__all__ = ["GatewaySettings", "Repeat", "render_bootstrap", "repeat_of", "route_table"]
