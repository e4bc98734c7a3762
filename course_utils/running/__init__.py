"""Chapters executed headless: what is asked for, one process a chapter, what became of it, and the report."""
