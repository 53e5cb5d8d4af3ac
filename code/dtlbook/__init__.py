"""Helper package of the book *Deep Transfer Learning: From Definitions to Domain Adaptation*.

Small modules, each to be read in one sitting beside its chapter:

- ``dtlbook.data``: the domains, some that come with the dependencies and some that are downloaded;
- ``dtlbook.torch`` and ``dtlbook.tensorflow``: every deep method under the same names, a module each (``dann``,
  ``ddc``, ``dan``, ``coral``, ``adda``, ``ccsa``, ``sagnet``, ``finetune``), on one training loop (``training``) and
  one set of networks (``networks``);
- ``dtlbook.baselines``, ``weighting``, ``mmd``, ``divergence``, ``selection``: methods and measures without a network;
- ``dtlbook.recipe``: what both frameworks share (schedules, initial weights, order of the mini-batches);
- ``dtlbook.results``: the ledger of measured results and what fills it;
- ``dtlbook.labs`` and ``dtlbook.figures``: sliders and pictures;
- ``dtlbook.checks``: how a page states a number that the machine may change in its last digits.

``import dtlbook`` loads neither PyTorch nor TensorFlow.
"""

__version__ = "0.1.0"
