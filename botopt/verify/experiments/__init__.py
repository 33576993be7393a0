"""What named experiments, the holdout and the control group have shown: users per arm, differences, conclusions."""

from botopt.verify.experiments.model import (
    Arm,
    Conclusion,
    Difference,
    Metric,
    Need,
    Report,
    Results,
    Split,
    Verdict,
)
from botopt.verify.experiments.reporting import report

__all__ = [
    "Arm",
    "Conclusion",
    "Difference",
    "Metric",
    "Need",
    "Report",
    "Results",
    "Split",
    "Verdict",
    "report",
]
