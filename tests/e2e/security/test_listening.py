"""Other hosts can reach only the gateway's public ports."""

from ipaddress import ip_address

import psutil
import pytest

pytestmark = pytest.mark.e2e


def test_all_but_the_gateway_listen_on_loopback(stack):
    family = psutil.Process(stack.process.pid).children(recursive=True)
    assert len(family) >= 5, "four services and the gateway"
    open_ports = {
        connection.laddr.port
        for process in family
        for connection in process.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN and not _is_loopback(connection.laddr.ip)
    }
    addresses = (stack.address, stack.health_address)
    assert open_ports == {int(address.rpartition(":")[2]) for address in addresses}


def _is_loopback(ip):
    address = ip_address(ip)
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback
