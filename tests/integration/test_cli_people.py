"""The first admin, and what else is typed on the machine itself."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from grader.cli.main import app as commands
from grader.cli.people import tell_first_admin
from grader.errors import NotFound, RequestRefused
from grader.services.people.administration import has_admin
from grader.storage import Database, make_engine
from grader.web import Deps, create_app
from tests.integration.page_requests import Browser
from tests.integration.parts import make_database, make_parts


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GRADER_HOME", str(tmp_path))
    monkeypatch.delenv("GRADER_DATABASE", raising=False)
    monkeypatch.setenv("COLUMNS", "200")
    make_database(tmp_path).dispose()
    return tmp_path


def _type(*words: str) -> str:
    result = CliRunner().invoke(commands, words)
    if result.exception:
        raise result.exception
    return result.stdout


def _path(printed: str) -> str:
    found = re.search(r"http://127\.0\.0\.1:8000(/invite/\S+)", printed)
    assert found, printed
    return found[1]


def _browser(home: Path) -> Browser:
    parts = make_parts(home)
    return Browser(create_app(Deps(parts.database, parts.blobs, parts.jobs, parts.assignments)))


def test_the_first_admin_chooses_their_password_by_a_link(home: Path) -> None:
    database = Database(make_engine(f"sqlite:///{home / 'grader.db'}"))
    assert "grader user add-admin LOGIN" in tell_first_admin(database)
    path = _path(_type("user", "add-admin", "Root", "--name", "The Root", "--email", "root@example.org"))
    assert not has_admin(database)
    assert "the link of root waits to be used" in tell_first_admin(database)
    browser = _browser(home)
    assert browser.client.post(path, data={"password": "long enough for me"}).status_code == 303
    assert browser.get("/admin").status_code == 200
    assert has_admin(database)
    assert tell_first_admin(database) == ""
    assert re.search(r"root +root +The Root +root@example.org +admin", _type("user", "list"))


def test_adding_an_admin_again_makes_a_new_link_and_no_second_account(home: Path) -> None:
    older, newer = (_path(_type("user", "add-admin", "root")) for _ in range(2))
    browser = _browser(home)
    assert [browser.get(path).status_code for path in (older, newer)] == [404, 200]
    assert browser.get(_path(_type("user", "invite", "root"))).status_code == 200
    assert browser.get(newer).status_code == 404


def test_accounts_are_disabled_and_enabled_by_their_login() -> None:
    _type("user", "add-admin", "one")
    with pytest.raises(RequestRefused, match="only admin"):
        _type("user", "disable", "one")
    with pytest.raises(NotFound, match="grader user list"):
        _type("user", "disable", "nobody")
    assert "one is enabled" in _type("user", "enable", "ONE")


def test_a_login_that_cannot_be_one_is_refused() -> None:
    with pytest.raises(RequestRefused, match="a b"):
        _type("user", "add-admin", "a b")


def test_courses_are_made_and_listed() -> None:
    _type("course", "add", "ml2", "--title", "Machine Learning")
    assert re.search(r"ml2 +Machine Learning +0", _type("course", "list"))
    with pytest.raises(RequestRefused, match="there already"):
        _type("course", "add", "ml2")


def test_people_and_keys_are_listed_apart() -> None:
    _type("user", "create-key", "an lms", "--every-course")
    assert "an lms" in _type("user", "keys")
    assert "an lms" not in _type("user", "list")
