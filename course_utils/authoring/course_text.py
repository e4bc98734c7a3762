"""The course's own text as a data set: ``python -m course_utils.authoring.course_text``.

Takes the prose of chapters 00 to 11 section by section, and the English training tickets one by one, without code,
tables, displayed formulas and HTML; puts them into an order drawn once, so that the last tenth is of the same kind as
the rest; writes ``data/prose/course_text.txt.gz`` and says the hash for ``data/registry.toml``. The file is a
snapshot: a text that changed with each corrected word would change every number that is measured on it.
"""

import gzip
import hashlib
import re

import numpy as np

from course_utils import chapters, data, paths
from course_utils.authoring import sources
from course_utils.authoring.prose import without_fences

LAST_CHAPTER = "11"


def main() -> None:
    """Collect, write, and say what was written."""
    pieces = [*sections(), *data.load("tickets").train.texts]
    order = np.random.default_rng(0).permutation(len(pieces))
    content = ("\n\n".join(pieces[k] for k in order) + "\n").encode("utf-8")
    path = paths.require_checkout() / "data" / "prose" / "course_text.txt.gz"
    paths.write_atomic(path, gzip.compress(content, mtime=0))
    print(f"{paths.display(path)}: {len(pieces):,} pieces, {len(content):,} bytes of text")
    print(f'sha256 = "{hashlib.sha256(content).hexdigest()}"')


def sections() -> list[str]:
    """The sections of every chapter, in order: each a heading with the paragraphs below it, one line a paragraph."""
    found: list[list[str]] = []
    for chapter in chapters.chapters():
        if chapter.number > LAST_CHAPTER:
            continue
        for cell in sources.read(chapter).cells:
            if cell.code:
                continue
            for paragraph in plain_paragraphs(cell.source):
                if paragraph.startswith("#") or not found:
                    found.append([])
                found[-1].append(paragraph)
    return ["\n".join(section) for section in found if len(section) > 1]


def plain_paragraphs(markdown: str) -> list[str]:
    """Markdown → its headings, paragraphs and list items, each one line; no code, table, displayed formula or HTML."""
    text = re.sub(r"\$\$.+?\$\$", "", without_fences(markdown), flags=re.DOTALL)
    text = re.sub(r"<!--.*?-->|<[^<>\n]+>", "", text, flags=re.DOTALL)
    text = re.sub(r"!?\[([^\]]*)\]\([^()\s]*(?:\([^()]*\))?[^()]*\)", r"\1", text)
    paragraphs: list[str] = []
    starts = True
    for line in text.splitlines():
        words = " ".join(line.split())
        if not words or words.startswith("|"):
            starts = True
        elif starts or re.match(r"#|[*-] |\d+\. ", words):
            paragraphs.append(words)
            starts = words.startswith("#")
        else:
            paragraphs[-1] += f" {words}"
    return paragraphs


if __name__ == "__main__":
    main()
