"""Profiles: where the time and the memory of one case's pass go, by operator and by module, and how two passes differ.

``ranges`` and ``events`` read torch's profiler; ``attribution`` says which module and which operator each moment of a
pass belongs to; ``worker`` measures in a process of its own; ``profile`` is what is stored. ``table``, ``flame``,
``memory_figure`` and ``against`` write down what a profile says. Only ``ranges``, ``counting``, ``memory`` and
``worker`` import torch.
"""
