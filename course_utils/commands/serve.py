"""``course serve``: a saved model over HTTP."""

from pathlib import Path
from typing import Annotated

import typer

from course_utils import console
from course_utils.errors import CourseError
from course_utils.language import say


def serve(
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE", help="The folder of a saved model, or a registry.")],
    host: Annotated[str, typer.Option(help="Address to listen on; beyond this machine a key is wanted.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")] = 8000,
    api_key_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="File with the key that every client must show.")
    ] = None,
    key: Annotated[
        Path | None, typer.Option(metavar="PUBLIC", help="Public key that must have signed the bundle.")
    ] = None,
    workers_threads: Annotated[
        int, typer.Option(min=1, max=64, help="Threads that call the model, where a call is expensive.")
    ] = 1,
    connections: Annotated[int, typer.Option(min=1, help="Connections that may be open.")] = 1_000,
    seconds: Annotated[float, typer.Option(help="Seconds in which a request is answered, or refused.")] = 10.0,
    slots: Annotated[int, typer.Option(min=1, max=256, help="Of a decoder: texts that are written at a time.")] = 16,
    most_tokens: Annotated[
        int, typer.Option(min=1, help="Of a decoder: tokens that are written for a request at most.")
    ] = 1_024,
    traces: Annotated[
        Path | None, typer.Option(metavar="FILE.sqlite", help="Write OpenTelemetry traces of requests there.")
    ] = None,
    traces_share: Annotated[
        float, typer.Option(min=0, max=1, help="Share of the requests that are traced, unless their client decides.")
    ] = 1.0,
    engine: Annotated[
        str, typer.Option(metavar="plain|ray", help="Who calls the model: this process, or replicas of Ray Serve.")
    ] = "plain",
    replicas: Annotated[
        int | None, typer.Option(min=1, max=64, help="Of --engine ray: processes with the model (default: 1).")
    ] = None,
    cluster: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Of --engine ray: a cluster that this machine is part of.")
    ] = None,
) -> None:
    """Serve a saved model over HTTP.

    /v1/predict answers, / is a page to try it, /metrics is for Prometheus, /v2 speaks the Open Inference Protocol, and
    /openapi.json describes it all. A decoder has /v1/chat/completions and /v1/completions instead, shaped as OpenAI's,
    and sends its text while it writes. Ctrl-C or SIGTERM stops it: what was accepted is answered first, in at most 15
    seconds. Of a registry (course registry) the champion answers, with a challenger beside it if there is one; the
    journal lies in its folder front/. With --engine ray the model is called in replicas, on this machine or a cluster;
    that wants the extra "ray". Exit status: 0 stopped, 1 requests were given up when it stopped, 2 it was not started.
    """
    from course_utils.rollout.registry import Registry
    from course_utils.rollout.worker import run as follow
    from course_utils.serving import loading, server
    from course_utils.serving.limits import Limits

    if engine not in ("plain", "ray"):
        raise CourseError(say("--engine is plain or ray; it got {engine!r}.", engine=engine))
    if engine == "plain" and (replicas is not None or cluster is not None):
        raise CourseError(say("--replicas and --cluster are for --engine ray."))
    shown = None if api_key_file is None else loading.read_key(api_key_file)
    if shown is None and not server.is_loopback(host):
        raise CourseError(
            say(
                "On {host} everybody who reaches this machine could ask the model: give --api-key-file FILE, or stay "
                "with --host 127.0.0.1.",
                host=host,
            )
        )
    limits = Limits(connections=connections, answer_seconds=seconds, slots=slots, tokens=most_tokens)

    def ready(name: str, url: str) -> None:
        console.write(say("Serving {name} on {url} (stop with Ctrl-C)", name=name, url=url))

    if Registry.is_one(bundle):
        if traces is not None:
            raise CourseError(say("A registry is served without traces; give a bundle."))
        if engine == "ray":
            raise CourseError(say("A registry is served by the plain engine; give a bundle."))
        follow(Registry(bundle, key), host=host, port=port, limits=limits, api_key=shown, ready=ready)
        return
    if engine == "ray":
        from course_utils.serving import ray_engine

        ray_engine.run(
            bundle,
            replicas=replicas or 1,
            cluster=cluster,
            host=host,
            port=port,
            limits=limits,
            ready=ready,
            signer=key,
            key=shown,
            threads=workers_threads,
            traces=traces,
            traces_share=traces_share,
        )
        return
    app = loading.application_of(
        bundle,
        limits=limits,
        signer=key,
        key=shown,
        threads=workers_threads,
        traces=traces,
        traces_share=traces_share,
    )
    found = server.listen(host, port)
    server.serve(app, found, lambda url: ready(app.state.service.name, url))
