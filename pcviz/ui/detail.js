// Lets this browser remember how much of the form is shown (see detail.py).

const HOME = new URL(".", document.baseURI).pathname; // a site may have many servers
const SECONDS = 365 * 24 * 3600;

/** @type {(call: Call<{ name: string, value: string }>) => void} */
export default function ({ data }) {
  // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store API needs https
  document.cookie = `${data.name}=${data.value}; path=${HOME}; max-age=${SECONDS}; samesite=lax`;
}
