"""Where the store is: a database URL, checked before anything is opened."""

import re

from sqlalchemy import Engine, create_engine
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from pcviz.store import server

EXAMPLE = "allowed: a database URL, such as sqlite:///pcviz.db"


def engine(text: str) -> Engine:
    """An engine for a URL; nothing is opened yet. Raises ValueError in one line: not a URL, a database that two
    processes cannot share, another program's database, a name that a URL cannot hold as it is, a package that is not
    installed."""
    url = _parsed(text)
    shown = url.render_as_string(hide_password=True)
    sqlite = url.get_backend_name() == "sqlite"
    if not sqlite and (url.get_backend_name(), url.get_dialect().driver) != ("postgresql", server.DRIVER):
        raise ValueError(
            f"PCVIZ_DATABASE: {shown} is nothing that pcviz can use (allowed: sqlite:///…, postgresql://…)"
        )
    if sqlite and (not url.database or url.database.startswith((":memory:", "file:"))):
        raise ValueError(f"PCVIZ_DATABASE: {shown} is no plain file; name one, such as sqlite:///pcviz.db")
    if sqlite and (options := text.partition("?")[2]) and not re.fullmatch(r"[^=&]+=[^&]*(&[^=&]+=[^&]*)*", options):
        raise ValueError(f"PCVIZ_DATABASE: {text}: a ? begins options (write %3F where it belongs to a name)")
    try:
        if sqlite:
            return create_engine(url)
        usual = {name: value for name, value in server.CONNECTION.items() if name not in url.query}
        return create_engine(url, pool_pre_ping=True, connect_args=usual)
    except ImportError:
        raise ValueError(f'PCVIZ_DATABASE: {shown} needs psycopg: pip install "psycopg[binary]"') from None


def _parsed(text: str) -> URL:
    try:
        url = make_url(text)
        url.get_dialect()
    except (ArgumentError, NoSuchModuleError, ValueError):
        raise ValueError(f"PCVIZ_DATABASE: {text} is not a database URL ({EXAMPLE})") from None
    return url
