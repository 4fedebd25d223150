// The page's own script. Without scripts the page still shows all figures and tables.
const all = (selector, within = document) => [...within.querySelectorAll(selector)];
const bytesOf = (base64) => {
  const letters = atob(base64), bytes = new Uint8Array(letters.length);
  for (let at = 0; at < letters.length; at++) bytes[at] = letters.charCodeAt(at);  // `Uint8Array.from` is ten times slower
  return bytes;
};
// The text of a file inside of the page, which is packed: gzip in base64.
const unpacked = (base64) => new Response(new Blob([bytesOf(base64)]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
// Run a packed library inside of the page. It defines one name, which a script finds in the window.
const library = async (id) => {
  const script = document.createElement("script");
  script.textContent = await unpacked(document.getElementById(id).textContent);
  document.head.append(script);
};
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
