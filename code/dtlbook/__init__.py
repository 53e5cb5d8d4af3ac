"""Helper package of the book *Deep Transfer Learning: From Definitions to Domain Adaptation*.

Small modules, each to be read in one sitting beside its chapter:

- ``dtlbook.data``: pairs of domains that come with the dependencies, nothing to download;
- ``dtlbook.torch.dann`` and ``dtlbook.tensorflow.dann``: the same method under the same names, once per
framework;
- ``dtlbook.recipe``: what both frameworks share (schedules, initial weights, order of the mini-batches);
- ``dtlbook.divergence``: how far apart two samples of features are;
- ``dtlbook.checks``: how a page states a number that the machine may change in its last digits.

``import dtlbook`` loads neither PyTorch nor TensorFlow.
"""

__version__ = "0.1.0"
