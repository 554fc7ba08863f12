"""Scripts for the browser, from this package and from plotly: nothing loads from another host."""

import gzip
import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

FOLDER = Path(__file__).parent / "js"
SCRIPTS: dict[str, Path] = {path.stem: path for path in FOLDER.glob("*.js")}
"""Name -> path of the JavaScript modules, which import each other by name."""
RECORDED = Path(__file__).parent / "recorded"
"""What the engine has computed before, for pages that show something before anything runs; `python -m recordings`."""


@dataclass(frozen=True)
class _File:
    plain: bytes
    packed: bytes
    tag: str


def _file(text: bytes) -> _File:
    return _File(text, gzip.compress(text, 6), f'"{hashlib.sha256(text).hexdigest()[:24]}"')


@cache
def _plotly() -> _File:
    import plotly.offline

    return _file(plotly.offline.get_plotlyjs().encode())


async def plotly_script(request: Request) -> Response:
    """plotly.js of the installed plotly package; immutable, so ask with `?v=<version>`."""
    script = await anyio.to_thread.run_sync(_plotly)
    return _answer(request, script, "public, max-age=31536000, immutable")


async def live_script(request: Request) -> Response:
    """A script of `pcviz/live/js`; requested at every page load, sent only when it has changed."""
    path = SCRIPTS.get(request.path_params["name"])
    if path is None:
        return PlainTextResponse("There is no such script", 404)
    return _answer(request, _file(path.read_bytes()), "no-cache")


async def recording(request: Request) -> Response:
    """A recording of `pcviz/live/recorded`, by name."""
    path = RECORDED / f"{request.path_params['name']}.json"
    if path not in RECORDED.glob("*.json"):
        return PlainTextResponse("There is no such recording", 404)
    return _answer(request, _recording(path), "no-cache", "application/json")


@cache
def _recording(path: Path) -> _File:
    return _file(path.read_bytes())


def _answer(request: Request, script: _File, caching: str, media: str = "text/javascript") -> Response:
    headers = {"ETag": script.tag, "Cache-Control": caching, "Vary": "Accept-Encoding"}
    known = [tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")]
    if script.tag in known:
        return Response(status_code=304, headers=headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        packed = headers | {"Content-Encoding": "gzip"}
        return Response(script.packed, media_type=media, headers=packed)
    return Response(script.plain, media_type=media, headers=headers)
