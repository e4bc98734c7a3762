"""The process of a service: its port, its start, its end.

On SIGTERM or Ctrl-C it stops accepting, answers every request that it has accepted, and ends within
``limits.stop_seconds``; a second Ctrl-C ends it at once.
"""

import asyncio
import errno
import gc
import ipaddress
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import uvicorn

from course_utils.errors import CourseError
from course_utils.language import say, say_many
from course_utils.serving.connections import Connection, Crowd
from course_utils.serving.guard import LOG
from course_utils.serving.limits import Limits, plain

if TYPE_CHECKING:
    from fastapi import FastAPI

_SPARE_FILES = 320  # open files beside connections: those that are refused, the model's, Python's
_BACKLOG = 1024


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens on an address; port 0 takes a free one. Raises CourseError where that is not possible."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        found = socket.socket(family, kind, protocol)
    except (OSError, UnicodeError) as error:
        raise CourseError(say("{host!r} is no address of this machine ({why}).", host=host, why=str(error))) from None
    try:
        if os.name == "posix":  # a port is free as soon as its last service has ended
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind(address)
        found.listen(_BACKLOG)
        found.setblocking(False)
    except (OSError, OverflowError) as error:
        found.close()
        if getattr(error, "errno", None) == errno.EADDRINUSE:
            raise CourseError(
                say(
                    "Port {port} of {host} is in use; end what listens there, or choose another (--port 0 takes a "
                    "free one).",
                    port=port,
                    host=host,
                )
            ) from None
        why = getattr(error, "strerror", None) or str(error)
        raise CourseError(
            say("Nothing can listen on {host}, port {port} ({why}).", host=host, port=port, why=why)
        ) from (None)
    return found


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]").partition("%")[0]).is_loopback
    except ValueError:
        return False


def url_of(found: socket.socket) -> str:
    """The address of a listening socket as a client writes it."""
    host, port = found.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class Server(uvicorn.Server):
    """uvicorn's server with connections of our own, and an end that loses nothing.

    ``wake`` (from any thread) begins the end; ``lost`` is how many requests were given up when the time was over.
    """

    def __init__(self, app: "FastAPI", limits: Limits) -> None:
        state = app.state.service
        self.service, self.limits = state, limits
        error = getattr(state, "error", plain)
        costly = getattr(state, "costly", ())
        self.crowd = Crowd(limits, lambda reason: state.meters.refusal(reason).inc(), error, costly)
        self.crowd.most = min(limits.connections, max(1, _open_files() - _SPARE_FILES))
        self.lost = 0
        super().__init__(
            uvicorn.Config(
                app,
                http=Connection.of(self.crowd),
                ws=None,
                loop="asyncio",  # not whichever loop is installed: this one is what all of it was tried with
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_keep_alive=max(1, round(limits.idle_seconds)),
                backlog=_BACKLOG,
            )
        )
        state.connections = lambda: len(self.server_state.connections)

    def wake(self) -> None:
        """Begin the end."""
        self.should_exit = True

    async def run_on(self, found: socket.socket, ready: Callable[[], None]) -> int:
        """Answer requests that come to a listening socket until `wake` or a signal; returns ``lost``.

        ``ready`` is called when the first request can be answered.
        """
        before = self._take_signals()
        self.config.load()
        self.lifespan = self.config.lifespan_class(self.config)
        await self.startup(sockets=[found])
        sweep = asyncio.create_task(self._sweep())
        try:
            ready()
            await self.main_loop()
            await self.shutdown(sockets=[found])
        finally:
            sweep.cancel()
            for number, handler in before.items():
                signal.signal(number, handler)
        return self.lost

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop accepting, answer what was accepted, close; what is not done in time is given up and counted."""
        until = time.monotonic() + self.limits.stop_seconds
        self.service.stop()
        self.crowd.stopping = True
        for _ in range(3):  # who has connected already is still in the system's queue, and would be cut off
            await asyncio.sleep(0)
        for server in self.servers:
            server.close()
        for found in sockets or []:
            found.close()
        for connection in list(self.server_state.connections):
            connection.stop()
        while self._busy() and time.monotonic() < until and not self.force_exit:
            await asyncio.sleep(0.02)
        self.lost = sum(not task.done() for task in self.server_state.tasks)
        self.service.queue.give_up()
        if self.lost:
            await asyncio.sleep(0.1)  # those that waited are told
        for task in list(self.server_state.tasks):
            task.cancel()
        for connection in [*self.server_state.connections, *self.crowd.leaving]:
            connection.transport.abort()
        self.service.queue.close()
        await asyncio.sleep(0)

    def _busy(self) -> bool:
        return bool(self.server_state.connections or self.server_state.tasks)

    async def _sweep(self) -> None:
        """End, twice a second, the connections whose time is over."""
        while True:
            await asyncio.sleep(0.1 if self.crowd.stopping or self.should_exit else 0.5)
            now = time.monotonic()
            for connection in [*self.server_state.connections, *self.crowd.leaving]:
                if connection.deadline < now:
                    connection.expire()

    def _take_signals(self) -> dict[int, Any]:
        if threading.current_thread() is not threading.main_thread():
            return {}
        numbers = [signal.SIGINT, signal.SIGTERM]
        return {number: signal.signal(number, self.handle_exit) for number in numbers}


def _open_files() -> int:
    """How many files this process may have open; raised to what the system allows, within reason."""
    try:
        import resource
    except ImportError:  # Windows counts otherwise
        return 8192
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 65_536 if hard == resource.RLIM_INFINITY else min(hard, 65_536)
    if soft < wanted:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            soft = wanted
        except (OSError, ValueError):
            pass
    return soft


def serve(
    app: "FastAPI",
    found: socket.socket,
    ready: Callable[[str], None],
    *,
    started: Callable[[Server], None] = lambda server: None,
    closing: Callable[[], Awaitable[None]] | None = None,
) -> int:
    """Run a service on a listening socket until it is told to stop; returns how many requests were given up.

    ``ready`` gets the address when requests are answered; ``started`` gets the server, whose ``wake`` ends it;
    ``closing`` is awaited when the last answer is out.
    """
    _log_without_words()
    state = app.state.service
    url = url_of(found)
    server = Server(app, state.limits)
    started(server)
    LOG.info("%s", state.plan.sentence())
    # What was made until now stays, and the collector need not look at it again. It would do so seldom, for a full
    # collection waits until a quarter as many objects have come as there are: until then memory grows by the closed
    # connections, whose parts hold each other; and while it looks, the whole process stands still.
    gc.collect()
    gc.freeze()
    gc.collect()  # of the nothing that is left: a quarter is now reckoned from there
    try:
        with asyncio.Runner(loop_factory=server.config.get_loop_factory()) as runner:
            lost = runner.run(server.run_on(found, lambda: ready(url)))
            if closing is not None:
                runner.run(closing())
            if lost:
                LOG.error(
                    "%s",
                    say_many(
                        "{n} request was not answered in the {seconds:g} seconds for stopping.",
                        "{n} requests were not answered in the {seconds:g} seconds for stopping.",
                        lost,
                        seconds=state.limits.stop_seconds,
                    ),
                )
                state.close()
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(1)  # a call of the model may still run, and nothing would end it
    finally:
        gc.unfreeze()  # of another service in this process, too: it then only collects as often as Python would
    state.close()
    LOG.info("%s", say("Stopped; every request that was accepted has been answered."))
    return lost


def _log_without_words() -> None:
    """Our own lines go to standard error; uvicorn's do not, since a traceback may quote what a client sent."""
    logging.getLogger("uvicorn").addHandler(logging.NullHandler())
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "asyncio"):
        logging.getLogger(name).propagate = False
    logging.getLogger("asyncio").addHandler(_Kind())
    logging.getLogger("uvicorn.error").addHandler(_Kind(logging.ERROR))
    if not LOG.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        LOG.addHandler(handler)
        LOG.setLevel(logging.INFO)
        LOG.propagate = False


class _Kind(logging.Handler):
    """Of another library's line only its level, its logger and the kind of its exception."""

    def emit(self, record: logging.LogRecord) -> None:
        """Pass on the little that is said."""
        kind = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else "–"
        LOG.warning("%s", say("{name} reports {level} ({kind}).", name=record.name, level=record.levelname, kind=kind))
