"""What a record is, how its fields are declared and checked, the store of records, and the results of the suites.

Records are made elsewhere, by ``sweep`` and ``training``. Nothing here imports torch when it is imported.
"""
