"""What a rubric file may contain. The same models give the JSON Schema that editors use."""

from __future__ import annotations

from dataclasses import MISSING, fields
from functools import cache, reduce
from operator import or_
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, create_model

from grader.checks.registry import CHECKS, PARAMETERS, TAKES_CONCEPTS
from grader.domain.rubric import DatasetName

_KEY = r"^[a-z][a-z0-9_.]{0,63}$"
_ID = r"^[a-z0-9][a-z0-9_-]{0,63}$"
_LETTER = r"^[A-H]$"
FORMS = {  # the same for people
    _KEY: "begin with a small letter, and have only small letters, digits, “_” and “.” (at most 64)",
    _ID: "have only small letters, digits, “_” and “-” (at most 64)",
    _LETTER: "be one of the letters A to H",
}

NUMBER, WORD = "[number]", "[word]"  # steps in an error's place that are no fields

_Name = Annotated[str, Field(min_length=1, max_length=200)]
_Key = Annotated[str, Field(pattern=_KEY, examples=["q1"])]
_Points = Annotated[float, Field(gt=0, le=1000, allow_inf_nan=False, examples=[4])]
_Count = Annotated[int, Field(gt=0, examples=[64])]
_Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False, examples=[900])]
_Letter = Annotated[str, Field(pattern=_LETTER, examples=["B"])]


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class UploadLimitsFile(_Strict):
    """What an upload may weigh before it is read."""

    bytes: _Count = Field(examples=[10000000])
    cells: _Count = Field(examples=[500])
    nesting: _Count = Field(examples=[64], description="Lists within lists of the file's JSON.")


class RunLimitsFile(_Strict):
    """What a notebook may use while it runs."""

    cell_seconds: _Seconds = Field(description="One cell.")
    total_seconds: _Seconds = Field(description="The whole notebook.")
    memory_bytes: _Count = Field(examples=[3221225472])
    processes: _Count = Field(examples=[256], description="Processes and threads.")
    output_bytes_per_cell: _Count = Field(examples=[1000000])
    output_bytes: _Count = Field(examples=[20000000])
    models: _Count = Field(examples=[64], description="How many trained models are kept.")
    model_bytes: _Count = Field(
        examples=[64000000], description="The weights of one model; all together four times that."
    )


class PolicyFile(_Strict):
    """What holds for every submission."""

    attempts: _Count = Field(examples=[20], description="How many different notebooks a student may hand in.")
    seed: int = Field(ge=0, lt=2**32, examples=[0], description="Every run starts from it.")
    written_answers: Literal["nothing", "blank", "certain"] = Field(
        default="blank", examples=["blank"], description="Which written answers are decided without a human."
    )


class BudgetFile(_Strict):
    """What the cells of one exercise may use together; what is not given is limited by `run_limits` alone."""

    seconds: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = Field(default=None, examples=[600])
    memory_bytes: Annotated[int, Field(gt=0)] | None = Field(
        default=None,
        examples=[1073741824],
        description="Beyond what was in memory when the exercise's first cell began.",
    )


class PartFile(_Strict):
    """One exercise or question, as the template prints it."""

    key: _Key
    kind: Literal["exercise", "short_answer", "choice"] = Field(examples=["short_answer"])
    heading: _Name = Field(examples=["Question 3"], description="How the template's heading begins.")
    title: _Name = Field(examples=["Reconstruction Loss"])
    options: dict[_Letter, _Name] = Field(
        default={}, examples=[{"A": "yes", "B": "no"}], description="Choices only: letter and text."
    )
    budget: BudgetFile | None = Field(
        default=None,
        examples=[{"seconds": 600, "memory_bytes": 1073741824}],
        description="Exercises only: time and memory of their own.",
    )


class ConceptFile(_Strict):
    """One idea that a written answer is expected to contain."""

    id: _Key = Field(examples=["q1.c1"])
    name: _Name = Field(examples=["limited capacity"])
    points: _Points
    subquestion: int | None = Field(
        default=None, ge=1, examples=[1], description="Which numbered question it answers."
    )
    statements: list[_Name] = Field(
        min_length=1, examples=[["…"]], description="Any one of them earns the concept."
    )
    misconceptions: list[_Name] = Field(default=[], examples=[["…"]], description="They earn nothing.")


class ItemFile(_Strict):
    """One line of the grade."""

    key: _Key = Field(examples=["ex1.latent_8"])
    part: _Key = Field(examples=["ex1"])
    title: _Name
    points: _Points


class RubricFile(_Strict):
    """The rubric of one assignment."""

    id: str = Field(pattern=_ID, examples=["homework_05"])
    title: _Name = Field(examples=["Week 5, Autoencoders"])
    dataset: DatasetName = Field(examples=["mnist"])
    latent_dims: list[_Count] = Field(min_length=1, examples=[[2, 8, 32, 128]])
    policy: PolicyFile
    upload_limits: UploadLimitsFile
    run_limits: RunLimitsFile
    parts: list[PartFile] = Field(min_length=1)
    items: list[Any] = Field(min_length=1)


@cache
def rubric_model() -> type[RubricFile]:
    """`RubricFile` whose items know the settings of each check in the registry."""
    items = reduce(or_, (item_model(check) for check in CHECKS))
    known = Annotated[items, Field(discriminator="check")]  # type: ignore[valid-type]  # made from the registry
    return create_model("Rubric", __base__=RubricFile, items=(list[known], Field(min_length=1)))


def rubric_json_schema() -> dict[str, Any]:
    """The JSON Schema of rubric files, for editors."""
    schema = rubric_model().model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


@cache
def item_model(check: str) -> type[BaseModel]:
    """An item that is judged by this check."""
    described: dict[str, Any] = {"check": (Literal[check], Field(examples=[check]))}
    params = _params_model(check)
    if params.model_fields:
        described["params"] = (params, Field())
    if check in TAKES_CONCEPTS:
        described["concepts"] = (list[ConceptFile], Field(default=[]))
    return create_model(f"Item_{check}", __base__=ItemFile, **described)


def _params_model(check: str) -> type[BaseModel]:
    """A check's settings dataclass as a model: the field's metadata are its bounds."""
    parameters = PARAMETERS[check]
    hints = get_type_hints(parameters)
    described: dict[str, Any] = {}
    for field in fields(parameters):
        default = {} if field.default is MISSING else {"default": field.default}
        described[field.name] = _number_or_word(hints[field.name], default, dict(field.metadata))
    return create_model(f"Params_{check}", __base__=_Strict, **described)


def _number_or_word(hint: Any, default: dict[str, Any], metadata: dict[str, Any]) -> tuple[Any, Any]:
    """The field of a model. Bounds are the number's alone where a word may stand in its place."""
    number, *words = get_args(hint) if get_origin(hint) in (UnionType, Union) else (hint,)
    if not words or words == [NoneType]:
        return hint, Field(**default, **metadata)
    told = {name: metadata.pop(name) for name in ("examples", "description") if name in metadata}
    as_number: Any = Annotated[number, Field(**metadata), Tag(NUMBER)]
    as_word: Any = Annotated[words[0], Tag(WORD)]  # a Literal
    return Annotated[as_number | as_word, Discriminator(_which)], Field(**default, **told)


def _which(value: object) -> str:
    return WORD if isinstance(value, str) else NUMBER
