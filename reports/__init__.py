"""Records → one self-contained HTML page, in seven folders; each folder imports only itself and those before it.

    frames/ → arithmetic/ → words/ → tables/ → figures/ → exports/ → page/

`style.py` (the looks of the variants) and `templates/` (HTML, CSS and the script) serve all of them; `__main__.py` is
the command line.
"""
