"""Text on a page, where Streamlit takes everything for Markdown."""

import re
from collections.abc import Iterable

WORD_JOINER = "\u2060"
_BULLET = re.compile(r"^(\s*\d*)([-+.)])(?=\s)", re.MULTILINE)
_ADDRESS = re.compile(r"https?(?=:)|www(?=\.)|(?<=[\w.+-])(?=@)", re.IGNORECASE)


def lines(messages: Iterable[str]) -> str:
    """Messages as Markdown, each on a line of its own, whatever they contain."""
    return "  \n".join(plain(" ".join(message.split())) for message in messages)


def plain(text: str) -> str:
    """Text in which Markdown finds nothing to interpret.

    Bare addresses become links after backslashes are gone, so that only an invisible character inside prevents it.
    """
    broken = _ADDRESS.sub(lambda found: found[0] + WORD_JOINER, text)
    escaped = "".join("\\" + character if character in r"\`*_{}[]<>#$~|:&" else character for character in broken)
    return _BULLET.sub(r"\1\\\2", escaped)
