"""A study's records as one HTML page, its Markdown twin, figures and a table for the terminal."""

from evaluation.report.advice import TOLERANCE
from evaluation.report.page import ReportFiles, write_report
from evaluation.report.scoring import read_results
from evaluation.report.terminal import text_table

__all__ = ["TOLERANCE", "ReportFiles", "read_results", "text_table", "write_report"]
