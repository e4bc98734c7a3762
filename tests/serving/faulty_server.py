"""A small real server with faults to switch on by the path: what a load test is tried on, in a process of its own.

Run as a child of `course_utils.processes`; it tells its port with the event "ready".
"""

import asyncio
import json
import socket
import time

STALL_SECONDS, STALL_EVERY = 0.3, 1.5
SERVICE_SECONDS = 0.01  # of /one-at-a-time: a hundred requests a second at most
counts = {"requests": 0}
last_stall = [0.0]


async def answer(send, status: int, content: bytes = b"{}", headers: tuple = ()) -> None:
    head = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode()), *headers]
    await send({"type": "http.response.start", "status": status, "headers": head})
    await send({"type": "http.response.body", "body": content})


async def body_of(receive) -> bytes:
    content, more = b"", True
    while more:
        message = await receive()
        content, more = content + message.get("body", b""), message.get("more_body", False)
    return content


async def application(scope, receive, send) -> None:
    if scope["type"] != "http":
        return
    path, content = scope["path"], await body_of(receive)
    counts["requests"] += path != "/counts"
    number = counts["requests"]
    if path == "/stalls" and time.monotonic() - last_stall[0] > STALL_EVERY:
        time.sleep(STALL_SECONDS)  # the whole server stands, as in a garbage collection
        last_stall[0] = time.monotonic()
    elif path == "/one-at-a-time":
        time.sleep(SERVICE_SECONDS)
    elif path == "/hangs" and number % 10 == 0:
        await asyncio.sleep(60)
    elif path == "/fails" and number % 5 == 0:
        await answer(send, 503)
        return
    elif path == "/closes" and number % 4 == 0:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"10")]})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        raise RuntimeError("the connection ends in the middle of an answer")
    elif path == "/without-a-length":
        await send({"type": "http.response.start", "status": 200, "headers": [(b"connection", b"close")]})
        await send({"type": "http.response.body", "body": b"x" * 100})
        return
    elif path == "/refuses":
        await answer(send, 400, b'{"error": "It wants texts."}')
        return
    elif path == "/locked" and (b"authorization", b"Bearer secret") not in scope["headers"]:
        await answer(send, 401)
        return
    elif path == "/counts":
        await answer(send, 200, json.dumps(counts).encode())
        return
    elif path in ANSWERS:
        await answer(send, 200, json.dumps(ANSWERS[path]).encode())
        return
    elif path in ("/v1/predict", "/v2/models/digits/infer"):
        counts["last"] = content.decode()
    await answer(send, 200)


SCHEMA = {"type": "object", "properties": {"images": {"type": "array"}}}
ANSWERS = {
    "/openapi.json": {
        "paths": {
            "/v1/predict": {
                "post": {
                    "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Asked"}}}}
                }
            }
        },
        "components": {"schemas": {"Asked": SCHEMA}},
    },
    "/v2/models/digits": {
        "name": "digits",
        "inputs": [{"name": "image", "datatype": "FP32", "shape": [-1, 28, 28]}],
    },
    "/v2/models/odd": {"name": "odd"},
}


def main() -> None:
    import uvicorn

    from course_utils import processes

    tell, job = processes.begin()
    # With its protocol named: only then does asyncio send small pieces at once, and not 40 ms later (Nagle).
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.bind(("127.0.0.1", 0))
    listening.listen(512)
    settings = uvicorn.Config(application, log_level="critical", http=job.get("http", "httptools"), lifespan="off")
    tell("ready", port=listening.getsockname()[1])
    uvicorn.Server(settings).run(sockets=[listening])


if __name__ == "__main__":
    main()
