"""Questions that are answered from records alone: tables, advice, break-even points, differences. Pure, without torch.

Nothing is measured or trained here, and nothing is printed: ``commands`` does that. ``reports`` makes the HTML page.
"""
