// The page of a model in service: strokes or a message to /v1/predict, its answer into the table. No other address.

const form = document.getElementById("ask");
const said = document.getElementById("said");
const table = document.getElementById("answer");
const PAPER = 280;
const SIDE = 28; // of what the model sees
const BOX = 20; // the longer side of the digit in it, as in MNIST
const FINE = 8; // cells a pixel side, whose average makes the soft edges
const BRUSH = 18;

const tell = (text, refused = false) => {
  said.textContent = text;
  said.classList.toggle("refused", refused);
};

const show = (answer) => {
  const shares = Object.values(answer.probabilities);
  const names = Object.keys(answer.probabilities);
  [...table.tBodies[0].rows].forEach((row, k) => {
    // Objects with names like "7" come in another order than the model's: looked up by name where it is whole.
    const at = names.indexOf(row.cells[0].textContent);
    const share = shares[at < 0 ? k : at] ?? 0;
    row.cells[1].firstElementChild.style.width = `${100 * share}%`;
    row.cells[2].textContent = `${(100 * share).toFixed(1)} %`;
    row.classList.toggle("best", names[at < 0 ? k : at] === answer.label);
  });
  table.hidden = false;
  tell(answer.person ? "A person should read this." : `Answer: ${answer.label}`);
};

let asked = 0; // an answer that comes after a later question is not shown
const ask = async (body) => {
  const mine = ++asked;
  const headers = { "Content-Type": "application/json" };
  const key = document.getElementById("key")?.value;
  if (key) headers["X-API-Key"] = encodeURIComponent(key) === key ? key : "";
  tell("Asking …");
  let text;
  try {
    const response = await fetch("v1/predict", { method: "POST", headers, body: JSON.stringify(body) });
    const found = await response.json();
    if (mine !== asked) return;
    if (response.ok) return show(found.answers[0]);
    text = found.error;
  } catch {
    text = "The service does not answer.";
  }
  if (mine !== asked) return;
  table.hidden = true;
  tell(text, true);
};

// Strokes → 28 rows of 28 numbers, 0 paper to 255 ink, in the way of course_utils.strokes; null: nothing was drawn.
const digit = (strokes) => {
  const points = strokes.flat();
  if (!points.length) return null;
  const xs = points.map((p) => p[0]);
  const ys = points.map((p) => p[1]);
  const [left, right] = [Math.min(...xs), Math.max(...xs)];
  const [top, bottom] = [Math.min(...ys), Math.max(...ys)];
  if (Math.max(right - left, bottom - top) < BRUSH) return null; // a dot
  const longest = Math.max(right - left, bottom - top) + BRUSH;
  const scale = (BOX * FINE) / longest;
  const fine = Object.assign(document.createElement("canvas"), { width: BOX * FINE, height: BOX * FINE });
  const context = fine.getContext("2d", { willReadFrequently: true });
  context.translate((BOX * FINE) / 2, (BOX * FINE) / 2);
  context.scale(scale, scale);
  context.translate(-(left + right) / 2, -(top + bottom) / 2);
  paint(context, strokes, "#000", Math.max(BRUSH, (1.5 / BOX) * longest));
  const ink = context.getImageData(0, 0, BOX * FINE, BOX * FINE).data;
  const small = Array.from({ length: BOX }, () => new Float64Array(BOX));
  for (let y = 0; y < BOX * FINE; y++)
    for (let x = 0; x < BOX * FINE; x++)
      small[Math.floor(y / FINE)][Math.floor(x / FINE)] += ink[4 * (y * BOX * FINE + x) + 3] / (255 * FINE * FINE);
  const offset = (profile) => {
    const whole = profile.reduce((a, b) => a + b, 0);
    const centre = profile.reduce((sum, value, k) => sum + value * k, 0) / whole;
    return Math.min(Math.max(Math.round(SIDE / 2 - centre), 0), SIDE - BOX);
  };
  const row = offset(small.map((line) => line.reduce((a, b) => a + b, 0)));
  const column = offset([...Array(BOX).keys()].map((k) => small.reduce((sum, line) => sum + line[k], 0)));
  const image = Array.from({ length: SIDE }, () => Array(SIDE).fill(0));
  small.forEach((line, y) => line.forEach((value, x) => (image[row + y][column + x] = Math.round(255 * value))));
  return image;
};

const paint = (context, strokes, colour, width) => {
  context.strokeStyle = context.fillStyle = colour;
  context.lineCap = context.lineJoin = "round";
  context.lineWidth = width;
  for (const stroke of strokes) {
    context.beginPath();
    if (stroke.length === 1) {
      context.arc(stroke[0][0], stroke[0][1], width / 2, 0, 2 * Math.PI);
      context.fill();
    } else {
      stroke.forEach(([x, y]) => context.lineTo(x, y));
      context.stroke();
    }
  }
};

const drawing = () => {
  const paper = document.getElementById("paper");
  const context = paper.getContext("2d");
  const seen = document.getElementById("seen").getContext("2d");
  const file = document.getElementById("file");
  let strokes = [];
  let pen = null;
  const repaint = () => {
    context.clearRect(0, 0, PAPER, PAPER);
    paint(context, strokes, "#111", BRUSH);
  };
  const look = (image) => {
    const pixels = new ImageData(SIDE, SIDE);
    image.flat().forEach((value, k) => pixels.data.set([value, value, value, 255], 4 * k));
    seen.putImageData(pixels, 0, 0);
  };
  const read = () => {
    const image = digit(strokes);
    if (!image) return tell("There is no digit on the paper yet.", true);
    look(image);
    return ask({ images: [image] });
  };
  const clear = () => {
    strokes = [];
    asked += 1;
    repaint();
    seen.clearRect(0, 0, SIDE, SIDE);
    table.hidden = true;
    tell("");
  };
  const place = (event) => {
    const box = paper.getBoundingClientRect();
    return [((event.clientX - box.left) * PAPER) / box.width, ((event.clientY - box.top) * PAPER) / box.height];
  };
  paper.addEventListener("pointerdown", (event) => {
    if (pen !== null || event.button !== 0) return;
    pen = event.pointerId;
    paper.setPointerCapture(pen);
    strokes.push([place(event)]);
    repaint();
  });
  paper.addEventListener("pointermove", (event) => {
    if (event.pointerId !== pen) return;
    strokes.at(-1).push(place(event));
    repaint();
  });
  for (const kind of ["pointerup", "pointercancel"])
    paper.addEventListener(kind, (event) => {
      if (event.pointerId !== pen) return;
      pen = null;
      read();
    });
  document.getElementById("clear").addEventListener("click", clear);
  file.addEventListener("change", async () => {
    if (!file.files.length) return;
    clear();
    const bytes = new Uint8Array(await file.files[0].slice(0, 200000).arrayBuffer());
    ask({ images_png: [btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""))] });
    file.value = "";
  });
  return read;
};

const submit =
  form.dataset.inputs === "images" ? drawing() : () => ask({ texts: [document.getElementById("text").value] });
form.addEventListener("submit", (event) => {
  event.preventDefault();
  submit();
});
