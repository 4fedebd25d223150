"""A case becomes a module, an input and the pass to measure; nothing else knows how to build what is measured.

Nothing is measured here: ``measure`` has the instruments. Layers of other people are in ``peers``.
"""
