"""Optional operators in Triton, for CUDA: ``switch`` says whether they are in use, each other file has one operator.

PyTorch is the reference for every operator (``functional``, ``kernel_nets``, ``layers.norm``) and replaces those that
cannot be used. Importing this package does not import Triton: the kernels, in files named ``…_kernels``, are imported
when an operator first runs.
"""

from gcnn_impl.gpu.switch import status as status
from gcnn_impl.gpu.switch import takes as takes
from gcnn_impl.gpu.switch import turned as turned
