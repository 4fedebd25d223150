"""Results → files and texts besides the page: CSV and Parquet, figures, a summary, and the difference of two sets.

Each command has its own file. No HTML is made here; the page takes its downloads from this folder.
"""
