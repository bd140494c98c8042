"""The story that the demo tells: right on every database, and wrong when anything is wrong."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from callhelm_threecx import create_app
from callhelm_threecx.app import ThreeCXApp
from callhelm_threecx.demo import server, show, story
from callhelm_threecx.services.integrations import Change
from callhelm_threecx.stores.memory import MemoryContactStore
from tests.client import ADMIN_KEY, SECRET_KEY

BASE_URL = "http://pbx.example.test"


def build(database_url: str, **others: Any) -> ThreeCXApp:
    return create_app(
        database_url=database_url,
        secret_keys=SECRET_KEY,
        admin_key=ADMIN_KEY,
        default_region="DE",
        public_url=BASE_URL,
        **others,
    )


@pytest.fixture
def app(database_url: str) -> Iterator[ThreeCXApp]:
    built = build(database_url)
    yield built
    built.services.close()


@pytest.fixture
def stage(app: ThreeCXApp) -> story.Stage:
    return story.Stage(BASE_URL, server.furnish(app.services), ADMIN_KEY, app=app)


def wrong(steps: list[story.Step]) -> list[str]:
    return [step.action for step in steps if not step.ok]


def test_every_step_does_what_it_should(stage: story.Stage) -> None:
    steps = list(story.play(stage))
    assert wrong(steps) == []
    assert len(steps) >= 30


def test_every_number_form_every_call_type_and_the_repeat_are_in_it(stage: story.Stage) -> None:
    actions = "\n".join(step.action for step in story.play(stage))
    for form in ("E.164", "without its plus", "lost in a URL", "with 00", "national", "stranger"):
        assert form in actions
    for length in (6, 7, 9, 10):
        assert f"last {length} digits" in actions
    for kind in ("Inbound", "Missed", "Outbound", "Notanswered", "again", "chat", "Search"):
        assert kind in actions


def test_a_store_without_the_contacts_is_noticed(database_url: str, stage: story.Stage) -> None:
    empty = build(database_url, store=MemoryContactStore())
    try:
        steps = list(story.play(replace(stage, app=empty)))
    finally:
        empty.services.close()
    assert any("E.164" in action for action in wrong(steps))
    assert next(step for step in steps if "E.164" in step.action).seen == story.NOBODY


def test_journaling_that_is_switched_off_is_noticed(app: ThreeCXApp, stage: story.Stage) -> None:
    off = Change(settings={"call_journaling_enabled": False})
    app.services.integrations.change(story.ORGANIZATION, off)
    refused = [step for step in story.play(stage) if "ends: Inbound" in step.action]
    assert [step.ok for step in refused] == [False]


@pytest.mark.parametrize("change", [{"api_key": "3cx_wrong"}, {"base_url": "http://other.test"}])
def test_a_template_that_is_not_the_one_is_noticed(
    stage: story.Stage, change: dict[str, str]
) -> None:
    steps = list(story.play(replace(stage, **change)))  # type: ignore[arg-type]
    assert not steps[0].ok
    assert steps[0].action == "Download the template"


def test_a_wrong_admin_key_is_noticed_at_the_statistics(stage: story.Stage) -> None:
    assert wrong(list(story.play(replace(stage, admin_key="no")))) == ["Look at the statistics"]


def test_a_server_that_is_gone_is_one_wrong_step() -> None:
    stage = story.Stage("http://127.0.0.1:1", "3cx_", "admin")
    (step,) = story.play(stage)
    assert not step.ok


def test_the_table_says_which_step_went_wrong() -> None:
    console = Console(width=100)
    with console.capture() as capture:
        console.print(
            show.table(
                [
                    story.Step("[Number] rings", "Anna", "Anna", ok=True),
                    story.Step("Search", "Anna", "[red]nobody[/]", ok=False),
                ]
            )
        )
    lines = capture.get().splitlines()
    assert any("[Number] rings" in line and " ok " in line for line in lines)
    assert any("[red]nobody[/]" in line and " failed " in line for line in lines)


def test_a_folder_that_is_not_empty_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(server.DemoError, match="is not empty"):
        server.prepare(tmp_path, 0)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_no_setting_of_the_environment_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("THREECX_DATABASE_URL", "postgresql://production/real")
    monkeypatch.setenv("THREECX_CONTACT_STORE", "nowhere")
    monkeypatch.setenv("THREECX_SECRET_KEYS", "wrong")
    stage = server.prepare(tmp_path / "demo", 0)
    assert (tmp_path / "demo" / "demo.db").exists()
    assert stage.api_key.startswith("3cx_")


def test_a_server_that_does_not_start_says_why(tmp_path: Path) -> None:
    stage = server.prepare(tmp_path, 0)
    (tmp_path / "demo.db.keys").write_text("broken")
    with (
        pytest.raises(server.DemoError, match="THREECX_SECRET_KEYS"),
        server.serving(tmp_path, stage),
    ):
        pytest.fail("It started.")
