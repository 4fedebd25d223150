"""Optional operators in C: ``build`` compiles and loads the C sources, ``operators`` calls them, with gradients.

PyTorch is the reference for every operator (``functional``, ``kernel_nets``) and replaces those that cannot be used.
"""

from gcnn_impl.native.build import library as library
from gcnn_impl.native.build import status as status
from gcnn_impl.native.build import takes as takes
