// Shared by the course's widgets: it is put in front of their own scripts.

function element(tag, className, attributes = {}, ...children) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

function asBytes(value) {
  if (!value) return null;
  return value instanceof ArrayBuffer ? new Uint8Array(value) : new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
}

const isPlain = (event) => !event.ctrlKey && !event.metaKey && !event.altKey;

// JupyterLab looks at keys before anything on the page does and takes plain ones for commands (x cuts the cell). Before
// that, on the window, the keys meant for a widget are marked as ours; Ctrl+S and its like remain the notebook's.
function keepKeys(on, root, more = () => false) {
  on(
    window,
    "keydown",
    (event) => {
      if (root.contains(event.target)) root.toggleAttribute("data-lm-suppress-shortcuts", isPlain(event) || more(event));
    },
    { capture: true },
  );
}
