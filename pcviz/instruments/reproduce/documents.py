"""What the documents of all findings have in common."""

from typing import Any


def document_of(finding: str, found: list[dict[str, Any]], protocol: Any, **parts: Any) -> dict[str, Any]:
    """A document of the `cells` measured so far, the `protocol` behind them, and what is special to the finding."""
    return {
        "schema": 1,
        "reproduction": finding,
        "status": "done" if len(found) == len(protocol.cells) else "stopped",
        "protocol": {name: list(v) if isinstance(v, tuple) else v for name, v in protocol._asdict().items()},
        **parts,
        "cells": found,
    }


def claim(
    text: str, measured: float | None, kept: bool | None, interval: list[float] | tuple[float, float] | None = None
) -> dict[str, Any]:
    """A claim, what was measured, the interval of that, and whether the claim is kept; None: it is not known."""
    return {"claim": text, "measured": measured, "interval": interval, "kept": kept}
