"""Pure arithmetic on samples: summaries, comparisons, noise, means over seeds, the roofline, regressions.

Numbers in, numbers or a word out. Nothing here knows a record, a clock or torch.
"""
