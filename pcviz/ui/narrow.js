// Closes the sidebar of narrow screens after a choice in it (see narrow.py).

const LATER_MS = 250; // Streamlit forgets a choice in a sidebar that closes at once

/** `data.width`: pixels up to which a screen is narrow.
 *  @type {(call: Call<{ width: number }>) => void} */
export default function ({ data }) {
  if (window.pcvizNarrow) return;
  const narrow = (window.pcvizNarrow = matchMedia(`(max-width: ${data.width}px)`));
  const close = () => {
    const sidebar = document.querySelector('[data-testid="stSidebar"]');
    if (!narrow.matches || !sidebar || sidebar.getBoundingClientRect().right <= 1) return;
    /** @type {HTMLElement | null} */ (document.querySelector('[data-testid="stSidebarCollapseButton"] button'))?.click();
  };
  // It closes after the choice of a page or a preset, or a touch beside it.
  document.addEventListener("click", ({ target, isTrusted }) => {
    if (!(target instanceof Element)) return;
    const inside = target.closest('[data-testid="stSidebar"], [data-testid="stExpandSidebarButton"], [data-baseweb]');
    const leads = target.closest('[data-testid="stSidebarNavLink"], .st-key-preset [role="radio"]');
    if (isTrusted && (leads || !inside)) setTimeout(close, LATER_MS);
  }, { capture: true });
  close(); // the browser remembers that it was open
}
