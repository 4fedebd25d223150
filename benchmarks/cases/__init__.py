"""Cases and training runs: descriptions, in strings and numbers alone, of what can be measured or trained.

Nothing here imports torch or builds a module: ``workloads`` builds the module of a case, and ``sweep`` measures it.
"""
