// The stage of the explorers. It knows panels, layers and controls, no words and no formulas: every text, tick and colour
// comes from Python (the trait `answer`, see scene.py), and axes are linear here, whatever they show.
//
// To Python goes a message {kind, name, value, panel, x, y, view, number}; from Python comes `answer`, which names the
// event that it is for. One question at a time: while one is open, later moves of the same control replace each other.

const PATIENCE = 2500; // milliseconds without an answer after which the reader is told so
const MEASURE = "explorer: control to picture"; // in the browser's timeline (performance.getEntriesByName)
const WIDEST = 920; // CSS pixels of all panels together
const NARROWEST = 240; // of one panel; below it panels stand under one another
const GRAB = 22; // CSS pixels around a handle in which it is taken
const HANDLE = 9; // its radius
const FONT = "Helvetica, Arial, 'Noto Sans CJK SC', sans-serif";
const INK = "#1F2937";
const GRID = "#E5E7EB";
const LINE = "#6B7280";
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
const MERGED = new Set(["change", "drag", "hover", "tick"]);

// float32 numbers out of a buffer that may begin anywhere
function asFloats(value) {
  const bytes = asBytes(value);
  return new Float32Array(bytes.slice().buffer);
}

// ---- one panel on its canvas

class PanelView {
  constructor(name) {
    this.name = name;
    this.canvas = element("canvas", "explorer-canvas", { "data-panel": name, role: "img" });
    this.pixels = new Map(); // layer index -> an offscreen canvas of its picture
  }

  // CSS pixels → the panel's own (linear) units, and back
  layOut(panel, width) {
    const top = panel.title ? 26 : 8;
    const left = panel.axes ? 54 : 6;
    const bottom = panel.axes ? (panel.x_title ? 44 : 26) : 6;
    const legend = panel.layers.some((layer) => layer.label && layer.kind !== "handle") ? 20 : 0;
    const inner = Math.max(60, width - left - 14);
    const height = Math.round(inner * panel.aspect);
    this.box = { left, top: top + legend, width: inner, height };
    this.size = { width, height: top + legend + height + bottom };
    this.panel = panel;
    this.legendTop = top;
  }

  px(x) {
    const [a, b] = this.panel.x;
    return this.box.left + ((x - a) / (b - a)) * this.box.width;
  }

  py(y) {
    const [a, b] = this.panel.y;
    return this.box.top + this.box.height - ((y - a) / (b - a)) * this.box.height;
  }

  unit(event) {
    const seen = this.canvas.getBoundingClientRect();
    const scale = this.size.width / (seen.width || 1);
    const [a, b] = this.panel.x;
    const [c, d] = this.panel.y;
    const x = ((event.clientX - seen.left) * scale - this.box.left) / this.box.width;
    const y = 1 - ((event.clientY - seen.top) * scale - this.box.top) / this.box.height;
    return { x: a + x * (b - a), y: c + y * (d - c), inside: x >= 0 && x < 1 && y >= 0 && y < 1 };
  }

  real(place) {
    const log = this.panel.logarithmic;
    return {
      x: log.includes("x") ? 10 ** place.x : place.x,
      y: log.includes("y") ? 10 ** place.y : place.y,
    };
  }

  draw(held) {
    const ratio = window.devicePixelRatio || 1;
    const { width, height } = this.size;
    const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (this.canvas.width !== w || this.canvas.height !== h) {
      this.canvas.width = w;
      this.canvas.height = h;
      this.canvas.style.width = `${width}px`;
      this.canvas.style.height = `${height}px`;
    }
    const context = this.canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.fillStyle = "#FFFFFF";
    context.fillRect(0, 0, width, height);
    this.axes(context, false);
    context.save();
    context.beginPath();
    context.rect(this.box.left - 0.5, this.box.top - 0.5, this.box.width + 1, this.box.height + 1);
    context.clip();
    for (const layer of this.panel.layers) if (layer.kind !== "handle" && layer.kind !== "text") this.layer(context, layer);
    context.restore();
    this.axes(context, true);
    for (const layer of this.panel.layers) if (layer.kind === "handle" || layer.kind === "text") this.layer(context, layer, held);
    this.legend(context);
  }

  axes(context, over) {
    const { panel, box } = this;
    if (over && panel.title) {
      context.fillStyle = INK;
      context.font = `600 13px ${FONT}`;
      context.textAlign = "left";
      context.textBaseline = "alphabetic";
      context.fillText(panel.title, panel.axes ? box.left : 6, 17, this.size.width - 12);
    }
    if (!panel.axes) return;
    context.lineWidth = 1;
    context.font = `12px ${FONT}`;
    const between = (value, [a, b]) => value >= Math.min(a, b) - 1e-9 && value <= Math.max(a, b) + 1e-9;
    for (const [at, text] of panel.ticks_x) {
      if (!between(at, panel.x)) continue;
      const x = Math.round(this.px(at)) + 0.5;
      context.strokeStyle = over ? LINE : GRID;
      context.beginPath();
      context.moveTo(x, over ? box.top + box.height : box.top);
      context.lineTo(x, box.top + box.height + (over ? 4 : 0));
      context.stroke();
      if (!over) continue;
      context.fillStyle = INK;
      context.textAlign = "center";
      context.textBaseline = "top";
      context.fillText(text, x, box.top + box.height + 6);
    }
    for (const [at, text] of panel.ticks_y) {
      if (!between(at, panel.y)) continue;
      const y = Math.round(this.py(at)) + 0.5;
      context.strokeStyle = over ? LINE : GRID;
      context.beginPath();
      context.moveTo(box.left - (over ? 4 : 0), y);
      context.lineTo(over ? box.left : box.left + box.width, y);
      context.stroke();
      if (!over) continue;
      context.fillStyle = INK;
      context.textAlign = "right";
      context.textBaseline = "middle";
      context.fillText(text, box.left - 7, y, box.left - (panel.y_title ? 22 : 8));
    }
    if (!over) return;
    context.strokeStyle = LINE;
    context.strokeRect(Math.round(box.left) + 0.5, Math.round(box.top) + 0.5, Math.round(box.width), Math.round(box.height));
    context.fillStyle = INK;
    context.font = `13px ${FONT}`;
    if (panel.x_title) {
      context.textAlign = "center";
      context.textBaseline = "bottom";
      context.fillText(panel.x_title, box.left + box.width / 2, this.size.height - 4, box.width);
    }
    if (panel.y_title) {
      context.save();
      context.translate(12, box.top + box.height / 2);
      context.rotate(-Math.PI / 2);
      context.textAlign = "center";
      context.textBaseline = "middle";
      context.fillText(panel.y_title, 0, 0, box.height);
      context.restore();
    }
  }

  legend(context) {
    let x = this.box.left;
    const y = this.legendTop + 8;
    context.font = `12px ${FONT}`;
    context.textBaseline = "middle";
    context.textAlign = "left";
    for (const layer of this.panel.layers) {
      if (!layer.label || layer.kind === "handle") continue;
      if (layer.kind === "line") this.path(context, layer, [[x, y], [x + 22, y]]);
      else if (layer.kind === "points") this.symbol(context, layer, x + 11, y, Math.min(layer.size, 10));
      context.fillStyle = INK;
      context.fillText(layer.label, x + 27, y);
      x += 27 + context.measureText(layer.label).width + 16;
    }
  }

  path(context, layer, points) {
    context.strokeStyle = layer.colour;
    context.lineWidth = layer.width;
    context.lineJoin = "round";
    context.setLineDash(layer.dash);
    context.beginPath();
    let open = false;
    for (const [x, y] of points) {
      if (Number.isNaN(x) || Number.isNaN(y)) open = false;
      else {
        // Canvas loses its way far outside: what lies there is off the picture all the same.
        const [cx, cy] = [Math.max(-1e5, Math.min(1e5, x)), Math.max(-1e5, Math.min(1e5, y))];
        if (open) context.lineTo(cx, cy);
        else context.moveTo(cx, cy);
        open = true;
      }
    }
    context.stroke();
    context.setLineDash([]);
  }

  symbol(context, layer, x, y, size) {
    const r = size / 2;
    context.fillStyle = layer.colour;
    context.strokeStyle = layer.outline;
    context.lineWidth = 1;
    context.beginPath();
    if (layer.symbol === "square") context.rect(x - 0.9 * r, y - 0.9 * r, 1.8 * r, 1.8 * r);
    else if (layer.symbol === "diamond") for (const [a, b] of [[0, -1.2], [1.2, 0], [0, 1.2], [-1.2, 0]]) context.lineTo(x + a * r, y + b * r);
    else if (layer.symbol === "triangle-up") for (const [a, b] of [[0, -1.15], [1.1, 0.85], [-1.1, 0.85]]) context.lineTo(x + a * r, y + b * r);
    else if (layer.symbol === "cross") {
      context.rect(x - r, y - r / 3, 2 * r, (2 * r) / 3);
      context.rect(x - r / 3, y - r, (2 * r) / 3, 2 * r);
    } else if (layer.symbol === "x" || layer.symbol === "star") {
      context.strokeStyle = layer.colour;
      context.lineWidth = Math.max(1.5, r / 2);
      context.moveTo(x - r, y - r); context.lineTo(x + r, y + r);
      context.moveTo(x - r, y + r); context.lineTo(x + r, y - r);
      if (layer.symbol === "star") { context.moveTo(x, y - 1.2 * r); context.lineTo(x, y + 1.2 * r); }
      context.stroke();
      return;
    } else context.arc(x, y, r, 0, 2 * Math.PI);
    context.closePath();
    context.fill();
    context.stroke();
  }

  layer(context, layer, held) {
    if (layer.kind === "picture") return this.picture(context, layer);
    if (layer.kind === "line" || layer.kind === "points") {
      const [xs, ys] = [asFloats(layer.x), asFloats(layer.y)];
      const points = Array.from(xs, (x, i) => [this.px(x), this.py(ys[i])]);
      if (layer.kind === "line") return this.path(context, layer, points);
      for (const [x, y] of points) if (!Number.isNaN(x + y)) this.symbol(context, layer, x, y, layer.size);
      return;
    }
    if (layer.kind === "box") {
      const [a, b] = [this.px(layer.x[0]), this.px(layer.x[1])];
      const [c, d] = [this.py(layer.y[0]), this.py(layer.y[1])];
      context.fillStyle = context.strokeStyle = layer.colour;
      context.lineWidth = layer.width;
      const rectangle = [Math.min(a, b), Math.min(c, d), Math.abs(b - a), Math.abs(d - c)];
      if (layer.filled) context.fillRect(...rectangle);
      else context.strokeRect(...rectangle);
      if (layer.text) {
        context.fillStyle = layer.filled ? "#FFFFFF" : INK;
        context.font = `12px ${FONT}`;
        context.textAlign = "center";
        context.textBaseline = "middle";
        if (context.measureText(layer.text).width < Math.abs(b - a) - 4) context.fillText(layer.text, (a + b) / 2, (c + d) / 2);
      }
      return;
    }
    if (layer.kind === "text") {
      context.fillStyle = layer.colour;
      context.font = `${layer.bold ? "600 " : ""}${layer.size}px ${FONT}`;
      context.textAlign = layer.anchor;
      context.textBaseline = "middle";
      layer.texts.forEach((text, i) => context.fillText(text, this.px(layer.x[i]), this.py(layer.y[i])));
      return;
    }
    const [x, y] = [this.px(layer.x), this.py(layer.y)];
    context.beginPath();
    context.arc(x, y, HANDLE, 0, 2 * Math.PI);
    context.fillStyle = "#FFFFFF";
    context.fill();
    context.lineWidth = held === layer.name ? 5 : 3;
    context.strokeStyle = INK;
    context.stroke();
    context.beginPath();
    context.arc(x, y, 2.5, 0, 2 * Math.PI);
    context.fillStyle = INK;
    context.fill();
  }

  picture(context, layer) {
    const bytes = asBytes(layer.pixels);
    const rgba = new Uint8ClampedArray(4 * layer.width * layer.height).fill(255);
    for (let i = 0, j = 0; i < bytes.length; i += 3, j += 4) {
      rgba[j] = bytes[i];
      rgba[j + 1] = bytes[i + 1];
      rgba[j + 2] = bytes[i + 2];
    }
    const small = new OffscreenCanvas(layer.width, layer.height);
    small.getContext("2d").putImageData(new ImageData(rgba, layer.width, layer.height), 0, 0);
    context.imageSmoothingEnabled = layer.smooth;
    const [a, b] = [this.px(layer.x[0]), this.px(layer.x[1])];
    const [top, bottom] = [this.py(layer.y[1]), this.py(layer.y[0])];
    context.drawImage(small, a, top, b - a, bottom - top);
  }

  handles() {
    return this.panel.layers.filter((layer) => layer.kind === "handle");
  }

  put({ name, place }) {
    Object.assign(this.handles().find((handle) => handle.name === name) ?? {}, place);
  }

  handleAt(event) {
    const seen = this.canvas.getBoundingClientRect();
    const [x, y] = [event.clientX - seen.left, event.clientY - seen.top];
    const near = this.handles().map((layer) => [Math.hypot(this.px(layer.x) - x, this.py(layer.y) - y), layer]);
    near.sort((a, b) => a[0] - b[0]);
    return near.length && near[0][0] <= GRAB ? near[0][1] : null;
  }
}

// ---- the controls

function makeControl(control, root, ask) {
  if (control.kind === "button") {
    const button = element("button", "explorer-button", { type: "button", "data-control": control.name }, control.label);
    button.addEventListener("click", () => ask({ kind: "press", name: control.name }));
    const show = (answer) => {
      button.textContent = answer.playing ? control.playing_label : control.label;
    };
    return { node: button, show };
  }
  const label = element("label", "explorer-label", {}, element("span", "explorer-name", {}, control.label));
  if (control.kind === "choice") {
    const select = element("select", "explorer-select", { "data-control": control.name, "aria-label": control.label });
    for (const [key, text] of control.options) select.append(element("option", "", { value: key }, text));
    select.addEventListener("change", () => ask({ kind: "change", name: control.name, value: select.value }));
    label.append(select);
    const show = (answer) => {
      if (document.activeElement !== select || !answer.mine) select.value = answer.values[control.name];
    };
    return { node: label, show };
  }
  const slider = element("input", "explorer-slider", {
    type: "range", min: 0, max: control.values.length - 1, step: 1, "data-control": control.name, "aria-label": control.label,
  });
  const output = element("output", "explorer-value");
  const write = () => {
    output.textContent = control.texts[Number(slider.value)];
    slider.setAttribute("aria-valuetext", output.textContent);
  };
  slider.addEventListener("input", () => {
    write();
    ask({ kind: "change", name: control.name, value: control.values[Number(slider.value)] });
  });
  // As wide as the longest text, or the row would dance while the slider moves.
  output.style.minWidth = `${Math.max(...control.texts.map((text) => text.length)) * 0.62 + 0.5}em`;
  label.append(slider, output);
  const show = (answer) => {
    if (answer.mine && answer.waiting) return; // the reader is still moving
    slider.value = control.values.indexOf(answer.values[control.name]);
    write();
  };
  return { node: label, show };
}

// ---- the widget

function render({ model, el }) {
  const words = model.get("words");
  const view = Math.random().toString(36).slice(2);
  const listening = new AbortController();
  const on = (target, type, listener, options = {}) =>
    target.addEventListener(type, listener, { signal: listening.signal, ...options });

  const tools = element("div", "explorer-tools", { role: "group", "aria-label": words.controls });
  const stage = element("div", "explorer-panels");
  const sentence = element("p", "explorer-sentence");
  const spoken = element("p", "explorer-spoken", { "aria-live": "polite" });
  const latency = element("p", "explorer-note", { "aria-hidden": "true" });
  const title = element("p", "explorer-heading", {}, model.get("title"));
  const root = element("div", "explorer", { role: "group", "aria-label": model.get("title") }, title, tools, stage, sentence, latency, spoken);
  el.append(root);

  // -- to Python and back
  let number = 0;
  let open = null; // the event that waits for its answer: {number, started}
  let waiting = []; // those that wait for their turn
  let patience = 0;
  let speech = 0;
  root.dataset.sent = root.dataset.answered = 0;
  const send = () => {
    if (open || !waiting.length) return;
    const { started, ...event } = waiting.shift();
    open = { number: event.number, started, kind: event.kind };
    model.send({ ...event, view });
    clearTimeout(patience);
    patience = setTimeout(() => tell("waiting", words.waiting), PATIENCE);
  };
  const ask = (event) => {
    number += 1;
    root.dataset.sent = number;
    const last = waiting.at(-1);
    const replaces = last && MERGED.has(event.kind) && last.kind === event.kind && last.name === event.name;
    const started = replaces ? last.started : performance.now();
    if (replaces) waiting.pop();
    waiting.push({ ...event, number, started });
    send();
  };
  const tell = (kind, text) => {
    root.dataset.kind = kind;
    sentence.textContent = text;
    clearTimeout(speech); // speech follows when the picture has come to rest
    speech = setTimeout(() => {
      if (spoken.textContent !== text) spoken.textContent = text;
    }, 700);
  };

  const controls = model.get("controls").map((control) => makeControl(control, root, ask));
  tools.append(...controls.map((control) => control.node));

  // -- the panels
  const panels = new Map();
  let answer = model.get("answer");
  let held = null; // {panel, name, pointer}
  let placed = null; // {panel, name, place}: where the reader has put a handle, until Python has answered that
  let frame = 0;
  const paint = () => {
    frame = 0;
    const total = Math.min(stage.clientWidth || WIDEST, WIDEST);
    const gap = 12;
    const weights = answer.panels.reduce((sum, panel) => sum + panel.weight, 0);
    const room = total - gap * (answer.panels.length - 1);
    const narrow = answer.panels.some((panel) => (room * panel.weight) / weights < NARROWEST);
    for (const panel of answer.panels) {
      const shown = panels.get(panel.name);
      shown.layOut(panel, narrow ? Math.min(total, 460) : Math.floor((room * panel.weight) / weights));
      if (placed?.panel === panel.name) shown.put(placed);
      shown.draw(held?.panel === panel.name ? held.name : document.activeElement === shown.canvas ? shown.handles()[0]?.name : null);
      shown.canvas.setAttribute("aria-label", panel.title ? `${panel.title}. ${answer.sentence}` : answer.sentence);
      const [handle] = shown.handles();
      if (handle) {
        shown.canvas.tabIndex = 0;
        shown.canvas.setAttribute("role", "application");
        shown.canvas.setAttribute("aria-label", words.handle.replace("{label}", handle.label));
      }
    }
  };
  const repaint = () => {
    frame ||= requestAnimationFrame(paint);
  };
  const show = () => {
    answer = model.get("answer");
    const mine = answer.view === view;
    for (const panel of answer.panels) {
      if (!panels.has(panel.name)) panels.set(panel.name, listen(new PanelView(panel.name)));
    }
    const names = answer.panels.map((panel) => panel.name);
    if ([...stage.children].map((child) => child.dataset.panel).join() !== names.join())
      stage.replaceChildren(...names.map((name) => panels.get(name).canvas));
    const done = mine && open && answer.number >= open.number ? open : null;
    if (done) {
      open = null;
      clearTimeout(patience);
    }
    // An answer to an earlier move must not take the handle back from under a later one.
    if (!open && !waiting.some((event) => event.kind === "drag")) placed = null;
    for (const control of controls) control.show({ ...answer, mine, waiting: waiting.length > 0 });
    tell(answer.kind, answer.sentence);
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(() => {
      paint();
      if (done) {
        const now = performance.now();
        performance.measure(MEASURE, { start: done.started, end: now, detail: done.kind });
        latency.textContent = words.latency.replace("{milliseconds}", Math.round(now - done.started));
      }
      if (mine) root.dataset.answered = answer.number;
      root.dataset.drawn = Number(root.dataset.drawn ?? 0) + 1;
      root.dataset.playing = answer.playing;
      // Only the view that plays asks on; a hidden page draws no frames, and so waits.
      if (answer.playing && mine && !open && !waiting.length) ask({ kind: "tick", name: "" });
      else send();
    });
  };

  function listen(shown) {
    const { canvas } = shown;
    // The handle follows at once; the rest of the picture when Python has answered.
    const dragTo = (name, place) => {
      placed = { panel: shown.name, name, place };
      shown.put(placed);
      repaint();
      ask({ kind: "drag", name, panel: shown.name, ...shown.real(place) });
    };
    on(canvas, "pointerdown", (event) => {
      const handle = shown.handleAt(event);
      if (!handle || event.button !== 0) return;
      held = { panel: shown.name, name: handle.name, pointer: event.pointerId };
      canvas.setPointerCapture(event.pointerId);
      canvas.focus({ preventScroll: true });
      event.preventDefault();
      repaint();
    });
    let cell = "";
    on(canvas, "pointermove", (event) => {
      const place = shown.unit(event);
      if (held?.pointer === event.pointerId && held.panel === shown.name) {
        const clamped = { x: clampTo(place.x, shown.panel.x), y: clampTo(place.y, shown.panel.y) };
        return dragTo(held.name, clamped);
      }
      if (shown.panel.axes || shown.handles().length) canvas.style.cursor = shown.handleAt(event) ? "grab" : "";
      if (!shown.panel.hover || !place.inside) return;
      const [x, y] = [Math.floor(place.x), Math.floor(place.y)];
      if (`${x},${y}` === cell) return;
      cell = `${x},${y}`;
      ask({ kind: "hover", name: "", panel: shown.name, x, y });
    });
    for (const type of ["pointerup", "pointercancel", "lostpointercapture"])
      on(canvas, type, (event) => {
        if (held?.pointer !== event.pointerId) return;
        held = null;
        repaint();
      });
    on(canvas, "pointerleave", () => {
      cell = "";
    });
    on(canvas, "focus", repaint);
    on(canvas, "blur", repaint);
    on(canvas, "keydown", (event) => {
      const [handle] = shown.handles();
      if (!handle || !(event.key in ARROWS) || !isPlain(event)) return;
      const part = event.shiftKey ? 0.005 : 0.025;
      const [dx, dy] = ARROWS[event.key];
      const [a, b] = shown.panel.x;
      const [c, d] = shown.panel.y;
      dragTo(handle.name, { x: clampTo(handle.x + dx * part * (b - a), [a, b]), y: clampTo(handle.y + dy * part * (d - c), [c, d]) });
      event.preventDefault();
    });
    return shown;
  }

  keepKeys(on, root);
  on(root, "keydown", (event) => {
    if (isPlain(event)) event.stopPropagation();
  });
  model.on("change:answer", show);
  const resized = new ResizeObserver(repaint);
  resized.observe(stage);
  show();
  return () => {
    listening.abort();
    resized.disconnect();
    clearTimeout(patience);
    clearTimeout(speech);
    cancelAnimationFrame(frame);
    model.off("change:answer", show);
  };
}

const clampTo = (value, [a, b]) => Math.min(Math.max(value, Math.min(a, b)), Math.max(a, b));

export default { render };
