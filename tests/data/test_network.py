"""Each trouble of a network by its name, met for real on the loopback: proxies, certificates, portals, dead ends."""

import contextlib
import os
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests

from course_utils.data import network

# A key and a certificate for localhost that no machine trusts, made for these tests and used nowhere else:
# openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 36500 …
SELF_SIGNED = Path(__file__).parent / "self_signed.pem"


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    for name in list(os.environ):
        if name.lower().endswith("_proxy") or name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
            monkeypatch.delenv(name)


@pytest.fixture
def serve() -> Iterator[Callable[..., int]]:
    """``serve(get=…, connect=…, tls=…)`` → the port of a server on the loopback that answers so."""
    with contextlib.ExitStack() as stack:

        def start(get: int | str = 200, connect: int = 200, tls: bool = False) -> int:
            class Handler(BaseHTTPRequestHandler):
                def do_GET(self):
                    if isinstance(get, str):
                        self.send_response(302)
                        self.send_header("Location", get)
                        self.end_headers()
                        return
                    self.send_response(get)
                    self.send_header("Content-Length", "0")
                    self.end_headers()

                def do_CONNECT(self):
                    self.send_response(connect)
                    self.end_headers()

                def log_message(self, *_):
                    pass

            server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
            server.daemon_threads = True
            server.handle_error = lambda *_: None  # a client that goes away is what is tested
            if tls:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(SELF_SIGNED)
                server.socket = context.wrap_socket(server.socket, server_side=True)
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
            stack.callback(server.server_close)
            stack.callback(server.shutdown)
            return server.server_port

        yield start


def trouble(url: str) -> network.Trouble:
    with pytest.raises(requests.RequestException) as caught, network.errors():
        requests.get(url, timeout=(2, 1)).raise_for_status()
    found = network.explain(caught.value, url)
    assert found.cause and found.remedy
    return found


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, "login"), (403, "forbidden"), (451, "forbidden"), (404, "gone"), (410, "gone"), (407, "proxy login"),
     (418, "status"), (429, "busy"), (500, "server"), (503, "server")],
)  # fmt: skip
def test_a_status_has_its_own_cause_and_is_named(serve, status, kind):
    found = trouble(f"http://127.0.0.1:{serve(get=status)}/file")
    assert found.kind == kind and str(status) in found.cause


@pytest.mark.parametrize(
    ("status", "kind", "remedy"),
    [(407, "proxy login", "HTTPS_PROXY="), (403, "proxy refused", "to allow example.invalid"),
     (405, "proxy refused", "to allow example.invalid"), (429, "proxy broken", "Try again later"),
     (500, "proxy broken", "Try again later"), (502, "proxy broken", "Try again later"),
     (503, "proxy broken", "Try again later"), (504, "proxy broken", "Try again later"),
     (501, "proxy address", "Correct HTTPS_PROXY")],
)  # fmt: skip
def test_a_proxy_that_opens_no_way(serve, monkeypatch, status, kind, remedy):
    """A ban is told from a proxy that cannot, now: nobody need be asked to allow what is allowed."""
    port = serve(connect=status)
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
    found = trouble("https://example.invalid/file")
    assert found.kind == kind and str(status) in found.cause and f"127.0.0.1:{port}" in found.cause
    assert remedy in found.remedy
    assert ("allow" in found.remedy) == (kind == "proxy refused")


@pytest.mark.parametrize(
    ("answer", "kind"),
    [("0x02: Connection not allowed by ruleset", "proxy refused"), ("0x04: Host unreachable", "proxy broken"),
     ("0x05: Connection refused", "proxy broken"), ("0x01: General SOCKS server failure", "proxy broken"),
     ("Error connecting to SOCKS5 proxy 127.0.0.1:9: [Errno 111] Connection refused", "proxy down")],
)  # fmt: skip
def test_a_socks_proxy_that_answers_is_told_from_a_dead_one(monkeypatch, answer, kind):
    """In the words of PySocks, which need not be installed."""
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:9")
    error = requests.ConnectionError(f"Failed to establish a new connection: SOCKS: {answer}")
    found = network.explain(error, "https://example.invalid/file")
    assert found.kind == kind and "127.0.0.1:9" in found.cause


@pytest.mark.parametrize("variable", ["https_proxy", "HTTPS_PROXY", "ALL_PROXY"])
def test_a_dead_proxy_is_told_from_a_dead_network_and_its_password_is_not_shown(monkeypatch, variable):
    monkeypatch.setenv(variable, f"http://somebody:secret@127.0.0.1:{closed_port()}")
    found = trouble("https://example.invalid/file")
    assert found.kind == "proxy down" and variable in found.remedy
    assert "secret" not in found.cause + found.remedy


def test_a_proxy_that_is_called_otherwise(monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.invalid:3128")
    assert trouble("https://example.invalid/file").kind == "proxy name"


@pytest.mark.parametrize("value", ["http://:8080", "http://proxy:port", "ftp://127.0.0.1:9"])
def test_a_proxy_variable_that_is_no_address(monkeypatch, value):
    monkeypatch.setenv("HTTPS_PROXY", value)
    found = trouble("https://example.invalid/file")
    assert found.kind == "proxy address" and "HTTPS_PROXY" in found.remedy


def test_a_proxy_that_is_asked_to_speak_https_and_does_not(serve, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", f"https://127.0.0.1:{serve()}")
    found = trouble("https://example.invalid/file")
    assert found.kind == "proxy address" and "http://" in found.remedy


def test_a_socks_proxy_without_its_package(monkeypatch):
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:9")
    monkeypatch.setattr(
        requests.adapters,
        "SOCKSProxyManager",
        lambda *_, **__: _raise(requests.exceptions.InvalidSchema("Missing dependencies for SOCKS support.")),
    )  # also where PySocks is installed
    found = trouble("https://example.invalid/file")
    assert found.kind == "socks" and "PySocks" in found.remedy


def _raise(error: BaseException):
    raise error


def test_a_certificate_that_is_not_trusted(serve):
    found = trouble(f"https://127.0.0.1:{serve(tls=True)}/file")
    assert found.kind == "certificate" and "REQUESTS_CA_BUNDLE" in found.remedy


def test_a_proxy_that_opens_the_encryption(serve, monkeypatch):
    """The tunnel ends in a server with the proxy's own certificate, as in many companies."""
    target = serve(tls=True)
    with _tunnel(target) as port:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
        assert trouble("https://localhost/file").kind == "certificate"


def test_the_remedy_for_a_certificate_works(serve, monkeypatch):
    url = f"https://127.0.0.1:{serve(tls=True)}/file"
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(SELF_SIGNED))
    assert requests.get(url, timeout=2).status_code == 200


def test_a_certificate_that_is_not_valid_today():
    error = ssl.SSLCertVerificationError(1, "certificate verify failed: certificate has expired")
    error.verify_code, error.verify_message = 10, "certificate has expired"
    found = network.explain(requests.exceptions.SSLError(error), "https://example.invalid/file")
    assert found.kind == "clock"


def test_a_file_of_certificates_that_is_not_there(serve, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/certificates.pem")
    found = trouble(f"https://127.0.0.1:{serve(tls=True)}/file")
    assert found.kind == "bundle" and "REQUESTS_CA_BUNDLE" in found.remedy


def test_a_site_that_answers_without_encryption(serve):
    assert trouble(f"https://127.0.0.1:{serve()}/file").kind == "tls"


def test_a_name_that_is_not_found():
    found = trouble("https://nobody.invalid/file")
    assert found.kind == "name" and "nobody.invalid" in found.cause


def test_a_site_that_refuses_connections():
    assert trouble(f"http://127.0.0.1:{closed_port()}/file").kind == "refused"


@contextlib.contextmanager
def _listener(answer: Callable[[socket.socket], None]) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def loop():
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    threading.Thread(target=answer, args=(connection,), daemon=True).start()

        threading.Thread(target=loop, daemon=True).start()
        yield server.getsockname()[1]


@contextlib.contextmanager
def _tunnel(target: int) -> Iterator[int]:
    """A proxy whose every tunnel ends at the port ``target`` of this machine."""

    def answer(client: socket.socket) -> None:
        with client, socket.create_connection(("127.0.0.1", target)) as server, contextlib.suppress(OSError):
            client.recv(4096)
            client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            threading.Thread(target=pump, args=(server, client), daemon=True).start()
            pump(client, server)

    def pump(source: socket.socket, drain: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while block := source.recv(4096):
                drain.sendall(block)

    with _listener(answer) as port:
        yield port


def test_a_site_that_says_nothing():
    held = []
    with _listener(held.append) as port:
        assert trouble(f"http://127.0.0.1:{port}/file").kind == "timeout"


def test_a_connection_that_is_cut():
    with _listener(lambda connection: connection.close()) as port:
        assert trouble(f"http://127.0.0.1:{port}/file").kind == "broken"


def test_a_login_page_that_sends_in_a_circle(serve):
    assert trouble(f"http://127.0.0.1:{serve(get='/again')}/file").kind == "circle"


@pytest.mark.parametrize("address", ["htps://example.invalid/file", f"https://{'a' * 70}.invalid/file"])
def test_what_is_no_address(address):
    assert trouble(address).kind == "address"


def test_errors_of_the_disk_are_left_alone():
    with pytest.raises(OSError, match="No space") as caught, network.errors():
        raise OSError(28, "No space left on device")
    assert not isinstance(caught.value, requests.RequestException)


def test_an_error_that_nobody_knows_is_named():
    found = network.explain(requests.RequestException("something new"), "https://example.invalid/file")
    assert found.kind == "other" and "something new" in found.cause
