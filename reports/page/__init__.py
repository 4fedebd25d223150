"""Prepared results → one self-contained HTML file, and the gallery that lists such files.

The folder has the parts of the page, its downloads, and the code that fills the templates. Numbers, sentences,
tables and figures come finished from the other folders.
"""
