"""Frames → tables: each cell has a text, a key for sorting, and maybe a link to a record.

The tables are plain dataclasses, used by the page and by the summary. No HTML and no Markdown is written here.
"""
