"""Passwords and keys that are wrong too often: what waits, and who does not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from grader.cli.processes import make_server_config
from grader.cli.settings import Settings
from grader.domain.people import Role
from grader.errors import SetupIncomplete
from grader.services.people import throttle
from grader.services.people.throttle import PASSWORD, Limit
from grader.web import Deps, create_app
from tests.integration.page_requests import PASSWORD as RIGHT
from tests.integration.page_requests import add_person
from tests.integration.parts import Parts, make_parts
from tests.integration.web_requests import problem


class Clock:
    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now

    def wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def parts(tmp_path: Path) -> Parts:
    parts = make_parts(tmp_path)
    add_person(parts, "ada", Role.STUDENT)
    add_person(parts, "ben", Role.STUDENT)
    return parts


@pytest.fixture
def app(parts: Parts, clock: Clock) -> FastAPI:
    return create_app(Deps(parts.database, parts.blobs, parts.jobs, parts.assignments, clock=clock))


def _sign_in(app: FastAPI, login: str, password: str = "wrong", address: str = "192.0.2.1") -> httpx.Response:
    client = TestClient(app, client=(address, 1), follow_redirects=False)
    return client.post("/login", data={"login": login, "password": password})


def _use_up(app: FastAPI, login: str, address: str = "192.0.2.1") -> None:
    for _ in range(PASSWORD.free):
        assert _sign_in(app, login, address=address).status_code == 401


@pytest.mark.parametrize("login", ["ada", "nobody"])
def test_too_many_wrong_passwords_wait_and_nobody_learns_who_there_is(app: FastAPI, login: str) -> None:
    _use_up(app, login)
    answer = _sign_in(app, login)
    assert answer.status_code == 429
    assert 1 <= int(answer.headers["Retry-After"]) <= 3
    assert "Too many tries were wrong" in answer.text


def test_a_right_password_does_not_get_in_while_one_has_to_wait(app: FastAPI, clock: Clock) -> None:
    _use_up(app, "ada")
    refused = _sign_in(app, "ada", RIGHT)
    assert (refused.status_code, "set-cookie" in refused.headers) == (429, False)
    clock.wait(int(refused.headers["Retry-After"]))
    assert _sign_in(app, "ada", RIGHT).status_code == 303


def test_the_wait_grows_up_to_a_quarter_of_an_hour() -> None:
    waits = [PASSWORD.wait(tries) for tries in range(40)]
    assert waits[: PASSWORD.free] == [0] * PASSWORD.free
    assert waits == sorted(waits)
    assert (waits[5], waits[6], waits[-1]) == (2, 4, 900)
    assert Limit(5, 1, 900).wait(10**9) == 900


def test_who_is_refused_does_not_wait_longer_for_asking_again(app: FastAPI, clock: Clock) -> None:
    _use_up(app, "ada")
    for _ in range(20):
        assert _sign_in(app, "ada").status_code == 429
    clock.wait(3)
    assert _sign_in(app, "ada", RIGHT).status_code == 303


def test_nobody_is_locked_out_from_elsewhere(app: FastAPI) -> None:
    _use_up(app, "ada", "192.0.2.66")
    assert _sign_in(app, "ada", address="192.0.2.66").status_code == 429
    assert _sign_in(app, "ada", RIGHT, "192.0.2.1").status_code == 303
    assert _sign_in(app, "ben", RIGHT, "192.0.2.66").status_code == 303


def test_the_addresses_of_one_ipv6_network_count_as_one(app: FastAPI) -> None:
    for host in range(PASSWORD.free):
        assert _sign_in(app, "ada", address=f"2001:db8::{host + 1:x}").status_code == 401
    assert _sign_in(app, "ada", address="2001:db8::ffff").status_code == 429
    assert _sign_in(app, "ada", address="2001:db8:0:1::1").status_code == 401


def test_an_address_that_tries_many_names_waits_for_all_of_them(
    app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(throttle, "ADDRESS", Limit(3, 1, 60))
    for name in ("a", "b", "c"):
        assert _sign_in(app, name).status_code == 401
    assert _sign_in(app, "ada", RIGHT).status_code == 429


def test_a_right_password_forgives_the_wrong_ones_before(app: FastAPI) -> None:
    for _ in range(4):
        for _ in range(PASSWORD.free - 1):
            assert _sign_in(app, "ada").status_code == 401
        assert _sign_in(app, "ada", RIGHT).status_code == 303


def test_another_web_process_counts_on(app: FastAPI, parts: Parts, clock: Clock) -> None:
    _use_up(app, "ada")
    other = create_app(Deps(parts.database, parts.blobs, parts.jobs, parts.assignments, clock=clock))
    assert _sign_in(other, "ada").status_code == 429


def test_what_is_kept_is_bounded_by_time_and_number_and_names_nobody(
    app: FastAPI, parts: Parts, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    _sign_in(app, "my secret, in the wrong field")
    assert "secret" not in (parts.home / "grader.db-wal").read_bytes().decode("latin-1")
    clock.wait(3601)
    _sign_in(app, "ada")
    assert parts.count("login_failure") == 1
    monkeypatch.setattr(throttle, "_MOST_KEPT", 3)
    for host in range(9):
        _sign_in(app, "ada", address=f"192.0.2.{host}")
    assert parts.count("login_failure") == 3


def test_wrong_keys_wait_and_right_ones_never(client: TestClient, clock: Clock) -> None:
    wrong = {"Authorization": "Bearer nonsense"}
    codes = [client.get("/api/v1/submissions/x", headers=wrong).status_code for _ in range(30)]
    assert codes == [401] * throttle.KEY.free + [429] * (30 - throttle.KEY.free)
    answer = client.get("/api/v1/submissions/x", headers=wrong)
    problem(answer, 429, "too-many-tries")
    assert int(answer.headers["Retry-After"]) >= 1
    assert client.get("/api/v1/submissions/x").status_code == 404
    clock.wait(10)
    assert client.get("/api/v1/submissions/x", headers=wrong).status_code == 401


def test_without_a_trusted_proxy_its_headers_are_the_clients_own_words(app: FastAPI) -> None:
    answer = _behind(app, "", "127.0.0.1")
    assert "secure" not in answer.headers["Set-Cookie"].lower()
    assert _behind(app, "10.0.0.9", "10.0.0.8").headers["Set-Cookie"].startswith("grader_session=")


def test_behind_a_trusted_proxy_cookies_are_secure_and_addresses_the_clients(app: FastAPI) -> None:
    cookie = _behind(app, "10.0.0.0/8", "10.0.0.9").headers["Set-Cookie"]
    assert cookie.startswith("__Host-grader_session=")
    assert "secure" in cookie.lower()
    for _ in range(PASSWORD.free):
        assert _behind(app, "10.0.0.9", "10.0.0.9", "wrong", "192.0.2.66").status_code == 401
    assert _behind(app, "10.0.0.9", "10.0.0.9", RIGHT, "192.0.2.66").status_code == 429
    assert _behind(app, "10.0.0.9", "10.0.0.9", RIGHT, "192.0.2.1").status_code == 303


def _behind(
    app: FastAPI, trusted: str, proxy: str, password: str = RIGHT, client: str = "192.0.2.1"
) -> httpx.Response:
    config = make_server_config(Settings(trusted_proxy=trusted), app)
    config.load()
    browser = TestClient(config.loaded_app, client=(proxy, 1), follow_redirects=False)
    headers = {"X-Forwarded-For": client, "X-Forwarded-Proto": "https"}
    return browser.post("/login", data={"login": "ada", "password": password}, headers=headers)


def test_addresses_of_pages_are_in_no_log(app: FastAPI) -> None:
    assert make_server_config(Settings(), app).access_log is False


def test_a_proxy_that_is_no_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from grader.cli.settings import read_settings

    monkeypatch.setenv("GRADER_TRUSTED_PROXY", "10.0.0.9, example.org")
    with pytest.raises(SetupIncomplete, match="GRADER_TRUSTED_PROXY"):
        read_settings()
