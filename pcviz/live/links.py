"""Links of the first release: the Train page stood at the root then, with its settings in the address."""

from urllib.parse import parse_qsl

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit import config

TRAIN = "train"
OWN = {"present", "back", "acknowledged", "page", "embed", "embed_options"}
"""Keys that the address of the Home page may have; all others belong to the Train page."""


class FormerLinks:
    """Middleware that leads an address with settings or a run at the root to the Train page, with all that it holds."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Redirect such a request, or pass it on."""
        app = self._app
        if scope["type"] == "http" and scope["method"] in ("GET", "HEAD") and _is_root(scope["path"]):
            query = scope["query_string"].decode("latin-1")
            if {key for key, _ in parse_qsl(query, keep_blank_values=True)} - OWN:
                # Relative, like all addresses of pages: only a browser knows the prefix that proxies add.
                app = Response(status_code=307, headers={"Location": f"{TRAIN}?{query}", "Cache-Control": "no-cache"})
        await app(scope, receive, send)


def _is_root(path: str) -> bool:
    base = str(config.get_option("server.baseUrlPath") or "").strip("/")
    return path == "/" or path == f"/{base}/"
