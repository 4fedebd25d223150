"""Prepared results → figures, drawn with seaborn: panels of SVG with a title, a generated takeaway and a caption.

One file holds the figures of one question; `sections.py` lists which figures each section of the page shows. A new
figure needs its own file here and one line in that list; the page and the export then show it.
"""
