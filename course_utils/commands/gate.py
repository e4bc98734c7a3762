"""The command before shipping: what a bundle has to pass."""

from pathlib import Path
from typing import Annotated

import typer

from course_utils import console
from course_utils.errors import CourseError
from course_utils.language import say


def check(
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE", help="The folder of a saved model.")],
    data: Annotated[
        str,
        typer.Option(metavar="FILE", help="Labelled examples: a CSV file; for images an .npz file, or mnist, digits."),
    ],
    text: Annotated[str | None, typer.Option(metavar="COLUMN", help="The column of the messages.")] = None,
    label: Annotated[str | None, typer.Option(metavar="COLUMN", help="The column of their classes.")] = None,
    slices: Annotated[
        list[str] | None,
        typer.Option(
            "--slice", metavar="COLUMN", help="Judge each value of it (channel, language are, without asking)."
        ),
    ] = None,
    tests: Annotated[Path | None, typer.Option(metavar="FILE.toml", help="Tests of your own.")] = None,
    against: Annotated[
        Path | None, typer.Option(metavar="BUNDLE", help="A model that must give the same answers.")
    ] = None,
    max_mb: Annotated[float | None, typer.Option(help="Megabytes on the disk (default: 100).")] = None,
    max_ms: Annotated[float | None, typer.Option(help="p99 of single answers (default: 100).")] = None,
    max_mib: Annotated[float | None, typer.Option(help="Memory of the answering process (default: 1024).")] = None,
    min_macro_f1: Annotated[
        float | None, typer.Option("--min-macro-f1", help="(Default: more than the commonest class alone.)")
    ] = None,
    min_accuracy: Annotated[float | None, typer.Option(help="(Default: told, not judged.)")] = None,
    min_slice: Annotated[float | None, typer.Option(help="Right answers in each slice (default: 0.5).")] = None,
    max_changed: Annotated[
        float | None, typer.Option(help="Share of answers that an invariance may change (default: each its own).")
    ] = None,
    max_difference: Annotated[
        float | None, typer.Option(help="Of probabilities, with --against (default: 0.0001).")
    ] = None,
    max_differing: Annotated[
        float | None, typer.Option(help="Share of other answers, with --against (default: 0.01).")
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="What cannot be shown refuses, too.")] = False,
    json_file: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write all numbers there.")] = None,
) -> None:
    """Check a saved model before it is shipped.

    Tests of behaviour (another name, a typo, capitals, a greeting …), quality over all and in the worst slice, size,
    latency, memory. A share that was counted is refused where even the kind end of its interval is beyond its limit,
    and is "not shown" where there are too few examples to tell. Exit status: 0 passed, 1 refused, 2 the request cannot
    be meant, 4 the numbers could not be written, 130 interrupted.
    """
    from course_utils import bundles, processes
    from course_utils.bundles import decoder
    from course_utils.commands.keeping import keep_json
    from course_utils.serving import gate
    from course_utils.serving.gate import examples, own_tests
    from course_utils.serving.gate.subject import IMAGES, TEXTS

    given = {
        "max_mb": max_mb,
        "max_ms": max_ms,
        "max_mib": max_mib,
        "min_macro_f1": min_macro_f1,
        "min_accuracy": min_accuracy,
        "min_slice": min_slice,
        "max_changed": max_changed,
        "max_difference": max_difference,
        "max_differing": max_differing,
    }
    target = gate.Target(strict=strict, **{name: value for name, value in given.items() if value is not None})
    if against is None and (max_difference is not None or max_differing is not None):
        raise CourseError(
            say("--max-difference and --max-differing compare two models; name the other: --against BUNDLE.")
        )
    model = bundles.load_model(bundle)
    decoder.must_have_classes(getattr(model, "kind", ""))
    if getattr(model, "inputs", TEXTS) == IMAGES:
        if text or label or slices or tests:
            raise CourseError(
                say("--text, --label, --slice and --tests are for models of texts; this one takes images.")
            )
        found = examples.images(data, model)
    else:
        if not text or not label:
            raise CourseError(
                say("A model of texts needs --text and --label, the columns of the messages and classes.")
            )
        found = examples.from_csv(Path(data), text, label, slices or ())
    own = own_tests.read(tests, getattr(model, "language", "en")) if tests else []
    own_tests.classes_known(own, model.class_names)
    try:
        with processes.terminated_as_interrupted():
            report = gate.check(model, found, target, own, bundle=bundle, against=against)
    except KeyboardInterrupt:
        console.write(say("Stopped; nothing was decided."), error=True)
        raise typer.Exit(130) from None
    console.write(str(report))
    status = 0 if report.passed else 1
    if json_file is not None:
        keep_json(json_file, report.as_json(), status)
    raise typer.Exit(status)
