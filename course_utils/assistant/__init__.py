"""A language model put to work: asked by a schema, over HTTP or from a recording, and attacked.

Chapter 13 shows every idea in the open; here stands the plumbing.
"""
