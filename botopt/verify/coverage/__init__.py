"""What the tests of a policy reach, and what they leave out."""

from botopt.verify.coverage.observing import Coverage
from botopt.verify.coverage.report import CoverageReport, Covered

__all__ = ["Coverage", "CoverageReport", "Covered"]
