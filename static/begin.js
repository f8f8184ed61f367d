// Tells Streamlit where its server is: at this page's address, less the page's own name. Without this the browser
// asks for it below every page first, is told no, and waits a tenth of a second before it asks one level higher.
window.__streamlit = {
  ...window.__streamlit,
  BACKEND_BASE_URL: document.currentScript.dataset.page
    ? new URL(".", location.href).href
    : location.origin + location.pathname,
}
