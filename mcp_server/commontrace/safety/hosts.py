"""Hosts inside of somebody's network, and those that every documentation and every Docker has."""

import re
from typing import Final

_SHARED: Final = re.compile(
    r"(?:^|\.)(?:docker|containers|google|cluster|svc|test|example|acme|foo|bar|mydomain|domain|company|my|your)\w*\."
    r"|^(?:localhost|host|hostname|server|node|my[\w-]*|your[\w-]*|example|www|foo|bar|threading|settings|config|\w*env|db|app|api)"
    r"\.(?:local|localdomain|internal|lan|private|corp|intranet)$",
    re.IGNORECASE,
)
_BYTE: Final = 255
_SHARED_NETWORKS: Final = re.compile(
    r"10\.(?:0\.[0-3]|96\.0|24[45]\.\d+|4[23]\.\d+|1\.1|1\.2|10\.10|88\.0|8\.0|\d+\.0)\.\d+"
    r"|192\.168\.(?:0|1|2|10|33|42|43|49|50|56|64|65|86|88|99|100|122|123|178|254)\.\d+"
    r"|172\.(?:16\.0|17\.\d+|1[89]\.0|2\d\.0|3[01]\.0)\.\d+|\S+\.(?:0|255)"
)
"""What routers, Docker, Kubernetes, VirtualBox and tutorials use, so that it names nobody's machine."""


def is_own_host(name: str) -> bool:
    """Whether an internal name is of somebody's network and no example."""
    return not _SHARED.search(name)


def is_own_address(address: str) -> bool:
    """Whether a private IPv4 address (RFC 1918) is of somebody's network and none that everybody has."""
    return all(int(part) <= _BYTE for part in address.split(".")) and not _SHARED_NETWORKS.fullmatch(address)
