"""Source to editions, the notebook lint, and headless runs: what an author and the continuous integration use.

Import from the modules: ``chapters`` (what there is), ``editions`` (``build`` and ``check``), ``lint``
(``lint_chapters``), ``runs`` and ``report``. None of them loads a framework.
"""
