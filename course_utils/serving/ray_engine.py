"""``course serve --engine ray``: the plain service in front, its model in replicas that Ray Serve places and revives.

The front reads, refuses and answers as ever; only the call of the model goes elsewhere. So limits, sentences, metrics
and the way it stops are those of `service`, and no proxy of Ray's is started. Requests that wait share a call, as they
do without Ray (`queueing`): that is the batching. A replica that dies is started again by Ray Serve, and what it was
asked is asked again.

Without an address a Ray of its own is started, that only this machine reaches and that ends with the service. On a
cluster this machine must be one of its nodes, and every node must have the course and see the bundle at the same path.
"""

import contextlib
import importlib.util
import logging
import os
import secrets
import shutil
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from course_utils import processes
from course_utils.errors import CourseError
from course_utils.language import say
from course_utils.serving.answers import version_of
from course_utils.serving.guard import place
from course_utils.serving.limits import Limits
from course_utils.serving.server import is_loopback

if TYPE_CHECKING:
    import psutil

IN_FLIGHT = 2  # calls for each replica: one is answered while the next is on its way
START_SECONDS = 120.0  # that Ray and the replicas may take
_STORE_BYTES = 100 * 2**20  # of memory that Ray's processes share; it takes no less than 75 MiB
# Read by Ray when it is imported, or by what it starts.
_SETTINGS = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}
# Of a Ray of our own. The first is named after other systems: it makes Ray listen on loopback only, as it does there.
# Other users of this machine reach loopback, and whoever reaches Ray can run programs: they would need the token. Given
# here, it is written to no file; one for all of this process's life, as Ray reads it once.
_ALONE = {
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    "RAY_AUTH_MODE": "token",
    "RAY_AUTH_TOKEN": secrets.token_hex(32),
}


def available() -> None:
    """Raises CourseError where Ray is not installed."""
    if importlib.util.find_spec("ray") is None:
        raise CourseError(
            say(
                "--engine ray wants Ray, which is not installed. In the course's folder: {install}",
                install='python -m pip install -c constraints.txt -e ".[ray]"',
            )
        )


class Elsewhere:
    """Stands for a model whose calls are made elsewhere: with ``ask(items, seconds)``, which blocks.

    A call that fails with one of ``died`` is made once more, since its replica has gone; not a third time, for it may
    be what it was asked that ended both.
    """

    elsewhere = True  # never called by the event loop: see probing.Plan

    def __init__(
        self, model: Any, ask: Callable[[Any, float], np.ndarray], died: tuple[type[BaseException], ...], seconds: float
    ) -> None:
        self.kind, self.class_names = model.kind, model.class_names
        self.inputs = getattr(model, "inputs", "texts")
        self.threshold, self.limits = getattr(model, "threshold", 0.0), getattr(model, "limits", {})
        self._ask, self._died, self._seconds = ask, died, seconds

    def predict_proba(self, items: Any) -> np.ndarray:
        """What a replica says: float (n, classes)."""
        until = time.monotonic() + self._seconds
        try:
            return self._ask(items, self._seconds)
        except self._died:
            time.sleep(0.05)
        return self._ask(items, max(0.0, until - time.monotonic()))


class Replica:
    """One copy of a bundle's model, in a process of Ray's; refuses to start where its machine sees another bundle."""

    def __init__(self, bundle: str, version: str, alone: bool = False) -> None:
        from course_utils import bundles

        if alone:
            _listen_on_loopback()
        found = version_of(bundles.read_card(Path(bundle)))
        if found != version:
            raise CourseError(
                say("{bundle} is {found} on this machine, not {version}.", bundle=bundle, found=found, version=version)
            )
        self.model = bundles.load_model(bundle)

    def answer(self, items: Any) -> np.ndarray:
        """Probabilities; what the model raises is told without its words, for Ray writes them to files."""
        try:
            return self.model.predict_proba(items)
        except Exception as error:
            failed = place(error)
        raise RuntimeError(failed)


def _listen_on_loopback() -> None:
    """In this process gRPC listens on loopback where it would on every address: a replica's server has no setting."""
    from grpc.aio._server import Server

    listen = Server.add_insecure_port

    def nearer(server: Any, address: str) -> int:
        return listen(server, address.replace("[::]:", "127.0.0.1:").replace("0.0.0.0:", "127.0.0.1:"))

    Server.add_insecure_port = nearer


class Fleet:
    """Replicas of a bundle: ``with Fleet(bundle, version, replicas=2) as fleet: …``; ``fleet.ask(items, seconds)``.

    ``cluster`` is HOST:PORT of a Ray cluster to which this machine belongs; None starts a Ray of its own. Raises
    CourseError where they do not start. Leaving it ends the replicas, and a Ray of its own with everything below. Where
    this process is killed instead, a Ray of its own ends too, the last of it within some minutes; the replicas on a
    cluster stay, as Ray Serve means them to.
    """

    def __init__(self, bundle: Path, version: str, *, replicas: int = 1, cluster: str | None = None) -> None:
        available()
        self.name = f"course-{version}-{secrets.token_hex(3)}"  # two fronts of one bundle do not meet on a cluster
        self._cluster, self._open, self._lock = cluster, True, threading.Lock()
        self._others = _below()
        self._folder: str | None = None
        self._before = {name: os.environ.get(name) for name in (*_SETTINGS, *_ALONE, "PYTHONPATH")}
        try:
            self._start(bundle, version, replicas)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _start(self, bundle: Path, version: str, replicas: int) -> None:
        os.environ.update(_SETTINGS)
        if path := processes.environment().get("PYTHONPATH"):
            os.environ["PYTHONPATH"] = path  # a checkout that is not installed is found by the replicas, too
        if self._cluster is None:
            os.environ.update(_ALONE)
        else:
            _reach(self._cluster)
        import ray
        from ray import serve

        logging.getLogger("ray.serve").setLevel(logging.ERROR)
        quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
        if self._cluster is None:
            # Short: the sockets lie in it, and a path of theirs may have a hundred characters.
            self._folder = tempfile.mkdtemp(prefix="ray-", dir="/tmp" if os.path.isdir("/tmp") else None)
            quiet |= {"num_cpus": replicas, "include_dashboard": False, "object_store_memory": _STORE_BYTES}
            quiet |= {"_temp_dir": self._folder}
        try:
            ray.init(address=self._cluster or "local", **quiet)
        except (RuntimeError, ConnectionError, OSError, ValueError) as error:
            raise CourseError(self._not_started(error)) from error
        silent = {"log_level": "ERROR", "enable_access_log": False}
        serve.start(proxy_location="Disabled", logging_config=silent)
        copies = serve.deployment(Replica, name="replica", num_replicas=replicas, max_ongoing_requests=IN_FLIGHT)
        app = copies.options(ray_actor_options={"num_cpus": 1}).bind(str(bundle), version, alone=self._cluster is None)
        try:
            handle = _within(
                START_SECONDS, lambda: serve.run(app, name=self.name, route_prefix=None, logging_config=silent)
            )
        except TimeoutError:
            raise CourseError(
                say(
                    "The replicas did not start within {seconds:.0f} seconds; each wants one free processor of the "
                    "cluster.",
                    seconds=START_SECONDS,
                )
            ) from None
        except RuntimeError as error:
            raise CourseError(self._not_started(self._said_by_a_replica() or error)) from error
        if self._cluster is None and (seen := _listening_beyond_loopback(_below() - self._others)):
            raise CourseError(
                say("This version of Ray listens on {seen}, which other machines reach; it is not used.", seen=seen)
            )
        self._handle = handle.answer
        self.died: tuple[type[BaseException], ...] = (ray.exceptions.RayActorError,)

    def _said_by_a_replica(self) -> str:
        """What Ray has kept of a replica that did not start."""
        from ray import serve

        with contextlib.suppress(Exception):
            return serve.status().applications[self.name].deployments["replica"].message
        return ""

    def _not_started(self, said: "BaseException | str") -> str:
        lines = [line.strip() for line in str(said).splitlines() if line.strip()]
        ours = [line for line in lines if "CourseError: " in line]
        why = (ours or lines or [type(said).__name__])[-1].rpartition("CourseError: ")[2]
        return say("The replicas did not start. Ray says: {why}", why=why[:300])

    def ask(self, items: Any, seconds: float) -> np.ndarray:
        """What a replica says of items; blocks, for at most ``seconds``."""
        response = self._handle.remote(items)
        try:
            return response.result(timeout_s=seconds)
        except TimeoutError:
            response.cancel()
            raise

    def close(self) -> None:
        """End the replicas and what was started for them; a second call does nothing."""
        with self._lock, processes.undisturbed():
            if not self._open:
                return
            self._open = False
            started = _below() - self._others
            ray = sys.modules.get("ray")
            if ray is not None and ray.is_initialized():
                with contextlib.suppress(Exception):  # Ray may be gone by now, and what it left is ended below
                    _within(20.0, self._leave)
                with contextlib.suppress(Exception):
                    ray.shutdown()
            _wait_and_kill(started)
            for name, value in self._before.items():
                os.environ.pop(name, None)
                if value is not None:
                    os.environ[name] = value
            if self._folder is not None:
                shutil.rmtree(self._folder, ignore_errors=True)

    def _leave(self) -> None:
        """Take the replicas away; on a cluster Serve itself stays where others' applications run."""
        from ray import serve

        if self.name in serve.status().applications:
            serve.delete(self.name)
        if not serve.status().applications:
            serve.shutdown()


def _reach(address: str) -> None:
    """Raises CourseError where nothing listens at HOST:PORT: Ray itself would try for minutes."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit() or "/" in address:
        raise CourseError(
            say(
                "--cluster wants HOST:PORT of the cluster's head, 10.0.0.5:6379, say; it got {address!r}.",
                address=address,
            )
        )
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=5).close()
    except (OSError, OverflowError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise CourseError(say("No Ray cluster answers at {address} ({why}).", address=address, why=why)) from None


def _within(seconds: float, act: Callable[[], Any]) -> Any:
    """What ``act`` returns or raises; TimeoutError where it has not ended by then, and it then goes on unheard."""
    found: Future = Future()

    def work() -> None:
        try:
            found.set_result(act())
        except BaseException as error:
            found.set_exception(error)

    threading.Thread(target=work, daemon=True).start()
    return found.result(timeout=seconds)


def _below() -> "set[psutil.Process]":
    """The processes below this one."""
    import psutil

    return set(psutil.Process().children(recursive=True))


def _listening_beyond_loopback(those: "set[psutil.Process]") -> str:
    """The addresses on which processes listen for other machines, "" where they do not."""
    import psutil

    found = set()
    for process in those:
        with contextlib.suppress(psutil.Error):
            for one in process.net_connections("inet"):
                if one.status == psutil.CONN_LISTEN and not is_loopback(one.laddr.ip.removeprefix("::ffff:")):
                    found.add(f"{one.laddr.ip}:{one.laddr.port}")
    return ", ".join(sorted(found))


def _wait_and_kill(those: "set[psutil.Process]") -> None:
    """Wait until processes have ended, and kill those that have not: Ray's end by themselves, but not all at once."""
    import psutil

    left = psutil.wait_procs(those, timeout=processes.PATIENCE_SECONDS)[1]
    for process in left:
        with contextlib.suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(left, timeout=processes.PATIENCE_SECONDS)


def run(
    bundle: Path,
    *,
    replicas: int,
    cluster: str | None,
    host: str,
    port: int,
    limits: Limits,
    ready: Callable[[str, str], None],
    signer: Path | None = None,
    key: str | None = None,
    threads: int = 1,
    **more: Any,
) -> int:
    """Serve a bundle with replicas until told to stop; returns how many requests were given up.

    ``ready(name, url)`` is called when it answers; ``threads`` are the calls under way, at least two a replica;
    ``more`` is for `service.application`. Raises CourseError for what is no bundle, a decoder, a port in use, and
    replicas that do not start.
    """
    import asyncio

    from course_utils.serving import loading, server, service

    available()
    model, card = loading.opened(bundle, signer=signer)
    if model.kind == "decoder":
        raise CourseError(say("A decoder is served by the plain engine; --engine ray is for models that give classes."))
    found = server.listen(host, port)
    bundle = Path(bundle).expanduser().absolute()
    try:
        with processes.terminated_as_interrupted():
            fleet = Fleet(bundle, version_of(card), replicas=replicas, cluster=cluster)
    except BaseException:
        found.close()
        raise
    with fleet:
        stands = Elsewhere(model, fleet.ask, fleet.died, limits.answer_seconds)
        del model  # the front needs what it is called and decided, not its numbers
        app = service.application(stands, card, limits, key=key, threads=max(threads, IN_FLIGHT * replicas), **more)
        state = app.state.service

        async def end() -> None:
            await asyncio.to_thread(fleet.close)

        return server.serve(app, found, lambda url: ready(state.name, url), closing=end)
