"""Who is shown beside whom: copies are, and students who work honestly from the same lecture are not."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from grader.assignments import Assignment, load_assignment
from grader.domain.evidence import Lookalike
from grader.domain.passages import Kind
from grader.domain.submission import Submission, SubmissionState
from grader.notebooks.alignment.align import align
from grader.notebooks.read import read_notebook
from grader.services.similarity.resemblance import note_resemblances, sketch_passages
from grader.storage.classes.figures import CountedAttempt
from grader.storage.classes.resemblances import Resemblance
from grader.storage.personal_data import OF_SUBMISSION
from tests.integration.parts import NOW, Parts, make_parts

REPOSITORY = Path(__file__).parents[2]
LECTURE = """
for latent_dim in latent_dims:
    model = Autoencoder(latent_dim)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for epoch in range(5):
        for images, _ in train_loader:
            images = images.view(images.size(0), -1)
            decoded, encoded = model(images)
            loss = nn.functional.mse_loss(decoded, images)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
"""
# Words of the field: honest answers share them, in every order.
WORDS = [
    "the",
    "code",
    "narrow",
    "bottleneck",
    "model",
    "must",
    "learn",
    "features",
    "structure",
    "reconstruct",
    "image",
    "pixels",
    "noise",
    "compress",
    "decoder",
    "encoder",
    "latent",
    "space",
    "similar",
    "digits",
    "labels",
    "data",
    "information",
    "important",
    "keep",
    "drop",
    "error",
    "larger",
]


@pytest.fixture(scope="module")
def assignment() -> Assignment:
    return load_assignment(REPOSITORY, "homework_05")


@pytest.fixture
def parts(tmp_path: Path) -> Parts:
    return make_parts(tmp_path)


def write_notebook(assignment: Assignment, chance: random.Random, loop: str = LECTURE) -> bytes:
    """A student's own: the template, the lecture's loop with a change or two, own plots and own words."""
    document = json.loads(assignment.template)
    for old, choices in (("range(5)", ("range(3)", "range(5)")), ("1e-3", ("1e-3", "3e-3"))):
        loop = loop.replace(old, chance.choice(choices))
    name, size = chance.choice(("fig", "plot", "picture", "panel")), chance.randrange(4, 12)
    own = [
        f"{name}_{number} = {chance.choice(('plt.plot', 'plt.bar', 'print'))}"
        f"({chance.choice(('losses', 'errors', 'scores'))}[{chance.randrange(90)}], {chance.random():.3f})"
        for number in range(size)
    ]
    for cell in document["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "code" and "class Autoencoder" in source:
            cell["source"] = source + loop + "\n".join(own)
        elif "[Write your answer here" in source:
            head = source.partition("[Write your answer here")[0]
            cell["source"] = head + " ".join(chance.choices(WORDS, k=30)) + "."
    return json.dumps(document).encode()


def disguise(data: bytes) -> bytes:
    """A copy with other comments, spaces and a few other words."""
    text = data.decode().replace("for latent_dim in", "# my loop\\nfor latent_dim  in")
    return text.replace("bottleneck", "neck", 2).encode()


def note(parts: Parts, assignment: Assignment, user: str, data: bytes, attempt: int = 1) -> str:
    """Hand in and note what it has in common with others."""
    limits = assignment.rubric.upload_limits
    notebook, template = read_notebook(data, limits), read_notebook(assignment.template, limits)
    alignment = align(notebook, template, assignment.rubric.parts)
    submission_id = f"{random.Random(f'{user} {attempt}').getrandbits(128):032x}"
    sha256 = f"{random.Random(submission_id).getrandbits(256):064x}"
    place = ("ml2", "homework_05")
    own = Submission(submission_id, *place, user, attempt, sha256, "hw.ipynb", NOW, SubmissionState.GRADED, 1)
    with parts.database.write() as unit:
        unit.submissions.add(own, NOW)
        unit.class_figures.count([CountedAttempt(*place, user, own.id, 0, 0, 0, 0, "", b"", "", "", "", b"")])
        note_resemblances(unit, own, sketch_passages(own, notebook, template, alignment), ())
        unit.commit()
    return own.id


def pairs(parts: Parts) -> list[Resemblance]:
    with parts.database.read() as unit:
        return unit.resemblances.pairs("ml2", "homework_05", None, 1000)


@pytest.mark.parametrize("students", [3, 12, 40])
def test_honest_students_with_the_same_loop_are_not_shown(
    parts: Parts, assignment: Assignment, students: int
) -> None:
    for number in range(students):
        note(parts, assignment, f"student{number}", write_notebook(assignment, random.Random(number)))
    assert pairs(parts) == []


@pytest.mark.parametrize("students", [6, 40])
def test_a_disguised_copy_is_shown_beside_its_source(
    parts: Parts, assignment: Assignment, students: int
) -> None:
    source = write_notebook(assignment, random.Random(1))
    ids = [note(parts, assignment, "ada", source)]
    for number in range(2, students):
        note(parts, assignment, f"student{number}", write_notebook(assignment, random.Random(number)))
    ids.append(note(parts, assignment, "ben", disguise(source)))
    found = pairs(parts)
    assert {one.kind for one in found} == {Kind.TEXT, Kind.CODE}
    assert all({one.submission_id, one.other_id} == set(ids) for one in found)


def test_a_students_own_attempts_are_not_held_against_each_other(
    parts: Parts, assignment: Assignment
) -> None:
    data = write_notebook(assignment, random.Random(1))
    note(parts, assignment, "ada", data)
    note(parts, assignment, "ada", disguise(data), attempt=2)
    assert pairs(parts) == []


def test_the_untouched_template_is_nobodys(parts: Parts, assignment: Assignment) -> None:
    for user in ("ada", "ben", "carl"):
        note(parts, assignment, user, assignment.template)
    assert pairs(parts) == []


def test_what_becomes_usual_speaks_for_no_pair_any_longer(parts: Parts, assignment: Assignment) -> None:
    """Two have a loop of their own; then it turns out that the whole class was taught it."""
    rare = LECTURE.replace("images", "batch").replace("optimizer", "adam").replace("loss", "mse")

    def hand_in(number: int) -> None:
        document = json.loads(assignment.template)
        document["cells"].append({"cell_type": "code", "metadata": {}, "outputs": [], "source": rare})
        document["cells"][-1]["execution_count"] = None
        note(parts, assignment, f"student{number}", json.dumps(document).encode())

    hand_in(0)
    hand_in(1)
    assert [one.kind for one in pairs(parts)] == [Kind.CODE]
    hand_in(2)
    assert pairs(parts) == []


def test_weights_that_were_found_again_are_a_pair_too(parts: Parts, assignment: Assignment) -> None:
    other = note(parts, assignment, "ada", write_notebook(assignment, random.Random(1)))
    mine = note(parts, assignment, "ben", write_notebook(assignment, random.Random(2)))
    with parts.database.write() as unit:
        own = unit.connection.exec_driver_sql(
            "SELECT user_id FROM submission WHERE id = ?", (mine,)
        ).scalar_one()
        again = Submission(mine, "ml2", "homework_05", own, 1, "", "hw.ipynb", NOW, SubmissionState.GRADED, 1)
        note_resemblances(unit, again, {}, [Lookalike("b" * 64, other, 0.9999)])
        unit.commit()
    assert [(one.kind, one.share) for one in pairs(parts)] == [(Kind.WEIGHTS, 0.9999)]


@pytest.mark.parametrize("which", [0, 1])
def test_an_erased_submission_takes_its_pairs_along(parts: Parts, assignment: Assignment, which: int) -> None:
    data = write_notebook(assignment, random.Random(1))
    ids = sorted((note(parts, assignment, "ada", data), note(parts, assignment, "ben", disguise(data))))
    assert pairs(parts)
    with parts.database.write() as unit:
        unit.personal_data.allow([ids[which]], "asked for", "admin", NOW)
        unit.personal_data.delete(OF_SUBMISSION, [ids[which]])
        unit.commit()
    assert pairs(parts) == []
    with parts.database.read() as unit:
        assert unit.class_figures.students("ml2", "homework_05", 9) == 1
