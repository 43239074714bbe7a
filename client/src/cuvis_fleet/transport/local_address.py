"""Detects addresses of the local host."""

from ipaddress import ip_address


def is_local(address: str) -> bool:
    """Return whether a gRPC address is local by its form alone: a Unix socket or loopback."""
    if address.startswith(("unix:", "unix-abstract:")):
        return True
    host = address.rpartition(":")[0].rpartition("/")[2]
    host = host.removeprefix("ipv4:").removeprefix("ipv6:").strip("[]")
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
