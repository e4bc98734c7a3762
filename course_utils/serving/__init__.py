"""A saved model as a service: `course serve`, and `starting.Service` for a chapter or a test that needs one.

``service`` is the application, ``guard`` what stands before it, ``reading`` what a request may say, ``queueing`` how
the model is called, ``tracing`` where a request's time went, ``connections`` and ``server`` the process with its port
and its end. ``decoding`` is the service of a model that writes.
"""
