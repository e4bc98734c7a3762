"""Endpoints on this machine that answer as one should, or fail as real ones do: for tests, and to be seen."""

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_RAW = {
    "no http": b"hello there\r\n\r\n",
    "cut short": b'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"cho',
    "bad chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\nabc",
    "headers": b"HTTP/1.1 200 OK\r\n" + b"".join(b"A%d: b\r\n" % n for n in range(150)) + b"\r\n{}",
}
FAULTS = ("slow", "trickle", "rubbish", "schema", "status", "redirect", *_RAW, "slow headers")


@contextlib.contextmanager
def endpoint(answer: Callable[[list[dict]], dict] | None = None, fault: str = "") -> Iterator[str]:
    """An OpenAI-shaped endpoint while the block lasts; gives its address.

    ``answer`` makes the answer's object of the messages. ``fault`` of `FAULTS`: it never answers in time, sends a byte
    now and then without end, sends a page of HTML, an object by another schema, status 500, or to another address; no
    HTTP, less than announced, a chunk without its size, too many headers, or a header without end. "no usage" is no
    fault: the answer comes without a count of tokens.
    """
    over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with contextlib.suppress(OSError):  # whoever asked has gone
                self.reply(asked)

        def reply(self, asked: dict) -> None:
            if fault == "slow":
                over.wait(30)
                return
            if fault in _RAW:
                self.wfile.write(_RAW[fault])
                return
            if fault == "slow headers":
                self.wfile.write(b"HTTP/1.1 200 OK\r\n")
                while not over.wait(0.05):
                    self.wfile.write(b"X")
                return
            content = b"<html>Please log in</html>" if fault == "rubbish" else _reply(asked, answer, fault)
            self.send_response({"status": 500, "redirect": 307}.get(fault, 200))
            if fault == "redirect":
                self.send_header("Location", "http://login.example/")
            self.end_headers()
            if fault == "trickle":
                while not over.wait(0.05):
                    self.wfile.write(b" ")
                return
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        over.set()
        server.shutdown()
        server.server_close()
        thread.join()


def _reply(asked: dict, answer: Callable[[list[dict]], dict] | None, fault: str) -> bytes:
    value = {"unasked": 1} if fault == "schema" or answer is None else answer(asked["messages"])
    text = json.dumps(value)
    read = sum(len(message["content"].split()) for message in asked["messages"])
    usage = {"prompt_tokens": read * 4 // 3, "completion_tokens": len(text.split()) * 4 // 3}  # words, by a rough rule
    message = {"role": "assistant", "content": text}
    counted = {} if fault == "no usage" else {"usage": usage}
    return json.dumps({"created": int(time.time()), "choices": [{"message": message}]} | counted).encode()
