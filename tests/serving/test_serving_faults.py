"""What a client may do wrong, on purpose or not, against a real service in its own process."""

import base64
import json
import socket
import struct
import time
import zlib

import pytest
from crowd import Crowd, honest, until_answered
from hostile import ATTACKS
from wire import Line, ask, get, post, predict

SCRIPTS = [
    "Good morning",
    "Zażółć gęślą jaźń",
    "你好，密码",
    "こんにちは",
    "안녕하세요",
    "Здравствуйте",
    "مرحبا بالعالم",
    "שלום עולם",
    "नमस्ते",
    "สวัสดี",
    "ግዕዝ",
    "ᏣᎳᎩ",
    "👩‍👩‍👧‍👦🏳️‍🌈",
    "𝔘𝔫𝔦𝔠𝔬𝔡𝔢",
    "e\u0301\u0323" * 50,
    "\u202eabc",
    "\x00\x01\x7f",
    "",
    " ",
    "\ud800",
    "\udfff\ud800",
    "a" * 20_000,
]


@pytest.mark.parametrize("text", SCRIPTS)
def test_every_script_is_answered(service, text):
    status, _, found = predict(service.url, {"texts": [text, "invoice"]})
    assert status == 200
    assert found["answers"][1]["label"] == "billing"
    assert sum(found["answers"][0]["probabilities"].values()) == pytest.approx(1)


@pytest.mark.parametrize("text", ATTACKS)
def test_an_attack_is_a_text(service, text):
    assert predict(service.url, {"texts": [text]})[0] == 200


MEANINGLESS = {
    "empty": b"",
    "truncated": b'{"texts": ["abc',
    "no_object": b'["abc"]',
    "null": b"null",
    "not_utf8": b'{"texts": ["\xff"]}',
    "utf16": '{"texts": ["a"]}'.encode("utf-16"),
    "nan": b'{"texts": [NaN]}',
    "nan_elsewhere": b'{"texts": ["a"], "x": NaN}',
    "infinity": b'{"texts": [-Infinity]}',
    "huge_number": b'{"texts": [' + b"9" * 5_000 + b"]}",
    "deep": b'{"texts": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "deep_objects": b'{"a":' * 50_000,
    "other_field": b'{"text": ["a"]}',
    "two_fields": b'{"texts": ["a"], "images": []}',
    "no_field": b"{}",
    "not_a_list": b'{"texts": "abc"}',
    "empty_list": b'{"texts": []}',
    "numbers": b'{"texts": [1, 2]}',
    "nested": b'{"texts": [["a"]]}',
    "images": b'{"images": [[[0]]]}',
}


@pytest.mark.parametrize("body", MEANINGLESS.values(), ids=MEANINGLESS)
@pytest.mark.parametrize("path", ["/v1/predict", "/v2/models/tickets/infer"])
def test_what_means_nothing_is_refused_in_a_sentence(service, path, body):
    status, header, found = ask(service.url, post(path, body))
    assert status == 400
    assert header["content-type"] == "application/json"
    assert set(found) == {"error"} and found["error"].endswith((".", "…"))


def test_too_much_is_refused(service):
    assert predict(service.url, {"texts": ["a"] * 64})[0] == 200
    for content in ({"texts": ["a"] * 65}, {"texts": ["a" * 20_001]}, {"texts": ["a" * 999_999]}):
        status, _, found = predict(service.url, content)
        assert (status == 413 and "at most" in found["error"]) or "bytes" in found["error"]


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_another_content_type_is_refused(service, kind):
    assert ask(service.url, post("/v1/predict", b'{"texts": ["a"]}', Content_Type=kind))[0] == 415


def test_a_packed_body_is_refused(service):
    body = zlib.compress(b'{"texts": ["a"]}')
    assert ask(service.url, post("/v1/predict", body, Content_Encoding="deflate"))[0] == 415


def test_a_content_type_with_its_character_set_is_known(service):
    body = b'{"texts": ["a"]}'
    assert ask(service.url, post("/v1/predict", body, Content_Type="Application/JSON; charset=utf-8"))[0] == 200


def test_a_body_of_a_gigabyte_is_refused_before_it_is_read(service):
    with Line(service.url) as line:
        line.send(post("/v1/predict", b"", Content_Length="1000000000"))
        status, header, body = line.answer()  # not a byte of it was sent
        assert (status, header["connection"]) == (413, "close")
        assert "1,000,000 bytes" in json.loads(body)["error"]


def test_who_waits_for_leave_to_send_a_gigabyte_gets_none(service):
    with Line(service.url) as line:
        line.send(post("/v1/predict", b"", Content_Length="1000000000", Expect="100-continue"))
        while b"\r\n\r\n" not in line.kept:
            line._more()
        assert line.kept.startswith(b"HTTP/1.1 413")


def test_who_sends_a_gigabyte_nevertheless_still_gets_the_answer_and_is_cut_off(service):
    with Line(service.url) as line:
        line.send(post("/v1/predict", b"", Content_Length="1000000000"))
        sent = 0
        with pytest.raises(OSError):
            while sent < 10**9:
                line.send(b"x" * 100_000)
                sent += 100_000
        assert sent < 2 * 10**8
    with Line(service.url) as line:  # a client that stops sending when it is answered reads why
        line.send(post("/v1/predict", b"", Content_Length="1000000000") + b"x" * 300_000)
        assert line.answer()[0] == 413


def test_a_body_in_chunks_that_grows_is_refused(service):
    with Line(service.url) as line:
        line.send(post("/v1/predict", b"", Content_Length="", Transfer_Encoding="chunked"))
        chunk = b"8000\r\n" + b"x" * 0x8000 + b"\r\n"
        for _ in range(40):  # 1.3 MB
            line.send(chunk)
        status, header, _ = line.answer()
        assert (status, header["connection"]) == (413, "close")


def test_a_body_in_chunks_is_read(service):
    body = b'{"texts": ["invoice"]}'
    chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n"
    with Line(service.url) as line:
        line.send(post("/v1/predict", b"", Content_Length="", Transfer_Encoding="chunked") + chunks)
        assert line.answer()[0] == 200


def test_trailers_without_end_are_cut_off(service):
    with Line(service.url) as line:
        line.send(post("/v1/predict", b"", Content_Length="", Transfer_Encoding="chunked") + b"0\r\n")
        with pytest.raises(OSError):
            for _ in range(2_000):
                line.send(b"X-More: " + b"y" * 1_000 + b"\r\n")
            line.answer()


@pytest.mark.parametrize("drip", [b"X", b"X-A: b\r\n"])
def test_a_head_that_comes_slowly_is_refused(service, drip):
    """Each byte comes soon after the last one; the whole takes too long."""
    start = time.monotonic()
    with Line(service.url) as line:
        line.send(b"POST /v1/predict HTTP/1.1\r\n")
        status = _drip(line, drip)
    assert status == 408
    assert time.monotonic() - start < 20


def test_a_body_that_comes_slowly_is_refused(service):
    with Line(service.url) as line:
        line.send(post("/v1/predict", b'{"te', Content_Length="10000"))
        assert _drip(line, b" ") == 408


def test_a_second_request_that_comes_slowly_is_refused(service):
    with Line(service.url) as line:
        line.send(get("/healthz"))
        assert line.answer()[0] == 200
        line.send(b"GET /heal")
        assert _drip(line, b"t") == 408


def _drip(line: Line, drip: bytes) -> int:
    line.socket.settimeout(0.2)
    for _ in range(100):
        try:
            line.send(drip)
            return line.answer()[0]
        except TimeoutError:
            continue
    raise AssertionError("it was not refused in 20 seconds")


def test_a_connection_that_says_nothing_is_closed(service):
    with Line(service.url, 20) as line:
        assert line.ended()


@pytest.mark.parametrize(
    "head",
    [
        b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: " + b"a" * 20_000,
        b"GET / HTTP/1.1\r\n" + b"X: a\r\n" * 5_000,
        b"GET / HTTP/1.1\r\n" + b"X: a\r\n" * 5_000 + b"\r\n",
    ],
)
def test_a_head_without_end_is_refused(service, head):
    with Line(service.url) as line:
        line.send(head)
        assert line.answer()[0] == 431


@pytest.mark.parametrize(
    "junk",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"hello\r\n\r\n",
        b"GET \xff HTTP/1.1\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"GET http:// HTTP/1.1\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
    ],
)
def test_what_is_no_http_gets_a_sentence(service, junk):
    with Line(service.url) as line:
        line.send(junk)
        status, _, body = line.answer()
        assert status == 400 and json.loads(body)["error"]


@pytest.mark.parametrize(
    "path",
    [
        "/nix",
        "/v1/predict/",
        "/V1/predict",
        "//",
        "/%00",
        "/%ff",
        "/..%2f..%2fetc%2fpasswd",
        "/v2/models/other/infer",
        "/docs",
        "/static/page.css",
    ],
)
def test_an_unknown_address(service, path):
    status, _, found = ask(service.url, get(path))
    assert status == 404 and "/openapi.json" in found["error"]
    assert ask(service.url, post(path, b"{}"))[0] == 404


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND"])
def test_another_method(service, method):
    request = post("/v1/predict", b"{}" if method in ("PUT", "PATCH") else b"", Content_Length="")
    if method in ("PUT", "PATCH"):
        request = post("/v1/predict", b"{}")
    status, header, found = ask(service.url, request.replace(b"POST", method.encode(), 1))
    assert status == 405 and header["allow"] == "POST" and found["error"]


@pytest.mark.parametrize("method", ["GET", "PUT", "TRACE", "POST"])
def test_a_body_where_none_is_read(service, method):
    """Told which method the address takes, whatever is announced, and nothing of it is waited for."""
    path = "/healthz" if method == "POST" else "/v1/predict"
    request = post(path, b"", Content_Type="text/plain", Content_Length="1000000000")
    status, header, found = ask(service.url, request.replace(b"POST", method.encode(), 1))
    assert (status, header["connection"]) == (405, "close") and header["allow"] and found["error"]
    status, header, _ = ask(service.url, get("/healthz", Content_Length="1000000000"))
    assert (status, header["connection"]) == (200, "close")


def test_requests_on_one_line_are_answered_in_their_order(service):
    with Line(service.url) as line:
        line.send(b"".join(post("/v1/predict", json.dumps({"texts": ["a"] * n}).encode()) for n in range(1, 6)))
        for n in range(1, 6):
            status, _, body = line.answer()
            assert status == 200 and len(json.loads(body)["answers"]) == n


def test_who_has_said_all_still_gets_the_answer(service):
    with Line(service.url) as line:
        line.send(post("/v1/predict", b'{"texts": ["invoice"]}'))
        line.socket.shutdown(socket.SHUT_WR)
        assert line.answer()[0] == 200
        assert line.ended()


def test_who_leaves_in_the_middle_is_forgotten(service):
    for data in (b"POST /v1/pre", post("/v1/predict", b'{"te', Content_Length="900000"), get("/metrics")):
        line = Line(service.url)
        line.send(data)
        line.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # ends with a reset
        line.socket.close()
    assert predict(service.url, {"texts": ["a"]})[0] == 200


def test_many_idle_connections_are_refused_politely(service):
    """500 connections that say nothing, where 100 may be open; crowd.py, as a program, does it with 10,000."""
    with Crowd(service.url) as crowd:
        crowd.come(500)
        crowd.listen(10, lambda: crowd.told["503"] >= 400)
        refused = crowd.told["503"]
        assert 350 <= refused <= 480, crowd.told
        crowd.listen(20)  # those that were held are let go without a word
        assert crowd.told == {"503": refused, "closed": 500 - refused}
    until_answered(service.url, 20)


def test_many_heads_that_come_slowly_keep_nobody_else_waiting(service):
    """80 clients that send a byte now and then, where 100 may be open; crowd.py, as a program, has 1,000."""
    with Crowd(service.url) as crowd:
        crowd.come(80, b"POST /v1/predict HTTP/1.1\r\nX: ")
        while crowd.lines and time.monotonic() - crowd.begun < 20:
            crowd.drip(b"y")
            honest(service.url, 3)
            crowd.listen(0.1)
        assert crowd.told == {"408": 80}


def test_a_message_stays_out_of_the_log(service):
    secret = "Geheimnis-4711"
    predict(service.url, {"texts": [secret]})
    predict(service.url, {secret: [secret]})
    ask(service.url, post(f"/{secret}?{secret}", json.dumps({"texts": [secret]}).encode(), X_Test=secret))
    ask(service.url, post("/v1/predict", f'{{"texts": ["{secret}'.encode()))
    with Line(service.url) as line:
        line.send(f"{secret} {secret}\r\n\r\n".encode())
        assert secret not in line.answer()[2].decode()
    log = service.child.log.read_text("utf-8", "replace")
    assert "A call takes" in log, "this is the log"
    assert secret not in log
    metrics = ask(service.url, get("/metrics"))[2].decode()
    assert secret not in metrics and 'course_requests_total{route="other",status="404"}' in metrics


def _png(width: int, height: int, data: bytes = b"") -> str:
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    whole = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")
    return base64.b64encode(whole).decode()


def test_images_of_every_wrong_shape(stand):
    child = stand("images")
    image = [[k % 256 for k in range(28)] for _ in range(28)]
    dark = [[0] * 28] * 28
    status, _, found = predict(child.url, {"images": [image, dark]})
    assert status == 200 and [one["label"] for one in found["answers"]] == ["even", "even"]
    bad = [
        [[[0] * 28] * 27],
        [[[0] * 27] * 28],
        [[0] * 28],
        [0],
        [[[0] * 28] * 27 + [[0] * 27]],
        [[[-1] * 28] * 28],
        [[[256] * 28] * 28],
        [[[0.5] * 28] * 28],
        [[["0"] * 28] * 28],
        [[[None] * 28] * 28],
        [[[[0]] * 28] * 28],
        [[[10**30] * 28] * 28],
        [[[1e308] * 28] * 28],
        [{}],
        ["a"],
        [[]],
        [[[]]],
        [[[True] * 28] * 28],
        [image, [[0]]],
    ]
    for images in bad:
        status, _, found = predict(child.url, {"images": images})
        assert status == 400 and "28" in found["error"], images
    rows = b"".join(b"\x00" + bytes(28) for _ in range(28))
    status, _, found = predict(child.url, {"images_png": [_png(28, 28, rows)]})
    assert status == 200 and len(found["answers"]) == 1
    for one in (
        _png(1, 1, b"\x00\x00"),
        _png(20_000, 20_000, bytes(10_000)),
        _png(0, 0),
        _png(28, 28),
        "",
        "%%%",
        "abcd",
        base64.b64encode(b"GIF89a").decode(),
        _png(28, 28, b"x" * 7),
        3,
        None,
        [],
        "ü",
    ):
        assert predict(child.url, {"images_png": [one]})[0] == 400
    assert ask(child.url, get("/readyz"))[0] == 200


def test_the_tensor_of_images(stand):
    child = stand("images")
    path = "/v2/models/stand/infer"

    def infer(shape, data, **more):
        given = {"name": "image", "shape": shape, "datatype": "UINT8", "data": data, **more}
        return ask(child.url, post(path, json.dumps({"inputs": [given]}).encode()))

    status, _, found = infer([1, 28, 28], [0] * 784)
    assert status == 200 and found["outputs"][0]["shape"] == [1, 2]
    assert infer([2, 28, 28], [[[0] * 28] * 28] * 2)[0] == 200
    for shape, data in [
        ([1, 28, 28], [0] * 783),
        ([2, 28, 28], [0] * 784),
        ([0, 28, 28], []),
        ([-1, 28, 28], [0] * 784),
        ([1, 784], [0] * 784),
        ([1.0, 28, 28], [0] * 784),
        ([True, 28, 28], [0] * 784),
        ([], []),
        ([1, 28, 28], ["0"] * 784),
        ([1, 28, 28], [-1] * 784),
        ([1, 28, 28], [[0] * 28] * 28),
        ("a", []),
        (None, None),
        ([10**30, 28, 28], [0]),
    ]:
        status, _, found = infer(shape, data)
        assert status in (400, 413), (shape, found)
    assert infer([1, 28, 28], [0] * 784, datatype="FP32")[0] == 400
    assert infer([1, 28, 28], [0] * 784, name="other")[0] == 400
