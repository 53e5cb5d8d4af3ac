"""Things to move: labs that compute with a kernel, and work without one in the published page."""

from dtlbook.labs.dann import DannLab, dann_lab
from dtlbook.labs.sweep import Sweep, sweep

__all__ = ["DannLab", "Sweep", "dann_lab", "sweep"]
