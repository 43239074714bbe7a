"""Gateway: the route table and Envoy's configuration files."""

from fleet_gateway.bootstrap import render_bootstrap
from fleet_gateway.gateway_files import write_gateway_files
from fleet_gateway.key_files import read_api_keys
from fleet_gateway.routes import RetryMode, retry_mode_of, route_table
from fleet_gateway.security_settings import SecuritySettings
from fleet_gateway.settings import GatewaySettings
from fleet_gateway.unusable_file import UnusableFile

__all__ = [
    "GatewaySettings",
    "RetryMode",
    "SecuritySettings",
    "UnusableFile",
    "read_api_keys",
    "render_bootstrap",
    "retry_mode_of",
    "route_table",
    "write_gateway_files",
]
