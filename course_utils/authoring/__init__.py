"""Source to editions, the notebook lint, and README's table: what an author and the continuous integration use.

Import from the modules: ``sources`` (a source read), ``editions`` (``build`` and ``check``), ``building`` (a learner
edition executed), ``normalise`` (outputs as they are stored), ``output_rules`` (what they may show), ``pictures``,
``lint`` (``lint_chapters``) and ``readme``. None of them loads a framework.
"""
