// The page of a decoder in service: a message to /v1/chat/completions, its text as it comes. No other address.

const form = document.getElementById("ask");
const said = document.getElementById("said");
const answer = document.getElementById("answer");
const stop = document.getElementById("stop");
let going = null; // what ends the answer that is being written

const tell = (text, refused = false) => {
  said.textContent = text;
  said.classList.toggle("refused", refused);
};

// Server-sent events, each a line "data: …" and an empty one; a piece of the answer may end anywhere in one.
async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let kept = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    kept += value;
    const whole = kept.split("\n\n");
    kept = whole.pop();
    for (const event of whole) if (event.startsWith("data: {")) yield JSON.parse(event.slice(6));
  }
}

const write = async () => {
  going?.abort();
  const mine = (going = new AbortController());
  const key = document.getElementById("key")?.value;
  const headers = { "Content-Type": "application/json" };
  if (key) headers["X-API-Key"] = encodeURIComponent(key) === key ? key : "";
  const request = {
    messages: [{ role: "user", content: document.getElementById("text").value }],
    temperature: Number(document.getElementById("temperature").value),
    stream: true,
    stream_options: { include_usage: true },
  };
  answer.textContent = "";
  stop.disabled = false;
  tell("Asking …");
  const began = performance.now();
  let first = null;
  let text = ["The service does not answer.", true];
  try {
    const options = { method: "POST", headers, body: JSON.stringify(request), signal: mine.signal };
    const response = await fetch("v1/chat/completions", options);
    if (!response.ok) throw new Error((await response.json()).error.message);
    for await (const event of events(response.body)) {
      if (mine !== going) return;
      if (event.error) throw new Error(event.error.message);
      const piece = event.choices[0]?.delta.content;
      if (piece) {
        first ??= performance.now() - began;
        answer.append(piece);
        tell("Writing …");
      }
      if (event.usage) {
        const tokens = event.usage.completion_tokens;
        const seconds = (performance.now() - began) / 1000;
        text = [`${tokens} tokens in ${seconds.toFixed(2)} s, the first after ${Math.round(first ?? 1000 * seconds)} ms.`];
      }
    }
  } catch (error) {
    if (error.name === "AbortError") text = ["Stopped."];
    else if (error.name === "Error") text = [error.message, true];
  }
  if (mine !== going) return;
  stop.disabled = true;
  tell(...text);
};

form.addEventListener("submit", (event) => {
  event.preventDefault();
  write();
});
stop.addEventListener("click", () => going?.abort());
