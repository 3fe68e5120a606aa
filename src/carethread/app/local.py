"""What lies on this machine alone."""

import ipaddress


def is_local(host: str) -> bool:
    """Whether a host is this machine, by a name or address that leads nobody else here."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
