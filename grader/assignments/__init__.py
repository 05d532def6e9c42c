"""Read and check `rubrics/<id>.yaml` with its `reference/<id>/`; refuse what is wrong, line by line."""

from .calibration_file import join_calibration
from .load import Assignment, load_assignment, load_assignments
from .rubric_file import rubric_json_schema

__all__ = ["Assignment", "join_calibration", "load_assignment", "load_assignments", "rubric_json_schema"]
