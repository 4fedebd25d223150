"""Answers from records alone: tables, advice, break-even points, differences. Pure functions, without torch.

Nothing is measured, trained or printed here; ``commands`` prints the answers. ``reports`` makes the HTML page.
"""
