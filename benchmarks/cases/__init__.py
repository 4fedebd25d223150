"""What can be measured or trained: cases, their axes, profiles and blocks, and training runs, all strings and numbers.

Nothing here needs torch or builds a module: ``workloads`` builds what a case names, ``sweep`` measures it.
"""
