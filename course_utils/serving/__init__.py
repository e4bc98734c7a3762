"""A model that answers over HTTP, and what tries it."""
