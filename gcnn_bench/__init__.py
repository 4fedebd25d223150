"""The command ``gcnn-bench``: the suite, installed by ``pip install ".[suite]"``, from any folder.

The suite consists of the packages ``benchmarks`` and ``reports``. Their names are too common for ``site-packages``,
where they would hide a user's own ``benchmarks``. Their modules import each other by these names, start processes by
them (``-m``, ``-c``, the modules that process servers import), and old commits are measured by them. So they keep their
names, and the wheel has both as data of this package, below ``gcnn_bench/suite`` (``setup.py`` puts them there).
``gcnn_bench.__main__`` puts that folder first on ``sys.path``, of its own process and of those that it starts; no other
program sees the two packages. In a checkout, and in an editable installation, the folder is the checkout itself.
"""
