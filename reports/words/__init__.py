"""Numbers → words: formatted numbers, names, and every sentence of the report that holds a number.

Each function takes a frame and returns a text about it. No table, no figure and no HTML is made here.

The sections of the page keep one name in every room: `peers`, `noise`, `accuracy`, `roofline`, … are the sentence here,
the table in `tables/`, and the figure in `figures/`.
"""
