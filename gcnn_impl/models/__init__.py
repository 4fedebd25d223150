"""The networks that are compared: group ResNet and All-CNN-C, an ordinary CNN for each, the plain twin; and two more.

The two see turned copies of an image: ``AveragedNetwork`` and ``CanonicalNetwork``.

A config (``configs``) says everything about a network but its weights, ``build`` makes the network, and ``sizes`` finds
networks of equal cost. The layers live in ``layers``; training and data sets live outside of ``gcnn_impl``.
"""

from gcnn_impl.layers import CONVOLUTIONS as CONVOLUTIONS
from gcnn_impl.models.allcnnc import AllCNNC as AllCNNC
from gcnn_impl.models.allcnnc import GroupAllCNNC as GroupAllCNNC
from gcnn_impl.models.base import POOLED_GAIN as POOLED_GAIN
from gcnn_impl.models.base import RELU_GAIN as RELU_GAIN
from gcnn_impl.models.configs import AllCNNCConfig as AllCNNCConfig
from gcnn_impl.models.configs import AveragedConfig as AveragedConfig
from gcnn_impl.models.configs import CanonicalConfig as CanonicalConfig
from gcnn_impl.models.configs import GroupAllCNNCConfig as GroupAllCNNCConfig
from gcnn_impl.models.configs import GroupOptions as GroupOptions
from gcnn_impl.models.configs import GroupResNetConfig as GroupResNetConfig
from gcnn_impl.models.configs import PlainResNetConfig as PlainResNetConfig
from gcnn_impl.models.resnet import Classifier as Classifier
from gcnn_impl.models.resnet import GroupResNet as GroupResNet
from gcnn_impl.models.resnet import PlainResNet as PlainResNet
from gcnn_impl.models.sizes import NETWORK_CLASSES as NETWORK_CLASSES
from gcnn_impl.models.sizes import Config as Config
from gcnn_impl.models.sizes import build as build
from gcnn_impl.models.sizes import count_macs as count_macs
from gcnn_impl.models.sizes import count_parameters as count_parameters
from gcnn_impl.models.sizes import width_for_macs as width_for_macs
from gcnn_impl.models.sizes import width_for_parameters as width_for_parameters
from gcnn_impl.models.turned import AveragedNetwork as AveragedNetwork
from gcnn_impl.models.turned import CanonicalNetwork as CanonicalNetwork
from gcnn_impl.models.turned import turned_copies as turned_copies
