"""``python -m benchmarks.evidence.gpu``: everything that a few minutes on a GPU can show, the most valuable part first.

``parts`` lists the parts and their time limits, ``running`` gives each part its own process, ``findings`` keeps what a
part reports, and ``told`` puts it into words. Every other file measures one part.
"""
