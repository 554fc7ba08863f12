// Lets this browser remember how much of the form is shown (see detail.py).

const SECONDS = 365 * 24 * 3600;

/** @type {(call: Call<{ name: string, value: string }>) => void} */
export default function ({ data }) {
  // Without a path it belongs to the folder of the page: a site may have many servers.
  // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store API needs https
  document.cookie = `${data.name}=${data.value}; max-age=${SECONDS}; samesite=lax`;
}
