"""Frames → tables: cells that know what they show, what they sort by, and which record they link to.

The tables are plain dataclasses, used by the page and by the summary. No HTML and no Markdown is written here.
"""
