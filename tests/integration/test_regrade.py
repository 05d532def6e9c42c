"""A class is judged again: what was previewed happens, once, and nothing that a human said changes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest

from grader.assignments import Edit
from grader.checks.judge import judge
from grader.domain.offering import Offering
from grader.errors import Overtaken
from grader.services.grades.class_standing import settle_class
from grader.services.grades.report import read_report
from grader.services.regrade import pool, preview, publish, regrade
from grader.services.regrade.stale import BATCH
from grader.storage import Database, make_engine
from grader.storage.codec import dump
from tests.integration.parts import NOW
from tests.integration.regrade_parts import HOMEWORK, LOWER, OTHER_POINTS, REWORDED, Class, make_class


@pytest.fixture
def graded(tmp_path: Path) -> Class:
    return make_class(tmp_path)


@pytest.mark.parametrize("edits", [LOWER, OTHER_POINTS, REWORDED], ids=["thresholds", "points", "words"])
def test_what_a_preview_shows_is_what_publishing_does(graded: Class, edits: tuple[Edit, ...]) -> None:
    first, second, *_ = graded.ids()
    with graded.database.write() as unit:
        late = Offering(due_at=unit.submissions.find_all([first])[0].submission.submitted_at - timedelta(1))
        unit.offerings.put(
            "ml2", HOMEWORK, Offering(late.is_open, due_at=late.due_at, late_percent_per_day=7), NOW
        )
        settle_class(unit, "ml2", HOMEWORK)
        unit.commit()
    graded.override(first, "q1", 3.0)
    graded.override(second, "ex1.latent_8", 9.0)
    asked = graded.catalog.parse(HOMEWORK, graded.edited(*edits))
    before, marks_before = graded.standings(), graded.marks()

    shown = preview(graded.database, asked, limit=500)
    done = regrade(graded.database, asked, NOW)

    after, marks_after = graded.standings(), graded.marks()
    told = {change.submission_id: change for change in shown.changes}
    for one in graded.ids():
        now = after[one]
        differs = (before[one].final, before[one].waiting) != (now.final, now.waiting)
        assert differs is (one in told)
        if differs:
            was = told[one]
            assert (was.before, was.after) == (before[one].final, now.final)
            assert (was.waiting_before, was.waiting_after) == (before[one].waiting, now.waiting)
            assert (was.maximum_before, was.maximum_after) == (before[one].maximum, now.maximum)
    assert (shown.judged, shown.untouched) == (len(done.changed) + len(done.confirmed), 0)
    assert shown.differences.total == pytest.approx(
        sum(after[one].final - before[one].final for one in after), abs=0.005 * len(after)
    )
    for item in shown.items:
        pairs = [
            (next(m.points for m in marks_before[one] if m.item == item.key), m.points)
            for one in graded.ids()
            for m in marks_after[one]
            if m.item == item.key
        ]
        assert item.differences.rises == sum(new > old for old, new in pairs)
        assert item.differences.falls == sum(new < old for old, new in pairs)
        assert item.differences.total == pytest.approx(sum(new - old for old, new in pairs))
    assert shown.decided == 2


def test_a_preview_warns_of_marks_that_people_gave_to_an_item_that_changes(graded: Class) -> None:
    first, second, *_ = graded.ids()
    graded.override(first, "q1", 4.0)
    graded.override(second, "q1", 2.0)
    graded.override(first, "q2", 4.0)
    text = graded.edited(*OTHER_POINTS).replace("key: q2\n    part", "key: q2.new\n    part")
    warnings = preview(graded.database, graded.catalog.parse(HOMEWORK, text)).warnings
    assert [warning for warning in warnings if "people change them: 2" in warning]
    assert [warning for warning in warnings if warning.startswith("q2 is gone, and with it")]
    assert preview(graded.database, graded.catalog.parse(HOMEWORK, graded.edited(*LOWER))).warnings == ()


def test_changes_are_shown_a_page_at_a_time_and_the_largest_first(graded: Class) -> None:
    asked = graded.catalog.parse(HOMEWORK, graded.edited(*LOWER, *OTHER_POINTS))
    whole = preview(graded.database, asked)
    sizes = [abs(change.difference) for change in whole.changes]
    assert whole.changed == len(sizes) > 4
    assert sizes == sorted(sizes, reverse=True)
    page = preview(graded.database, asked, limit=2, offset=2)
    assert page.changes == whole.changes[2:4]
    assert page.changed == whole.changed
    assert preview(graded.database, asked, course="other").judged == 0


def test_a_preview_writes_nothing(graded: Class) -> None:
    before = graded.dump()
    assert preview(graded.database, graded.catalog.parse(HOMEWORK, graded.edited(*LOWER))).judged == 12
    assert graded.dump() == before


def test_a_regrade_appends_once_and_keeps_what_humans_decided(graded: Class) -> None:
    first, *_ = graded.ids()
    graded.override(first, "q3.choice", 0.5)
    asked = graded.catalog.parse(HOMEWORK, graded.edited(*OTHER_POINTS))
    done = regrade(graded.database, asked, NOW)
    assert len(done.changed) == 12
    again = graded.dump()
    assert len(regrade(graded.database, asked, NOW).untouched) == 12
    assert graded.dump() == again
    assert graded.count("grade") == 24
    report = read_report(graded.database, first)
    assert report.grade is not None
    item = next(item for item in report.grade.grade.items if item.key == "q3.choice")
    assert (item.points, item.state.value) == (0.5, "reviewed")


@pytest.mark.parametrize("edits", [LOWER, OTHER_POINTS, REWORDED], ids=["thresholds", "points", "words"])
def test_a_regrade_gives_the_bytes_that_judging_afresh_gives(graded: Class, edits: tuple[Edit, ...]) -> None:
    asked = graded.catalog.parse(HOMEWORK, graded.edited(*edits))
    regrade(graded.database, asked, NOW)
    with graded.database.read() as unit:
        for one in graded.ids():
            seen, stored = unit.evidence.newest(one), unit.grades.newest(one)
            assert seen is not None
            assert stored is not None
            fresh = judge(asked.rubric, seen.evidence)
            assert dump(stored.grade) == dump(fresh)


def test_what_was_looked_at_before_the_last_change_is_not_published(graded: Class) -> None:
    asked = graded.catalog.parse(HOMEWORK, graded.edited(*LOWER))
    token = preview(graded.database, asked).token
    other = graded.catalog.parse(HOMEWORK, graded.edited(*OTHER_POINTS))
    with pytest.raises(Overtaken, match="rubric"):
        publish(graded.database, other, token, NOW)
    regrade(graded.database, other, NOW, only=graded.ids()[:1])
    with pytest.raises(Overtaken, match="grades"):
        publish(graded.database, asked, token, NOW)
    assert graded.count("grade") == 13
    assert publish(graded.database, asked, preview(graded.database, asked).token, NOW).untouched == ()


def test_two_regrades_at_once_append_one_grade_each(graded: Class) -> None:
    asked = graded.catalog.parse(HOMEWORK, graded.edited(*LOWER))
    done = []
    turns = [
        threading.Thread(target=lambda: done.append(regrade(graded.database, asked, NOW))) for _ in range(3)
    ]
    for turn in turns:
        turn.start()
    for turn in turns:
        turn.join()
    assert graded.count("grade") == 24
    assert sorted(one for each in done for one in (*each.changed, *each.confirmed)) == graded.ids()


def test_all_cores_judge_as_one_does(graded: Class, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = graded.catalog.parse(HOMEWORK, graded.edited(*LOWER))
    alone = preview(graded.database, asked)
    monkeypatch.setattr(pool, "FEW", 0)
    assert preview(graded.database, asked) == alone


REGRADE = """
import sys
from pathlib import Path
from grader.services.regrade import pool, regrade, stale
from tests.integration.parts import NOW
from tests.integration.regrade_parts import HOMEWORK, LOWER
from grader.assignments import apply_edits, parse_rubric, read_rubric
from grader.storage import Database
from grader.storage import make_engine

if __name__ == "__main__":
    pool.FEW = 0
    content = Path(sys.argv[1])
    text = apply_edits(read_rubric(content, HOMEWORK).decode(), LOWER)
    asked = parse_rubric(content, HOMEWORK, text.encode())
    regrade(Database(make_engine(sys.argv[2])), asked, NOW)
"""


def test_a_regrade_that_is_killed_leaves_whole_batches_and_no_process(
    tmp_path: Path, repository: Path
) -> None:
    count = 8 * BATCH
    graded = make_class(tmp_path, count, alike=count)
    script = tmp_path / "again.py"
    script.write_text(REGRADE)
    command = [sys.executable, str(script), str(graded.content), str(graded.database.engine.url)]
    environment = os.environ | {"PYTHONPATH": str(repository)}
    with subprocess.Popen(command, env=environment, cwd=repository, start_new_session=True) as process:
        deadline = time.monotonic() + 60
        while graded.count("grade") == count and time.monotonic() < deadline:
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
    appended = graded.count("grade") - count
    assert 0 < appended < count
    assert appended % BATCH == 0
    assert {s.grade_id for s in graded.standings().values()} == _newest(graded.database)
    deadline = time.monotonic() + 30
    while _lives(process.pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _lives(process.pid)
    asked = graded.catalog.parse(HOMEWORK, graded.edited(*LOWER))
    done = regrade(Database(make_engine(str(graded.database.engine.url))), asked, NOW)
    assert (len(done.untouched), len(done.changed) + len(done.confirmed)) == (appended, count - appended)


def _newest(database: Database) -> set[int]:
    with database.read() as unit:
        return {head.grade_id for head in unit.grades.heads(HOMEWORK)}


def _lives(session: int) -> bool:
    """Whether any process of this session is still there."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            state, _, _, owner = (folder / "stat").read_text().rsplit(")", 1)[1].split()[:4]
        except (OSError, ValueError):
            continue
        if int(owner) == session and state != "Z":
            return True
    return False


def test_the_command_previews_and_then_does(graded: Class, repository: Path) -> None:
    graded.rubric_file.write_text(graded.edited(*LOWER))
    settings = {
        "GRADER_CONTENT": str(graded.content),
        "GRADER_HOME": str(graded.folder / "home"),
        "GRADER_DATABASE": str(graded.database.engine.url),
    }

    def run(*words: str) -> str:
        command = [sys.executable, "-m", "grader", *words]
        return subprocess.check_output(command, env=os.environ | settings, cwd=repository, text=True)

    shown = run("regrade", HOMEWORK, "--preview")
    assert "12 submissions would be judged again" in shown
    assert "ex1.latent_8" in shown
    assert graded.count("grade") == 12
    assert "0 untouched, 0 failed" in run("regrade", HOMEWORK)
    assert graded.count("grade") == 24
    assert "0 submissions would be judged again" in run("regrade", HOMEWORK, "--preview")
    assert run("rubric", "export", HOMEWORK) == graded.rubric_file.read_text()


def test_each_batch_is_in_the_audit_log(graded: Class) -> None:
    asked = graded.catalog.parse(HOMEWORK, graded.edited(*LOWER))
    regrade(graded.database, asked, NOW, actor="grace")
    with graded.database.read() as unit:
        (entry,) = unit.audit.page(course="ml2")
    assert (entry.actor, entry.action, entry.subject) == ("grace", "grade.regrade", HOMEWORK)
    assert json.loads(json.dumps(entry.details)) == {"rubric": asked.rubric.sha256, "submissions": 12}
