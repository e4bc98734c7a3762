"""Whom a load test asks: an address that is looked up once, is on this machine, and answers."""

import contextlib
import http.client
import ipaddress
import socket
import ssl
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from course_utils.errors import CourseError
from course_utils.language import say

_PORTS = {"http": 80, "https": 443}
_MOST_BYTES = 10_000_000  # of an answer that is read


@dataclass(frozen=True)
class Target:
    """A server and a path on it. ``address`` is the one IP address that everything is sent to.

    ``headers`` go with every request, ``path`` has its query.
    """

    scheme: str
    host: str
    port: int
    path: str
    address: str
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def netloc(self) -> str:
        """Host and port as a URL has them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The whole address."""
        return f"{self.scheme}://{self.netloc}{self.path}"

    def at(self, path: str) -> "Target":
        """Another path on the same server."""
        return replace(self, path=path)

    def tls(self) -> ssl.SSLContext | None:
        """What checks the server's certificate; None for plain HTTP."""
        return ssl.create_default_context() if self.scheme == "https" else None

    def request(self, body: bytes | None) -> bytes:
        """The bytes of one HTTP/1.1 request: POST with a JSON ``body``, GET for None."""
        lines = {"Host": self.netloc, "Accept": "application/json", **self.headers}
        if body is not None:
            lines |= {"Content-Type": "application/json", "Content-Length": str(len(body))}
        head = [f"{'GET' if body is None else 'POST'} {self.path} HTTP/1.1", *(f"{k}: {v}" for k, v in lines.items())]
        return "\r\n".join([*head, "", ""]).encode("latin-1") + (body or b"")


def find(
    url: str, *, allow_remote: bool = False, headers: Mapping[str, str] | None = None, timeout: float = 10.0
) -> Target:
    """The target that ``url`` names, once it takes a connection within ``timeout`` seconds.

    Raises CourseError for what is no HTTP address, for another machine unless ``allow_remote``, and where nothing
    takes a connection.
    """
    headers = dict(headers or {})
    for name, value in headers.items():
        if not f"{name}{value}".isprintable() or not f"{name}{value}".isascii():
            raise CourseError(say("The header {name!r} holds characters that HTTP does not carry.", name=name))
    scheme, host, port, path = _parts(url)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise CourseError(
            say("There is no machine called {host}; the address was {url}.", host=host, url=url)
        ) from None
    addresses = list(dict.fromkeys(str(one[4][0]) for one in found))
    far = [one for one in addresses if not _is_here(one)]
    if far and not allow_remote:
        raise CourseError(
            say(
                "{host} is not this machine ({address}), and a load test of somebody else's server is an attack on "
                "it. Start the server here (course serve), or, if it is yours, give --allow-remote "
                "(in Python: allow_remote=True).",
                host=host,
                address=far[0],
            )
        )
    reason = ""
    for address in addresses:
        target = Target(scheme, host, port, path, address, headers)
        try:
            _connect(target, timeout).close()
        except TimeoutError:
            reason = say("no answer within {seconds:g} s", seconds=timeout)
        except (OSError, ssl.SSLError) as error:
            reason = getattr(error, "strerror", None) or str(error)
        else:
            return target
    raise CourseError(
        say(
            "Nothing answers at {url} ({reason}). Start the server first (course serve BUNDLE) and give the address "
            "that it prints.",
            url=url,
            reason=reason.lower(),
        )
    )


def ask(target: Target, body: bytes | None = None, *, timeout: float = 10.0) -> tuple[int, bytes]:
    """Status and content of one answer, over a connection of its own; see `Target.request` for ``body``.

    Raises OSError (TimeoutError among it) where no answer comes, and for what is not HTTP.
    """
    with contextlib.closing(_connect(target, timeout)) as connected:
        connected.sendall(target.request(body))
        answer = http.client.HTTPResponse(connected)
        try:
            answer.begin()
            return answer.status, answer.read(_MOST_BYTES)
        except (http.client.HTTPException, ValueError) as error:
            raise ConnectionError(type(error).__name__) from error


def _connect(target: Target, timeout: float) -> socket.socket:
    plain = socket.create_connection((target.address, target.port), timeout)
    context = target.tls()
    if context is None:
        return plain
    try:
        return context.wrap_socket(plain, server_hostname=target.host)
    except BaseException:
        plain.close()
        raise


def _parts(url: str) -> tuple[str, str, int, str]:
    """Scheme, host, port and path of an address; ``127.0.0.1:8000`` is one, too."""
    whole = url.strip() if "://" in url else f"http://{url.strip()}"
    try:
        split = urllib.parse.urlsplit(whole)
        host, port = split.hostname, split.port
    except ValueError:
        host = port = split = None
    path = "" if split is None else urllib.parse.quote(split.path or "/", safe="/%:@!$&'()*+,;=~")
    if split is None or not host or split.scheme not in _PORTS or port == 0 or not whole.isprintable() or " " in whole:
        raise CourseError(say("{url!r} is no address of a server. One looks like this: http://127.0.0.1:8000", url=url))
    if split.username or split.password:
        raise CourseError(say("The address holds a name or a password; give a key with --api-key-file."))
    query = urllib.parse.quote(split.query, safe="/%:@!$&'()*+,;=~?")
    return split.scheme, host, port or _PORTS[split.scheme], f"{path}?{query}" if query else path


def _is_here(address: str) -> bool:
    ip = ipaddress.ip_address(address.partition("%")[0])
    return (getattr(ip, "ipv4_mapped", None) or ip).is_loopback
