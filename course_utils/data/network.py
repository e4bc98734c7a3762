"""Why an address did not answer, as a reader needs to know it: the cause, and what can be done about it.

requests tells most troubles of a network apart only deep inside an error; `explain` looks there.
"""

import contextlib
import errno
import os
import re
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from course_utils.language import say

# What `fetch` calls a page of HTML where data were expected.
PAGE = "a web page instead of data (a network's login page?)"
# Troubles of this machine's way out: every other address meets them too.
_EVERYWHERE = {"proxy login", "proxy down", "proxy name", "proxy address", "socks", "bundle", "name", "unreachable"}


@dataclass(frozen=True)
class Trouble:
    """One trouble of the network: its ``kind`` for programs, its cause and its remedy as sentences (or parts of one).

    Kinds: "certificate", "clock", "tls", "proxy login", "proxy refused", "proxy broken", "proxy down", "proxy name",
    "proxy address", "socks", "name", "timeout", "refused", "unreachable", "broken", "circle", "page", "status",
    "forbidden", "gone", "login", "busy", "server", "bundle", "address", "other".
    """

    kind: str
    cause: str
    remedy: str

    @property
    def everywhere(self) -> bool:
        """Whether it lies between this machine and every address, so that another one adds nothing to know."""
        return self.kind in _EVERYWHERE


def page() -> Trouble:
    """The trouble of a network that answers with its login page."""
    return Trouble("page", PAGE, say("If this network asks for a login, open any page in a browser and log in."))


def explain(error: BaseException, url: str) -> Trouble:
    """What an error of requests means for a download from ``url``; never raises."""
    host = urlsplit(url).hostname or url
    variable, proxy = _proxy(url)
    chain = list(_chain(error))
    text = " ".join(str(one) for one in chain).lower()
    names = {type(one).__name__ for one in chain}

    if (status := _status(error, text)) is not None:
        return _of_status(status, host, variable, proxy)
    if "bundle" in text and "invalid path" in text:
        return Trouble(
            "bundle",
            say("the file of trusted certificates that the environment names is not there"),
            say("Correct or unset REQUESTS_CA_BUNDLE and CURL_CA_BUNDLE."),
        )
    if "socks support" in text:
        return Trouble(
            "socks",
            say("{variable} names a SOCKS proxy, for which the package PySocks is missing", variable=variable),
            say("Install it: python -m pip install PySocks"),
        )
    if "InvalidProxyURL" in names or (proxy and names & {"LocationParseError", "ProxySchemeUnknown"}):
        return Trouble(
            "proxy address",
            say("{variable} is not the address of a proxy", variable=variable),
            say("Set {variable} to an address of the form http://host:port, or unset it.", variable=variable),
        )
    if names & {"InvalidURL", "InvalidSchema", "MissingSchema", "LocationParseError"}:
        return Trouble(
            "address",
            say("this is not an address that can be fetched"),
            say("Bring the course up to date, or mend the address in data/registry.toml."),
        )
    if proxy and (answer := re.search(r"0x0([1-8]): ([a-z ]*[a-z])", text)):  # of a SOCKS proxy that was reached
        code = {"2": 403, "7": 501, "8": 501}.get(answer[1], 502)
        return _of_tunnel(say("SOCKS answer: {words}", words=answer[2]), code, host, variable, proxy)
    by_proxy = bool(proxy) and ("ProxyError" in names or "socks" in text)
    if by_proxy and not any(isinstance(one, ssl.SSLError) for one in chain):
        if any(isinstance(one, socket.gaierror) for one in chain) or "NameResolutionError" in names:
            cause = say("there is no proxy called {proxy}, which {variable} names", proxy=proxy, variable=variable)
            return Trouble("proxy name", cause, _mend_proxy(variable))
        cause = say("the proxy {proxy}, which {variable} names, does not answer", proxy=proxy, variable=variable)
        return Trouble("proxy down", cause, _mend_proxy(variable))
    if any(isinstance(one, ssl.SSLError) for one in chain) or "SSLError" in names:
        return _of_tls(chain, text, host, variable if "ProxyError" in names else "", proxy)
    if "TooManyRedirects" in names:
        return Trouble("circle", say("it sends from one address to another in a circle"), page().remedy)
    if any(isinstance(one, socket.gaierror) for one in chain) or "NameResolutionError" in names:
        return Trouble(
            "name",
            say("no connection to {host}: its name is not found", host=host),
            say("Check that this machine is on a network; where a proxy is needed, set HTTPS_PROXY to its address."),
        )
    if "timed out" in text or any("Timeout" in name for name in names):
        return Trouble(
            "timeout",
            say("no answer in time from {host}", host=host),
            say("Try again later; where a proxy is needed, set HTTPS_PROXY to its address."),
        )
    codes = {one.errno for one in chain if isinstance(one, OSError)}
    if codes & {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN}:
        return Trouble(
            "unreachable",
            say("no connection to {host}: no network leads there", host=host),
            say("Check that this machine is on a network."),
        )
    if errno.ECONNREFUSED in codes:
        return Trouble(
            "refused",
            say("no connection to {host}: it refuses connections", host=host),
            say("Try again later, or on another network: a firewall may stand in the way."),
        )
    if names & {"ConnectionResetError", "RemoteDisconnected", "ProtocolError", "IncompleteRead", "BrokenPipeError"}:
        return Trouble(
            "broken",
            say("the connection to {host} was cut", host=host),
            say("Try again, or on another network: a firewall may stand in the way."),
        )
    cause = say("no connection to {host} ({error})", host=host, error=f"{type(error).__name__}: {str(error)[:200]}")
    return Trouble("other", cause, say("Try again later, or on another network."))


@contextlib.contextmanager
def errors() -> Iterator[None]:
    """Turn the errors of a download that requests lets through into its own, so that none is taken for the disk's.

    A file of certificates that is not there is an OSError, and an address that cannot be parsed one of urllib3's.
    """
    import requests

    try:
        yield
    except requests.RequestException:
        raise
    except requests.urllib3.exceptions.HTTPError as error:
        raise requests.RequestException(error) from error
    except OSError as error:
        if "certificate" not in str(error).lower():
            raise
        raise requests.exceptions.SSLError(error) from error


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error and everything that it was made from, each once."""
    seen: set[int] = set()
    pending = [error]
    while pending:
        one = pending.pop(0)
        if not isinstance(one, BaseException) or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        pending += [one.__cause__, one.__context__, getattr(one, "reason", None), getattr(one, "original_error", None)]
        pending += [argument for argument in one.args if isinstance(argument, BaseException)]


def _proxy(url: str) -> tuple[str, str]:
    """(the variable that names the proxy for an address, the proxy as host:port); ("", "") where there is none."""
    import requests

    try:
        found = requests.utils.select_proxy(url, requests.utils.get_environ_proxies(url))
    except (ValueError, OSError):
        return "", ""
    if not found:
        return "", ""
    scheme = urlsplit(url).scheme
    names = (f"{scheme}_proxy", "all_proxy")
    variable = next((n for name in names for n in (name, name.upper()) if os.environ.get(n)), say("the system"))
    try:
        parts = urlsplit(found if "//" in found else f"//{found}")
        place = f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)  # a password is not shown
    except ValueError:
        place = "?"
    return variable, place


def _status(error: BaseException, text: str) -> tuple[int, bool] | None:
    """(HTTP status, whether the proxy gave it for a tunnel); None where no status is at fault."""
    response = getattr(error, "response", None)
    if response is not None and response.status_code >= 400:
        return response.status_code, False
    tunnel = re.search(r"tunnel connection failed: (\d{3})", text)
    return (int(tunnel[1]), True) if tunnel else None


def _mend_proxy(variable: str) -> str:
    return say("Correct {variable}, or unset it where no proxy is needed.", variable=variable)


def _of_status(status: tuple[int, bool], host: str, variable: str, proxy: str) -> Trouble:
    code, tunnel = status
    if code == 407:
        return Trouble(
            "proxy login",
            say("the proxy {proxy} asks for a name and a password (HTTP status 407)", proxy=proxy or host),
            say(
                "Put both into the proxy's address: {variable}=http://name:password@host:port",
                variable=variable or "HTTPS_PROXY",
            ),
        )
    if tunnel:
        return _of_tunnel(say("HTTP status {code}", code=code), code, host, variable, proxy)
    if code == 401:
        return Trouble(
            "login",
            say("{host} asks for a login (HTTP status 401)", host=host),
            say("The course needs none: check that nothing stands between this machine and {host}.", host=host),
        )
    if code in (403, 451):
        return Trouble(
            "forbidden",
            say("{host} does not allow it (HTTP status {code})", host=host, code=code),
            say("A firewall or the site's own rules forbid it here: try another network."),
        )
    if code in (404, 410):
        return Trouble(
            "gone",
            say("{host} no longer has it (HTTP status {code})", host=host, code=code),
            say("The file may have moved: bring the course up to date."),
        )
    if code in (408, 425, 429) or code >= 500:
        return Trouble(
            "busy" if code in (408, 425, 429) else "server",
            say("{host} cannot serve it now (HTTP status {code})", host=host, code=code),
            say("Try again later."),
        )
    return Trouble(
        "status",
        say("{host} refuses it (HTTP status {code})", host=host, code=code),
        say("Bring the course up to date, or try another network."),
    )


def _of_tunnel(said: str, code: int, host: str, variable: str, proxy: str) -> Trouble:
    """Troubles with the way that a proxy was asked to open, told apart by its HTTP status; ``said`` is its answer."""
    if code == 501:  # a web server, say, to which CONNECT means nothing
        return Trouble(
            "proxy address",
            say(
                "{proxy}, which {variable} names, is no proxy for https ({said})",
                proxy=proxy,
                variable=variable,
                said=said,
            ),
            _mend_proxy(variable),
        )
    if code in (408, 425, 429) or code >= 500:
        return Trouble(
            "proxy broken",
            say("the proxy {proxy} could not reach {host} ({said})", proxy=proxy, host=host, said=said),
            say("Try again later; where it stays so, tell whoever runs the proxy, or use another network."),
        )
    return Trouble(
        "proxy refused",
        say("the proxy {proxy} lets nobody through to {host} ({said})", proxy=proxy, host=host, said=said),
        say("Ask whoever runs the proxy to allow {host}, or use another network.", host=host),
    )


def _of_tls(chain: list[BaseException], text: str, host: str, variable: str, proxy: str) -> Trouble:
    """Troubles of the encryption; ``variable`` where it is the connection to the proxy that failed."""
    if "wrong version number" in text or "wrong_version_number" in text or "record layer failure" in text:
        if variable:
            return Trouble(
                "proxy address",
                say("the proxy {proxy} does not speak https", proxy=proxy),
                say("Write http:// instead of https:// in {variable}.", variable=variable),
            )
        return Trouble(
            "tls",
            say("{host} answers without encryption where https is expected", host=host),
            page().remedy,
        )
    failed = next((one for one in chain if isinstance(one, ssl.SSLCertVerificationError)), None)
    reason = getattr(failed, "verify_message", "") or ""
    if "expired" in reason or "not yet valid" in reason or "certificate has expired" in text:
        return Trouble(
            "clock",
            say("the certificate of {host} is not valid today", host=host),
            say("Check this machine's date and time."),
        )
    if failed is not None or "certificate verify failed" in text:
        return Trouble(
            "certificate",
            say(
                "the certificate that came for {host} is not one that this machine trusts ({reason})",
                host=host,
                reason=reason or say("not verified"),
            ),
            say(
                "A proxy or firewall that opens encrypted connections does this: get its certificate as a file and set "
                "REQUESTS_CA_BUNDLE to that file."
            ),
        )
    return Trouble(
        "tls",
        say("no encrypted connection to {host} could be made", host=host),
        say("Try another network: a firewall may stand in the way."),
    )
