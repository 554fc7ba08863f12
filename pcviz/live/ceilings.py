"""Limits on the number of open pages and streams, in total and per address."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any, TypeAlias

from starlette.datastructures import Headers

from pcviz.settings import Settings

Address: TypeAlias = IPv4Address | IPv6Address | str
LOOPBACK = ip_address("127.0.0.1")
HOPS = 16
HOPS_CHARACTERS = 1024
"""Only this much of X-Forwarded-For is read, from its end: a client can write anything before it."""


class Ceiling:
    """Counts what is open (`what`, such as "live streams") and limits its number; for use by one thread."""

    def __init__(self, what: str, settings: Settings) -> None:
        self._what = what
        self._settings = settings
        self._taken: Counter[Address] = Counter()

    def fault(self, address: Address) -> str | None:
        """Why this address may not open another one; None if it may."""
        most, of_address = self._settings.streams, self._settings.streams_per_address
        if self._taken[address] >= of_address:
            return (
                f"{of_address} {self._what} are open from {str(address)[:64]} (allowed: PCVIZ_STREAMS_PER_ADDRESS "
                f"{of_address}): close some. If many people share this address, the operator of the server can "
                "allow more, or name the proxy before it in PCVIZ_PROXIES"
            )
        if self._taken.total() >= most:
            return f"{most} {self._what} are open (allowed: PCVIZ_STREAMS {most}): try again when one has closed"
        return None

    @contextmanager
    def held(self, address: Address) -> Iterator[None]:
        """Count one more while the block runs."""
        self._taken[address] += 1
        try:
            yield
        finally:
            self._taken[address] -= 1
            if not self._taken[address]:
                del self._taken[address]


def client_of(scope: Any, settings: Settings) -> Address:
    """The address that an ASGI request comes from. X-Forwarded-For counts only from the proxies in the settings.

    Uvicorn itself trusts that header from 127.0.0.1 (unless FORWARDED_ALLOW_IPS says otherwise) and replaces the peer
    by its last address. If 127.0.0.1 is one of the proxies, a peer replaced like that is taken for it; otherwise any
    client that sends its own address could pass for this machine.
    """
    peer = _parsed((scope.get("client") or ("",))[0])
    forwarded = _forwarded(scope) if settings.proxies else []
    if (
        forwarded
        and _is_named(LOOPBACK, settings)
        and peer == next((item for item in reversed(forwarded) if not _is_loopback(item)), forwarded[0])
    ):
        peer = LOOPBACK
    if _is_named(peer, settings):
        peer = next((item for item in reversed(forwarded) if not _is_named(item, settings)), peer)
    # A client that has one IPv6 address has all 2^64 of its network.
    return ip_network((peer, 64), strict=False)[0] if isinstance(peer, IPv6Address) else peer


def _forwarded(scope: Any) -> list[Address]:
    lines = Headers(scope=scope).getlist("x-forwarded-for")
    text = ",".join(lines)[-HOPS_CHARACTERS:]
    return [_parsed(entry) for entry in text.rsplit(",", HOPS)[-HOPS:]] if lines else []


def _parsed(text: str) -> Address:
    """An address with or without port and brackets; the text itself if it is none."""
    text = text.strip()
    host = text[1:].partition("]")[0] if text.startswith("[") else text
    if host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        address = ip_address(host)
    except ValueError:
        return text[:64]
    # A server that listens on both families sees an IPv4 peer as ::ffff:127.0.0.1.
    return getattr(address, "ipv4_mapped", None) or address


def _is_loopback(address: Address) -> bool:
    return not isinstance(address, str) and address.is_loopback


def _is_named(address: Address, settings: Settings) -> bool:
    return not isinstance(address, str) and any(address in network for network in settings.proxies)
