"""Accepts or refuses requests: one check for pages, files, websocket and live routes, however the app is started.

A page of another site could otherwise read or steer a server on this machine, by its address or by a name that it
points here (DNS rebinding). Streamlit's own check covers only its websocket, and only if names are set.
"""

import html
import ipaddress
import json
from collections.abc import Iterable
from urllib.parse import SplitResult, urlsplit

from starlette.datastructures import Headers
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit import config

from pcviz.live.ceilings import Ceiling, client_of
from pcviz.settings import Settings

PORTS = {"http": 80, "https": 443}
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>pcviz</title>
<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">
<style>body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 40rem; margin: 15vh auto; padding: 0 1rem; }}</style>
</head><body><h1>pcviz</h1><p>{}</p></body></html>"""
HOSTS = "server.allowedHosts"
TAKEN = "taken over by pcviz"
"""Where the option was set, as Streamlit records it, after pcviz took the names out of it."""
_allowed: list[str] = []


class Guard:
    """Middleware around everything: Host, Origin, length of a request, number of open pages."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._settings = settings
        self._pages = Ceiling("pages", settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it with a line that says why not."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if length := self._too_long(scope):
            await _answer(headers, *length)(scope, receive, send)
        elif fault := refusal(headers.getlist("host"), _origins(scope, headers)):
            answer = _spoken(fault) if _is_front_end(scope) else _answer(headers, 403, fault)
            await answer(scope, receive, send)
        elif scope["type"] == "websocket" or "text/html" in headers.get("accept", ""):
            await self._page(headers, scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _page(self, headers: Headers, scope: Scope, receive: Receive, send: Send) -> None:
        address = client_of(scope, self._settings)
        if fault := self._pages.fault(address):
            await _answer(headers, 429, fault)(scope, receive, send)
        elif scope["type"] == "websocket":
            with self._pages.held(address):
                await self._app(_checked(scope), receive, send)
        else:
            await self._app(scope, receive, send)

    def _too_long(self, scope: Scope) -> tuple[int, str] | None:
        most = self._settings.request_bytes
        target = len(scope.get("raw_path") or scope["path"].encode()) + len(scope.get("query_string", b""))
        if target > most:
            return 414, f"The address has {target} bytes (allowed: PCVIZ_REQUEST_BYTES {most})"
        head = sum(len(name) + len(value) for name, value in scope["headers"])
        return (431, f"The headers have {head} bytes (allowed: PCVIZ_REQUEST_BYTES {most})") if head > most else None


def refusal(hosts: list[str], origins: list[str]) -> str | None:
    """Why a request with these Host and Origin headers is refused; None if it is not.

    Allowed hosts: this machine's own names, numeric addresses (they need no DNS) and those of
    `server.allowedHosts`. Allowed origins: none given, the host itself, names of `server.allowedHosts` without wildcard
    (a proxy may have changed the host) and `server.corsAllowedOrigins`.
    """
    named = allowed_hosts()
    if not any(hosts):
        return "The request does not say which server it wants (allowed: one Host header with the server's name)."
    host = _parsed(f"//{hosts[0]}") if len(hosts) == 1 else None
    if host is None:
        given = ", ".join(hosts)[:128]
        return f"Host: {given!r} is not one name (allowed: a name or an address, with or without a port)."
    if not _is_host_allowed(_name(host), named):
        name = _name(host)[:128]
        return f"This server does not answer to the name {name!r}. {_remedy(name)}"
    if not origins:
        return None
    given = ", ".join(origins)[:128]
    origin = _parsed(origins[0]) if len(origins) == 1 else None
    if origin is None or not origin.scheme:
        return (
            f"Pages from {given!r} may not use this server: that is not the address of a site. Files and sandboxed "
            "frames have none: open pcviz by its own address, in a tab or in a frame without sandbox."
        )
    if not _is_origin_allowed(origin, host, named):
        return (
            f"Pages from {given!r} may not use this server, which they address as {hosts[0][:128]!r}. "
            f"If this is the address under which people see pcviz, add it to server.corsAllowedOrigins."
        )
    return None


def allowed_hosts() -> list[str]:
    """The names in `server.allowedHosts`.

    The option is emptied for Streamlit, which would refuse localhost and addresses on its websocket as soon as one name
    is set. When its configuration file changes, Streamlit reads the option again, and so does this function.
    """
    if config.get_where_defined(HOSTS) != TAKEN:
        _allowed[:] = _names(config.get_option(HOSTS))
        config.set_option(HOSTS, [], TAKEN)
    return _allowed


def _is_host_allowed(name: str, named: list[str]) -> bool:
    own = _names([config.get_option("server.address"), config.get_option("browser.serverAddress")])
    if name in ("localhost", *own) or name.endswith(".localhost") or _is_address(name):
        return True
    return any(_matches(name, pattern) for pattern in named)


def _is_origin_allowed(origin: SplitResult, host: SplitResult, named: list[str]) -> bool:
    same_port = (host.port or PORTS.get(origin.scheme)) == (origin.port or PORTS.get(origin.scheme))
    if _name(origin) == _name(host) and same_port:
        return True
    listed = [_site(parts) for entry in config.get_option("server.corsAllowedOrigins") if (parts := _entry(entry))]
    return _name(origin) in named or _site(origin) in listed


def _matches(name: str, pattern: str) -> bool:
    return pattern in ("*", name) or (pattern.startswith("*.") and name.endswith(pattern[1:]))


def _remedy(name: str) -> str:
    return f'If this is your server, allow it: allowedHosts = ["{name}"] below [server] in .streamlit/config.toml.'


def _parsed(address: str) -> SplitResult | None:
    """The parts of scheme://host:port; None for any other text."""
    try:
        parts = urlsplit(address)
        _ = parts.port  # raises if it is no number
    except ValueError:
        return None
    plain = parts.username is None and not (parts.path or parts.query or parts.fragment)
    return parts if parts.hostname and plain else None


def _entry(text: str) -> SplitResult | None:
    """An entry of an option, with or without scheme and port; None if it is neither name nor address."""
    text = text.strip().rstrip("/")
    return _parsed(text if "://" in text else f"//{text}")


def _names(entries: Iterable[str | None]) -> list[str]:
    return [_name(parts) for entry in entries if entry and (parts := _entry(entry))]


def _site(parts: SplitResult) -> tuple[str, str, int | None]:
    return parts.scheme, _name(parts), parts.port or PORTS.get(parts.scheme)


def _name(parts: SplitResult) -> str:
    return (parts.hostname or "").lower().rstrip(".")


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _answer(headers: Headers, status: int, fault: str) -> Response:
    """A page for people, a line for programs."""
    retry = {"Retry-After": "10"} if status == 429 else None
    if "text/html" in headers.get("accept", ""):
        return HTMLResponse(_page(fault), status, retry)
    return PlainTextResponse(fault, status, retry)


def _page(fault: str) -> str:
    return PAGE.format(html.escape(fault, quote=False))


def _checked(scope: Scope) -> Scope:
    """A websocket's request without its origin: Streamlit would compare it with the host once more, and ask another
    site for this machine's address when they differ."""
    return {**scope, "headers": [(name, value) for name, value in scope["headers"] if name != b"origin"]}


def _origins(scope: Scope, headers: Headers) -> list[str]:
    """Origin, or the site whose page loads Streamlit's front end: if a proxy changed the host, its websocket fails."""
    origins = headers.getlist("origin")
    if _is_front_end(scope) and not origins and "referer" in headers:
        return ["/".join(headers["referer"].split("/")[:3])]
    return origins


def _is_front_end(scope: Scope) -> bool:
    return "/static/js/index." in scope["path"]


def _spoken(fault: str) -> Response:
    """A script in place of Streamlit's front end that shows on the page why nothing else will load."""
    script = f"document.documentElement.innerHTML = {json.dumps(_page(fault))};"
    return Response(script, media_type="text/javascript", headers={"Cache-Control": "no-store"})
