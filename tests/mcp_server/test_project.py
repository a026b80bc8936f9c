"""The folder one works in: its repository and its working copy."""

from pathlib import Path

import pytest

from commontrace.project import default_repository, top_level, working_copy


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A git checkout with a folder inside."""
    place = tmp_path / "My Project!"
    (place / ".git").mkdir(parents=True)
    (place / "src" / "deep").mkdir(parents=True)
    return place


def test_a_checkout_gives_its_name_from_any_folder_in_it(checkout: Path) -> None:
    assert default_repository(checkout) == default_repository(checkout / "src" / "deep") == "my-project"
    assert top_level(checkout / "src" / "deep") == checkout


def test_outside_a_checkout_the_repository_is_the_default_one(tmp_path: Path) -> None:
    assert default_repository(tmp_path) == "default"
    assert top_level(tmp_path) == tmp_path


def test_a_file_in_the_project_names_the_repository(checkout: Path) -> None:
    (checkout / ".commontrace.toml").write_text('repository = "team/shared"\n')
    assert default_repository(checkout / "src") == "team/shared"


def test_the_nearest_file_wins_over_the_checkout_around_it(checkout: Path) -> None:
    (checkout / "src" / ".commontrace.toml").write_text('repository = "inner"\n')
    assert default_repository(checkout / "src" / "deep") == "inner"
    assert default_repository(checkout) == "my-project"


@pytest.mark.parametrize("text", ["repository = ", "repository = 5", 'repository = ""', "other = 1", "\xff"])
def test_a_file_that_names_nothing_is_passed_over(checkout: Path, text: str) -> None:
    (checkout / ".commontrace.toml").write_bytes(text.encode("latin-1"))
    assert default_repository(checkout) == "my-project"


def test_a_folder_without_a_letter_in_its_name_is_the_default(tmp_path: Path) -> None:
    place = tmp_path / "日本"
    (place / ".git").mkdir(parents=True)
    assert default_repository(place) == "default"


def test_a_working_copy_is_one_per_checkout_and_tells_no_path(checkout: Path, tmp_path: Path) -> None:
    name = working_copy(checkout)
    assert name == working_copy(checkout / "src" / "deep") != working_copy(tmp_path)
    assert name.startswith("dir:")
    assert "project" not in name.lower()
    assert len(name) == 20
