"""The forms in which one network can be deployed: eager, frozen, compiled, exported, ONNX, each with its costs.

``worker`` writes the files and measures a form in a process of its own, ``collect`` starts these processes, and
``forms`` has the forms and their results. Only ``worker`` imports torch.
"""
