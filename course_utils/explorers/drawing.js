// The canvas of "Draw a digit". It knows strokes and pictures, no words and no digits: every text comes from Python
// (the trait `words`), and so do the image and the probabilities (the trait `answer`).
//
// To Python goes a message {version, strokes: [{width, points: [[x, y], …]}, …]}, in paper units (x right, y down).
// From Python comes `answer`: {version, kind, sentence, image: 784 bytes or null, probabilities: [] or one a class}.
// The trait `drawing` keeps the strokes for every view of the widget, and brings those that Python sets. It is never sent
// from here: ipywidgets holds an update back until the one before is done, and the end of a stroke shall not wait.

const PAPER = 280; // the side of the paper, in its own units: CSS pixels where there is room
const SIDE = 28; // the side of what the network sees
const EVERY = 40; // milliseconds between two messages while the pen is down
const PATIENCE = 1500; // milliseconds without an answer after which the reader is told so
const NEAR = 1; // paper units: a point closer than this to the last one says nothing new
const STEP = 8; // paper units an arrow key moves the pen; with Shift:
const SMALL_STEP = 2;
const PAPER_COLOUR = "#ffffff";
const INK_COLOUR = "#111111";
const PEN_COLOUR = "#0072b2";
// The name under which the browser's timeline keeps what was measured (performance.getEntriesByName).
const MEASURE = "draw-digit: end of stroke to answer";

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

const clamp = (value) => Math.min(Math.max(value, 0), PAPER);
const rounded = (point) => point.map((value) => Math.round(value * 10) / 10);

// The part of the line from a to b that lies on the paper (Liang and Barsky, 1984), or null.
function onPaper(a, b) {
  let enter = 0;
  let leave = 1;
  for (const axis of [0, 1]) {
    const way = b[axis] - a[axis];
    const bounds = [(0 - a[axis]) / way, (PAPER - a[axis]) / way].sort((p, q) => p - q);
    if (way === 0) {
      if (a[axis] < 0 || a[axis] > PAPER) return null;
    } else {
      enter = Math.max(enter, bounds[0]);
      leave = Math.min(leave, bounds[1]);
    }
  }
  if (enter > leave) return null;
  const at = (share) => [a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1])];
  return { start: at(enter), end: at(leave), whole: enter === 0 };
}

// The strokes, and how they came about: undo goes back a gesture, or the last clearing.
class Sheet {
  constructor(strokes) {
    this.strokes = strokes;
    this.past = [];
    this.last = null; // where the pen is, on the paper or off it; null: the pen is up
  }

  get empty() {
    return this.strokes.length === 0;
  }

  begin(point, width) {
    this.past.push([...this.strokes]);
    this.width = width;
    this.last = point;
    this.open = false;
    if (onPaper(point, point)) this.start(point);
  }

  start(point) {
    this.strokes = [...this.strokes, { width: this.width, points: [rounded(point)] }];
    this.open = true;
  }

  // True when ink was added. Where the pen leaves the paper the stroke ends; where it comes back another begins.
  move(point) {
    if (Math.hypot(point[0] - this.last[0], point[1] - this.last[1]) < NEAR) return false;
    const seen = onPaper(this.last, point);
    this.last = point;
    if (!seen) {
      this.open = false;
      return false;
    }
    if (!this.open || !seen.whole) this.start(seen.start);
    this.strokes.at(-1).points.push(rounded(seen.end));
    return true;
  }

  end() {
    this.last = null;
    // A gesture that never touched the paper is nothing to take back.
    if (this.past.at(-1)?.length === this.strokes.length) this.past.pop();
  }

  undo() {
    if (this.past.length) this.strokes = this.past.pop();
  }

  clear() {
    if (this.empty) return;
    this.past.push(this.strokes);
    this.strokes = [];
  }

  replace(strokes) {
    this.strokes = strokes;
    this.past = [];
    this.last = null;
  }
}

function drawStrokes(context, strokes) {
  context.fillStyle = PAPER_COLOUR;
  context.fillRect(0, 0, PAPER, PAPER);
  context.strokeStyle = context.fillStyle = INK_COLOUR;
  context.lineCap = context.lineJoin = "round";
  for (const { width, points } of strokes) {
    context.beginPath();
    if (points.length === 1) {
      context.arc(points[0][0], points[0][1], width / 2, 0, 2 * Math.PI);
      context.fill();
    } else {
      context.lineWidth = width;
      points.forEach(([x, y]) => context.lineTo(x, y));
      context.stroke();
    }
  }
}

// Up is a ring, down a filled disc; the cross hair makes both easy to find.
function drawPen(context, [x, y], width, down) {
  context.strokeStyle = context.fillStyle = PEN_COLOUR;
  context.lineWidth = 2;
  context.beginPath();
  for (const [dx, dy] of Object.values(ARROWS)) {
    context.moveTo(x + (dx * width) / 2, y + (dy * width) / 2);
    context.lineTo(x + dx * (width / 2 + 8), y + dy * (width / 2 + 8));
  }
  context.stroke();
  context.beginPath();
  context.arc(x, y, width / 2, 0, 2 * Math.PI);
  if (down) context.fill();
  else context.stroke();
}

function drawSeen(canvas, bytes) {
  const context = canvas.getContext("2d");
  context.fillStyle = PAPER_COLOUR;
  context.fillRect(0, 0, SIDE, SIDE);
  if (!bytes) return;
  const pixels = new Uint8ClampedArray(4 * SIDE * SIDE);
  for (let i = 0; i < SIDE * SIDE; i++) pixels.set([255 - bytes[i], 255 - bytes[i], 255 - bytes[i], 255], 4 * i);
  context.putImageData(new ImageData(pixels, SIDE, SIDE), 0, 0);
}

function makeBars(names) {
  const rows = names.map((name) => {
    const bar = element("span", "draw-digit-bar");
    const share = element("span", "draw-digit-share", {}, "–");
    const row = element(
      "li",
      "draw-digit-row",
      {},
      element("span", "draw-digit-name", {}, name),
      element("span", "draw-digit-track", { "aria-hidden": "true" }, bar),
      share,
    );
    return { row, bar, share };
  });
  const show = (probabilities) => {
    const best = probabilities.length ? probabilities.indexOf(Math.max(...probabilities)) : -1;
    rows.forEach(({ row, bar, share }, i) => {
      const value = probabilities[i] ?? 0;
      bar.style.width = `${(100 * value).toFixed(1)}%`;
      share.textContent = probabilities.length ? `${(100 * value).toFixed(value < 0.0995 ? 1 : 0)}%` : "–";
      row.classList.toggle("draw-digit-best", i === best);
    });
  };
  return { rows: rows.map(({ row }) => row), show };
}

function render({ model, el }) {
  const words = model.get("words");
  const sheet = new Sheet(model.get("drawing").strokes);
  const listening = new AbortController();
  const on = (target, type, listener, options = {}) =>
    target.addEventListener(type, listener, { signal: listening.signal, ...options });

  // ---- what stands on the page
  const canvas = element("canvas", "draw-digit-paper", {
    tabindex: "0",
    role: "application",
    "aria-label": words.paper,
    "aria-roledescription": words.paper_role,
  });
  const undoButton = element("button", "draw-digit-button", { type: "button", title: words.undo_key }, words.undo);
  const clearButton = element("button", "draw-digit-button", { type: "button" }, words.clear);
  const [narrowest, widest] = model.get("brush_limits");
  const brush = element("input", "draw-digit-brush", {
    type: "range", min: narrowest, max: widest, step: 2, value: model.get("brush"),
  });
  const brushWidth = element("output", "draw-digit-width", {}, String(model.get("brush")));
  const seen = element("canvas", "draw-digit-seen", { width: SIDE, height: SIDE, role: "img", "aria-label": words.seen });
  const bars = makeBars(model.get("class_names"));
  const sentence = element("p", "draw-digit-sentence");
  const latency = element("p", "draw-digit-note", { "aria-hidden": "true" });
  const spoken = element("p", "draw-digit-spoken", { "aria-live": "polite" });
  const root = element(
    "div",
    "draw-digit",
    { role: "group", "aria-label": words.title },
    element(
      "div",
      "draw-digit-columns",
      {},
      element(
        "div",
        "draw-digit-left",
        {},
        element("p", "draw-digit-heading", {}, words.draw_here),
        canvas,
        element(
          "div",
          "draw-digit-tools",
          {},
          undoButton,
          clearButton,
          element("label", "draw-digit-label", {}, words.brush, brush, brushWidth),
        ),
      ),
      element("div", "draw-digit-middle", {}, element("p", "draw-digit-heading", {}, words.sees), seen, latency),
      element(
        "div",
        "draw-digit-right",
        {},
        element("p", "draw-digit-heading", {}, words.thinks),
        element("ul", "draw-digit-bars", { "aria-label": words.thinks }, ...bars.rows),
      ),
    ),
    sentence,
    element("p", "draw-digit-note", {}, words.keys),
    spoken,
  );
  el.append(root);

  // ---- drawing on the screen
  let pen = [PAPER / 2, PAPER / 2]; // where the arrow keys left the pen
  let byKeys = false;
  let frame = 0;
  const width = () => Number(brush.value);
  const paint = () => {
    frame = 0;
    const ratio = window.devicePixelRatio || 1;
    const pixels = Math.round(PAPER * ratio);
    if (canvas.width !== pixels) canvas.width = canvas.height = pixels;
    const context = canvas.getContext("2d");
    context.setTransform(pixels / PAPER, 0, 0, pixels / PAPER, 0, 0);
    drawStrokes(context, sheet.strokes);
    if (byKeys && document.activeElement === canvas) drawPen(context, pen, width(), sheet.last !== null);
    // Not `disabled`: a button that has the focus would lose it, and the keyboard its place.
    undoButton.setAttribute("aria-disabled", !sheet.past.length);
    clearButton.setAttribute("aria-disabled", sheet.empty);
  };
  const repaint = () => {
    frame ||= requestAnimationFrame(paint);
  };

  // ---- to Python and back
  let timer = 0;
  let patience = 0;
  let version = model.get("drawing").version;
  root.dataset.sent = version;
  const ended = new Map(); // version -> when the pen was lifted
  const answered = () => model.get("answer").version >= version;
  const send = () => {
    clearTimeout(timer);
    timer = 0;
    // A copy: the sheet goes on growing its last stroke, and a changed object would not count as a change.
    const strokes = sheet.strokes.map((stroke) => ({ width: stroke.width, points: stroke.points.slice() }));
    version += 1;
    root.dataset.sent = version;
    model.set("drawing", { version, strokes });
    model.send({ version, strokes });
    clearTimeout(patience);
    patience = setTimeout(() => tell("waiting", words.waiting), PATIENCE);
  };
  // While the pen is down one question at a time: a slow kernel is asked about the latest drawing, not about every one.
  let more = false;
  const sendSoon = () => {
    more = true;
    timer ||= setTimeout(() => {
      timer = 0;
      if (more && answered()) {
        more = false;
        send();
      }
    }, EVERY);
  };
  const sendNow = () => {
    more = false;
    ended.set(version + 1, performance.now());
    send();
  };
  const tell = (kind, text) => {
    root.dataset.kind = kind;
    sentence.textContent = text;
    // Speech follows the finished drawing only: forty sentences a second help nobody.
    if (sheet.last === null && spoken.textContent !== text) spoken.textContent = text;
  };
  const measure = (shown) => {
    const now = performance.now();
    for (const [sent, start] of ended) {
      if (sent > shown) continue;
      ended.delete(sent);
      performance.measure(MEASURE, { start, end: now, detail: sent });
      latency.textContent = words.latency.replace("{milliseconds}", Math.round(now - start));
    }
  };
  const show = () => {
    const answer = model.get("answer");
    drawSeen(seen, asBytes(answer.image));
    bars.show(answer.probabilities);
    if (answered()) clearTimeout(patience);
    if (answered() && more) sendSoon();
    tell(answer.kind, answer.sentence);
    root.dataset.answered = answer.version;
    requestAnimationFrame(() => measure(answer.version));
  };
  const adopt = () => {
    const drawing = model.get("drawing");
    if (drawing.version === version) return; // our own message
    root.dataset.sent = version = drawing.version;
    sheet.replace(drawing.strokes);
    repaint();
  };
  const showBrush = () => {
    brush.value = model.get("brush");
    brushWidth.textContent = brush.value;
    repaint();
  };
  model.on("change:answer", show);
  model.on("change:drawing", adopt);
  model.on("change:brush", showBrush);

  // ---- mouse, finger and pen
  let pointer = null; // the one that draws; a second finger is ignored
  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    const scale = PAPER / (canvas.clientWidth || PAPER);
    return [(event.clientX - box.left - canvas.clientLeft) * scale, (event.clientY - box.top - canvas.clientTop) * scale];
  };
  const finish = () => {
    pointer = null;
    sheet.end();
    repaint();
    sendNow();
  };
  on(canvas, "pointerdown", (event) => {
    if (pointer !== null || event.button !== 0) return;
    if (sheet.last !== null) finish(); // a pen put down by the keyboard
    byKeys = false;
    pointer = event.pointerId;
    canvas.setPointerCapture(pointer);
    canvas.focus({ preventScroll: true });
    sheet.begin(place(event), width());
    repaint();
    sendSoon();
  });
  on(canvas, "pointermove", (event) => {
    if (event.pointerId !== pointer) return;
    const events = event.getCoalescedEvents?.() ?? [];
    const inked = (events.length ? events : [event]).filter((each) => sheet.move(place(each)));
    if (!inked.length) return;
    repaint();
    sendSoon();
  });
  for (const type of ["pointerup", "pointercancel", "lostpointercapture"])
    on(canvas, type, (event) => {
      if (event.pointerId !== pointer) return;
      if (type === "pointerup") sheet.move(place(event));
      finish();
    });
  on(canvas, "contextmenu", (event) => event.preventDefault()); // a long press is a stroke

  // ---- keyboard
  const held = new Set();
  const change = (possible, act) => () => {
    if (pointer !== null || !possible()) return;
    if (sheet.last !== null) sheet.end();
    act();
    repaint();
    sendNow();
  };
  const undo = change(() => sheet.past.length > 0, () => sheet.undo());
  const clear = change(() => !sheet.empty, () => sheet.clear());
  const liftPen = () => {
    finish();
    spoken.textContent = words.pen_up;
  };
  const keys = (event) => {
    if (pointer !== null) return true;
    if (event.key in ARROWS) {
      held.add(event.key); // two arrows held down together move the pen aslant
      const step = event.shiftKey ? SMALL_STEP : STEP;
      const way = [...held].map((key) => ARROWS[key]).reduce(([a, b], [c, d]) => [a + c, b + d], [0, 0]);
      pen = [clamp(pen[0] + step * way[0]), clamp(pen[1] + step * way[1])];
      byKeys = true;
      if (sheet.last !== null && sheet.move(pen)) sendSoon();
    } else if (event.key === " ") {
      byKeys = true;
      if (event.repeat) return true;
      if (sheet.last !== null) liftPen();
      else {
        sheet.begin(pen, width());
        spoken.textContent = words.pen_down;
        sendSoon();
      }
    } else if (event.key === "Escape" && sheet.last !== null) liftPen();
    else if (event.key === "Delete" || event.key === "Backspace") clear();
    else return false;
    repaint();
    return true;
  };
  const undoes = (event) =>
    (event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey && event.key.toLowerCase() === "z";
  keepKeys(on, root, undoes);
  on(root, "keydown", (event) => {
    if (undoes(event)) undo();
    else if (!isPlain(event)) return;
    if (undoes(event) || (event.target === canvas && keys(event))) event.preventDefault();
    event.stopPropagation();
  });
  on(root, "keyup", (event) => held.delete(event.key));
  on(canvas, "blur", () => {
    held.clear();
    if (pointer === null && sheet.last !== null) liftPen();
    repaint();
  });
  on(canvas, "focus", repaint);
  on(undoButton, "click", undo);
  on(clearButton, "click", clear);
  on(brush, "input", () => {
    model.set("brush", width()); // for every view of the widget; Python does not need it
    showBrush();
  });
  on(window, "resize", repaint); // another screen, another zoom: other pixels

  paint();
  show();

  return () => {
    listening.abort();
    clearTimeout(timer);
    clearTimeout(patience);
    cancelAnimationFrame(frame);
    model.off("change:answer", show);
    model.off("change:drawing", adopt);
    model.off("change:brush", showBrush);
  };
}

export default { render };
