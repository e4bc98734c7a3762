"""``course data``: the data sets, where they are, and whether they are what the registry says."""

from typing import Annotated

import typer

from course_utils import console
from course_utils.errors import CourseError
from course_utils.language import say

app = typer.Typer(help="List, fetch and verify the data sets.", no_args_is_help=True, rich_markup_mode=None)
Sets = Annotated[list[str] | None, typer.Argument(metavar="NAME", help="Data sets, such as mnist.")]


@app.command("list")
def data_list(
    files: Annotated[
        bool, typer.Option("--files", help="List the files: place in COURSE_DATA, size, SHA-256.")
    ] = False,
) -> None:
    """What there is, and where each set is now."""
    from course_utils.data import fetch, registry

    rows = []
    for entry in map(registry.entry, registry.names()):
        if files:
            rows += [{"COURSE_DATA/": f.path, "size": console.size(f.size), "SHA-256": f.sha256} for f in entry.files]
            continue
        status = fetch.status(entry.name)
        size = console.size(status.size) if status.size else "–"
        rows.append(
            {"name": entry.name, "title": entry.title, "state": status.state, "size": size, "licence": entry.licence}
        )
    console.write_table(rows)


@app.command("fetch")
def data_fetch(
    names: Sets = None,
    everything: Annotated[bool, typer.Option("--all", help="Fetch every set.")] = False,
) -> None:
    """Bring data sets into the cache.

    A set comes from the folder in COURSE_DATA, else by download.
    """
    from course_utils import paths
    from course_utils.data import fetch, registry

    if everything == bool(names):
        known = ", ".join(registry.names())
        raise CourseError(
            say("Name the sets to fetch, or give --all (one of the two). There are: {known}.", known=known)
        )
    wanted = registry.names() if everything else list(dict.fromkeys(names or []))
    for name in wanted:
        registry.entry(name)  # an unknown name is refused before the first download
    for name in wanted:
        files = fetch.fetch(name)
        if files:
            console.write(say("{name}: {folder}", name=name, folder=paths.display(next(iter(files.values())).parent)))
        else:
            console.write(say("{name}: comes with an installed library", name=name))


@app.command("verify")
def data_verify(names: Sets = None) -> None:
    """Compare files with the registry's hashes.

    Every copy of the named sets (default: of all) is read; nothing is changed.
    """
    from course_utils.data import verify

    found = verify.verify(names or None)
    console.write_table(
        [{"name": r.name, "file": r.file, "place": r.place, "verdict": r.verdict, "": r.detail} for r in found]
    )
    # A set that nobody asked for and nobody fetched is no problem; one that was named is, and so is a missing card.
    wrong = any(row.verdict == "damaged" or (not row.ok and (names or row.place == "course")) for row in found)
    raise typer.Exit(1 if wrong else 0)
