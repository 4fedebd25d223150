// The page's own script; `DataTable` comes from the library. Without scripts the page still shows all figures and tables.
const all = (selector, within = document) => [...within.querySelectorAll(selector)];
const bytesOf = (base64) => Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
for (const element of all(".needs-script")) element.hidden = false;

// --- The state of the page in its address, so that a link shows what its sender saw: `#show=m2&m2.seconds=0.2`. An address
// without `=` is the id of an element, as in every page.
const state = new URLSearchParams(location.hash.includes("=") ? location.hash.slice(1) : "");
const remember = (changes) => {
  for (const [name, value] of Object.entries(changes)) {
    if (value === "" || value === null || value === undefined) state.delete(name); else state.set(name, value);
  }
  const text = state.toString();
  history.replaceState(null, "", text ? `#${text}` : location.href.split("#")[0]);
};
