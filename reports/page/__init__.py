"""Prepared results → one self-contained HTML file, and the gallery that lists such files.

The room holds the parts of the page, its downloads, and the filling of the templates. Numbers, sentences,
tables and figures arrive finished from the other rooms.
"""
