"""The commands of ``course``, by whom they serve; ``course_utils.cli`` puts them on one application."""

from typing import Annotated

import typer

Chapters = Annotated[list[str] | None, typer.Argument(metavar="NN", help="Chapters, such as 07 or mnist.")]
