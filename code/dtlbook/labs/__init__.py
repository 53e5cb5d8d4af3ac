"""Things to move: labs that compute with a kernel, and work without one in the published page."""

from dtlbook.labs.adda import AddaLab, adda_lab
from dtlbook.labs.dann import DannLab, dann_lab
from dtlbook.labs.divergence import DivergenceLab, divergence_lab
from dtlbook.labs.freeze import FreezeLab, freeze_lab
from dtlbook.labs.margin import MarginLab, margin_lab
from dtlbook.labs.methods import MethodSweeps, method_sweeps
from dtlbook.labs.mmd import MmdLab, mmd_lab
from dtlbook.labs.shift import ShiftLab, shift_lab
from dtlbook.labs.style import StyleLab, style_lab
from dtlbook.labs.sweep import Sweep, sweep

__all__ = [
    "AddaLab",
    "DannLab",
    "DivergenceLab",
    "FreezeLab",
    "MarginLab",
    "MethodSweeps",
    "MmdLab",
    "ShiftLab",
    "StyleLab",
    "Sweep",
    "adda_lab",
    "dann_lab",
    "divergence_lab",
    "freeze_lab",
    "margin_lab",
    "method_sweeps",
    "mmd_lab",
    "shift_lab",
    "style_lab",
    "sweep",
]
