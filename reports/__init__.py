"""Records in, one self-contained HTML page out, through seven rooms; each imports only itself and the rooms before it.

    frames/ → arithmetic/ → words/ → tables/ → figures/ → exports/ → page/

`style.py` (the looks of the variants) and `templates/` (HTML, CSS and the script) serve all of them; `__main__.py` is
the command line.
"""
