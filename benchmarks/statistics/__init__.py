"""Pure arithmetic on samples: summaries, comparisons, noise, means over seeds, the roofline, regressions.

Numbers in, numbers or a word out. Nothing here depends on records, clocks or torch.
"""
