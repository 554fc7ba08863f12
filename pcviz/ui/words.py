"""The words and symbols of a page, explained in the sidebar."""

import streamlit as st

from pcviz import glossary
from pcviz.ui import markdown


def offer(page: str) -> None:
    """Draw a button that opens the entries of the glossary which belong to `page`."""
    with st.sidebar, st.popover("Words and symbols", icon=":material/menu_book:", width="stretch", key="words"):
        for word, entry in glossary.GLOSSARY.items():
            if page in entry.pages:
                symbol = f" ({markdown.plain(entry.symbol)})" if entry.symbol else ""
                unit = f" Unit: {markdown.plain(entry.unit)}." if entry.unit else ""
                link = f":gray[:small[{markdown.plain(entry.link)}]]"
                st.markdown(f"**{word}**{symbol}  \n{markdown.plain(entry.text)}{unit}  \n{link}")
