"""Numbers → words: formatted numbers, names, and every sentence of the report that holds a number.

Each function takes a frame and returns a text about it. No table, no figure and no HTML is made here.

Each section of the page has the same name in every folder: `peers`, `noise`, `accuracy`, … is the sentence here, the
table in `tables/`, and the figure in `figures/`.
"""
