"""Tiny chapters without a framework, for tests of runs."""

import textwrap

import nbformat

HEADLINE = """\
from IPython.display import display
display({"application/vnd.course+json": {"kind": "headline", "name": "accuracy", "value": 0.9, "text": "accuracy 0.9"},
         "text/plain": "accuracy 0.9"}, raw=True)
display({"application/vnd.course+json": {"kind": "claim", "id": "c44", "verdict": "holds", "evidence": "93,322",
         "chapter": "07"}, "text/plain": "c44"}, raw=True)"""
PARAMETERS = "profile = None\nseed = 0\nrate = 0.1\nnote = 'a'\ndeep = False\nsizes = []"


def code(source: str, *tags: str, name: str | None = None):
    cell = nbformat.v4.new_code_cell(textwrap.dedent(source), metadata={"tags": list(tags)} if tags else {})
    if name:
        cell["id"] = name
    return cell
