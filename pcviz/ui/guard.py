"""Who may use the live routes: Streamlit's own host and origin checks do not cover custom routes.

A page of another site could otherwise read or steer a server on this machine, by its address or by a name that it lets
point here (DNS rebinding).
"""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from streamlit import config


def refusal(host: str | None, origin: str | None, *, shared: bool) -> str | None:
    """Why a request with these headers is refused; None if it is not.

    Allowed hosts: those of `server.allowedHosts`; if it is empty, this machine's own names and any numeric address, and
    on a shared server every host. Allowed origins: none given, the host itself, and `server.corsAllowedOrigins`.
    """
    name = _name(f"//{host}") if host else None
    if name is None or not _is_host_allowed(name, shared):
        return f"The host {(host or '')[:128]!r} is not allowed; add its name to server.allowedHosts"
    if origin is None or urlsplit(origin).netloc.lower() == (host or "").lower():
        return None
    if origin in config.get_option("server.corsAllowedOrigins"):
        return None
    return f"The origin {origin[:128]!r} is not allowed; add it to server.corsAllowedOrigins"


def _is_host_allowed(name: str, shared: bool) -> bool:
    patterns = [pattern.strip().lower().rstrip(".") for pattern in config.get_option("server.allowedHosts")]
    if patterns:
        return any(_matches(name, pattern) for pattern in patterns)
    own = {"localhost", config.get_option("server.address"), config.get_option("browser.serverAddress")}
    return shared or name in own or name.endswith(".localhost") or _is_address(name)


def _matches(name: str, pattern: str) -> bool:
    return pattern in ("*", name) or (pattern.startswith("*.") and name.endswith(pattern[1:]))


def _name(url: str) -> str | None:
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises if it is no number
    except ValueError:
        return None
    plain = parts.username is None and not (parts.path or parts.query or parts.fragment)
    return parts.hostname.lower().rstrip(".") if parts.hostname and plain else None


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
