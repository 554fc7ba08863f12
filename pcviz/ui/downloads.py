"""What a group has measured, as files: every cell as CSV or Parquet, and tables for a paper."""

import io
import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeAlias

import pandas as pd
import streamlit as st

from pcviz.store import RunRecord
from pcviz.ui import session

Rows: TypeAlias = Sequence[Mapping[str, Any]]
Form: TypeAlias = Callable[[pd.DataFrame], bytes | str]


def results_of(record: RunRecord) -> dict[str, Any]:
    """What the newest checkpoint of a group holds, by member."""
    found = session.client().weights(record.id)
    results: dict[str, Any] = {} if found is None else json.loads(found[1]["results"].tobytes())
    return results


def buttons(
    name: str,
    record: RunRecord,
    tables: Mapping[str, Callable[[dict[str, Any]], Rows]],
    latex: Callable[[dict[str, Any]], str],
) -> None:
    """Draw the buttons that save what `record` has measured: `tables` have a label and make rows of its results, and
    `latex` is for a paper. Files are made when one is asked for."""
    with st.container(horizontal=True, gap="small", key="downloads"):
        for label, rows in tables.items():
            for ending, (name_of_format, kind, form) in FORMATS.items():
                made = partial(_file, record, rows, form)
                _button(f"{label} ({name_of_format})", f"{name}-{label.lower()}.{ending}", kind, made)
        _button("LaTeX", f"{name}.tex", "application/x-tex", lambda: latex(results_of(record)))


def _file(record: RunRecord, rows: Callable[[dict[str, Any]], Rows], form: Form) -> bytes | str:
    return form(table(rows(results_of(record))))


def _button(label: str, file: str, kind: str, made: Callable[[], bytes | str]) -> None:
    key = f"save_{file.rpartition('-')[2]}"
    st.download_button(label, made, file, kind, key=key, icon=":material/download:", on_click="ignore")


def table(rows: Rows) -> pd.DataFrame:
    """Rows as a table of numbers and texts; what is neither is written as JSON."""
    return pd.DataFrame([{name: _plain(value) for name, value in row.items()} for row in rows])


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, bool | int | float | str) else json.dumps(value)


def _csv(found: pd.DataFrame) -> str:
    return str(found.to_csv(index=False))


def _parquet(found: pd.DataFrame) -> bytes:
    target = io.BytesIO()
    found.to_parquet(target, index=False)
    return target.getvalue()


FORMATS: dict[str, tuple[str, str, Form]] = {
    "csv": ("CSV", "text/csv", _csv),
    "parquet": ("Parquet", "application/vnd.apache.parquet", _parquet),
}
"""Ending of a file -> name for people, media type, how it is made."""
