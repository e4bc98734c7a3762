"""A decoder as a service: text that is sent while it is written, for several clients at a time.

``asking`` is what a request may say, ``machine`` and ``forms`` how an answer keeps to a JSON Schema, ``batch`` the
sequences that are written together, ``scheduling`` who joins them and who leaves, ``writing`` tokens as text,
``saying`` the answers in OpenAI's shape, ``streaming`` how they are sent, ``service`` the application.
"""
