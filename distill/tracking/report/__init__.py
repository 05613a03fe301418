"""The reports: one self-contained, interactive page of a study, and one of each candidate."""

from __future__ import annotations

from distill.tracking.report.figures import Figures
from distill.tracking.report.page import candidate_report, study_report

__all__ = ["Figures", "candidate_report", "study_report"]
