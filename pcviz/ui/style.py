"""The one block of CSS that goes beyond the theme."""

from pcviz.ui.narrow import WIDTH

CSS = """
<style>
/* A rerun must not make the page pulse: nothing fades while it is updated. */
[data-testid="stElementContainer"][data-stale="true"],
[data-testid="stElementContainer"] [data-stale="true"] { opacity: 1 !important; transition: none !important; }

/* Metric row and four panels fit a projector (1440 x 900) without scrolling; the header must not cut the first row. */
[data-testid="stMainBlockContainer"] { padding: 2.6rem 1.25rem 1rem; max-width: 120rem; }
[data-testid="stMainBlockContainer"] > [data-testid="stVerticalBlock"] { gap: 0.5rem; }
[data-testid="stHeader"] { height: 2.4rem; min-height: 2.4rem; }
[data-testid="stSidebarContent"] [data-testid="stVerticalBlock"] { gap: 0.45rem; }
[data-testid="stSidebarUserContent"] { padding-top: 0; }
.st-key-browser, .st-key-detail, .st-key-history, .st-key-keys, .st-key-narrow { display: none; } /* empty */
[data-testid="stSidebarHeader"] { height: 2.4rem; margin-bottom: 0; }

/* Streamlit's captions, and the text of a chosen button, have a contrast below 4.5. */
[data-testid="stCaptionContainer"] { opacity: 0.75; }
[data-testid="stButtonGroup"] [data-selected="true"] { color: inherit !important; }

/* Above a panel in full size (live.css) the page's buttons stay, in one line. */
body:has(.pcviz-full) { --pcviz-buttons: 56px; overflow: hidden; }
body:has(.pcviz-full) .st-key-transport {
  position: fixed; z-index: 999992; inset: 0 0 auto; height: 56px; padding: 6px 8px; box-sizing: border-box;
  flex-wrap: nowrap; overflow-x: auto;
}

/* Fingers need 44 px, mice do not. */
@media (pointer: coarse) {
  [data-testid="stMain"] [data-testid="stButton"] button { min-height: 44px; min-width: 44px; }
}
@media (max-width: WIDTHpx) {
  [data-testid="stMainBlockContainer"] { padding: 2.6rem 0.75rem 1rem; }
  [data-testid="stHorizontalBlock"] { min-width: 0; }
  /* A plot should be seen at once: rows of controls are one line high and scroll sideways. */
  .st-key-transport, [class*="_row"] { flex-wrap: nowrap !important; overflow-x: auto; scrollbar-width: none; }
  .st-key-transport > *, [class*="_row"] > * { flex: 0 0 auto !important; max-width: 85vw; }
  .st-key-transport [data-testid="stButton"] button { padding: 0 0.6rem; }
  body:not(:has(.pcviz-present)) .st-key-presenting { display: none; } /* nobody projects a phone */
  /* One hand: the buttons lie where the thumb is. */
  .st-key-transport {
    position: fixed; z-index: 999; inset: auto 0 0; padding: 6px 12px calc(6px + env(safe-area-inset-bottom));
    background: Canvas; border-top: 1px solid rgb(128 128 128 / 0.3);
  }
  [data-testid="stMainBlockContainer"] { padding-bottom: 5rem; }
}
</style>
""".replace("WIDTHpx", f"{WIDTH}px")
