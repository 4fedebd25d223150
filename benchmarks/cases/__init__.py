"""What can be measured or trained: cases, their axes, profiles and blocks, and training runs, all strings and numbers.

Nothing here imports torch or builds a module: ``workloads`` builds the module of a case, and ``sweep`` measures it.
"""
