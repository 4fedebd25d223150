"""Records: the declaration and the check of their fields, their store, and the result files of the suites.

``sweep`` and ``training`` make the records. Nothing here imports torch when it is imported.
"""
