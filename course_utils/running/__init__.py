"""Chapters executed headless: ``request`` (what is asked for, one Job a notebook), ``execution`` (one notebook in a
process of its own, whose program is ``worker``), ``runs`` (all of them), ``outcome`` (what became of each, and
results.json), ``display`` (the terminal) and ``report`` (the page).
"""
