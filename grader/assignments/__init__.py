"""Read and check `rubrics/<id>.yaml` with its `reference/<id>/`; refuse what is wrong, line by line."""

from .calibration_file import NAME as CALIBRATION
from .calibration_file import join_calibration
from .edits import Edit, apply_edits
from .load import (
    Assignment,
    RubricInvalid,
    list_assignments,
    load_assignment,
    load_assignments,
    parse_rubric,
    read_rubric,
)
from .rubric_file import rubric_json_schema
from .yaml_lines import Place, Problem

__all__ = [
    "CALIBRATION",
    "Assignment",
    "Edit",
    "Place",
    "Problem",
    "RubricInvalid",
    "apply_edits",
    "join_calibration",
    "list_assignments",
    "load_assignment",
    "load_assignments",
    "parse_rubric",
    "read_rubric",
    "rubric_json_schema",
]
