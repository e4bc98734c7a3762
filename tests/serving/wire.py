"""A client that says what it is told to, byte by byte, and a model whose calls take as long as they are told to."""

import json
import re
import socket
import subprocess
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from course_utils import surroundings

SECONDS = 30.0  # that a test waits at most for an answer


class Line:
    """A connection to a service."""

    def __init__(self, url: str, seconds: float = SECONDS) -> None:
        parts = urlsplit(url)
        self.socket = socket.create_connection((parts.hostname, parts.port), timeout=seconds)
        self.kept = b""

    def __enter__(self) -> "Line":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def answer(self) -> tuple[int, dict[str, str], bytes]:
        """(status, header, body) of the next answer; raises ConnectionError where none comes."""
        while b"\r\n\r\n" not in self.kept:
            self._more()
        head, _, self.kept = self.kept.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        header = dict(re.split(r":\s*", line, maxsplit=1) for line in lines[1:])
        header = {name.lower(): value for name, value in header.items()}
        size = int(header.get("content-length", "0"))
        while len(self.kept) < size:
            self._more()
        body, self.kept = self.kept[:size], self.kept[size:]
        status = int(lines[0].split()[1])
        return self.answer() if status == 100 else (status, header, body)

    def ended(self) -> bool:
        """Whether the other side has closed, when everything that it sent is read."""
        try:
            return self.socket.recv(65536) == b""
        except ConnectionError:
            return True

    def _more(self) -> None:
        found = self.socket.recv(65536)
        if not found:
            raise ConnectionError("closed before the answer was whole")
        self.kept += found


def post(path: str, body: bytes, **headers: str) -> bytes:
    """The bytes of a POST; ``headers`` by names with underscores are put over the usual ones."""
    usual = {"Host": "test", "Content-Type": "application/json", "Content-Length": str(len(body))}
    usual |= {name.replace("_", "-"): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in usual.items() if value)
    return f"POST {path} HTTP/1.1\r\n{head}\r\n".encode() + body


def get(path: str, **headers: str) -> bytes:
    head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in {"Host": "test", **headers}.items())
    return f"GET {path} HTTP/1.1\r\n{head}\r\n".encode()


def ask(url: str, request: bytes) -> tuple[int, dict[str, str], Any]:
    """One request on a connection of its own: (status, header, JSON of the body)."""
    with Line(url) as line:
        line.send(request)
        status, header, body = line.answer()
    return status, header, json.loads(body) if header.get("content-type") == "application/json" else body


def predict(url: str, content: Any, **headers: str) -> tuple[int, dict[str, str], Any]:
    return ask(url, post("/v1/predict", json.dumps(content).encode(), **headers))


class Stand:
    """A model of texts or images; ``each`` and ``call`` are seconds for an item and a call, ``leak`` bytes it keeps."""

    class_names = ("even", "odd")
    threshold = 0.0
    limits: dict[str, float]

    def __init__(self, inputs: str = "texts", *, call: float = 0.0, each: float = 0.0, leak: int = 0) -> None:
        self.inputs, self.call, self.each, self.limits, self.calls = inputs, call, each, {}, []
        self.leak, self.kept = leak, []

    def predict_proba(self, items: Any) -> np.ndarray:
        self.calls.append(len(items))
        if self.leak:
            self.kept.append(b"x" * self.leak)
        if self.call or self.each:
            time.sleep(self.call + self.each * len(items))
        if self.inputs == "texts":
            if any(one == "fail" for one in items):
                raise ValueError("the text was: fail")
            odd = np.array([len(one) % 2 for one in items], dtype=float)
        else:
            odd = np.array([int(one.sum()) % 2 for one in items], dtype=float)
        return np.stack([1 - 0.75 * odd, 0.75 * odd], axis=1)


def in_a_new_process(bundle: Path, *lines: str) -> list[str]:
    """What a new Python prints that serves a bundle and runs ``lines`` with its address as ``url``.

    ``loaded(*names)`` there gives those of the modules that are imported.
    """
    asking = ["import sys, urllib.request, json", *lines, "running[0].wake()"]
    code = "\n".join(
        [
            "import sys, threading",
            "from pathlib import Path",
            "from course_utils.serving import loading, server",
            "def loaded(*names):",
            "    return [name for name in names if name in sys.modules]",
            "def ask(url):",
            *(f"    {line}" for line in asking),
            "running = []",
            "app = loading.application_of(Path(sys.argv[1]))",
            "begin = lambda url: threading.Thread(target=ask, args=(url,)).start()",
            "server.serve(app, server.listen('127.0.0.1', 0), begin, started=running.append)",
        ]
    )
    command = surroundings.python("-c", code, str(bundle))
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout.splitlines()
