"""What several commands do with a file that the learner names."""

import json
from pathlib import Path
from typing import Any

from course_utils import console, paths
from course_utils.errors import NotKept
from course_utils.language import say


def keep_json(file: Path, content: Any, status: int) -> None:
    """Write what was measured, and say where. Raises NotKept, with ``status`` where that was a failure already."""
    shown = paths.display(file)
    try:
        paths.write_atomic(file, json.dumps(content, indent=2, ensure_ascii=False) + "\n")
    except OSError as error:
        words = say("{file} cannot be written: {why}.", file=shown, why=error.strerror or str(error))
        raise NotKept(words, otherwise=status) from error
    console.write(say("Written: {file}", file=shown))
