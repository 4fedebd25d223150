"""Pure arithmetic on samples: summaries, comparisons, noise, means over seeds, the roofline, regressions.

Functions take numbers and return numbers or a word. Nothing here depends on records, clocks or torch.
"""
