"""Where settings come from, and which one wins."""

from pathlib import Path

import pytest

from commontrace import connect_async
from commontrace.errors import InvalidInputError
from commontrace.settings import Settings, config_file, default_url


def write(text: str) -> Path:
    path = config_file()
    path.parent.mkdir(parents=True)
    path.write_bytes(text.encode("latin-1"))
    return path


def test_without_any_settings_the_store_is_a_file_of_the_user(home: Path) -> None:
    settings = Settings.given()
    assert settings.url == default_url() == f"sqlite:///{home}/data/commontrace/commontrace.db"
    assert (settings.api_key, settings.timeout, settings.working_copy) == (None, 30.0, "")


async def test_the_default_store_is_made_where_the_user_keeps_data(home: Path) -> None:
    async with connect_async() as client:
        assert (await client.contributors.me()).name == "owner"
    assert (home / "data" / "commontrace" / "commontrace.db").exists()


def test_an_argument_beats_the_environment_which_beats_the_file(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    write('url = "https://file.example"\ntimeout = 1\nworking_copy = "file"\napi_key = "from-file"\nunknown = 1\n')
    monkeypatch.setenv("COMMONTRACE_URL", "https://env.example")
    monkeypatch.setenv("COMMONTRACE_TIMEOUT", "2")
    settings = Settings.given(url="https://argument.example", timeout=None)
    assert (settings.url, settings.timeout, settings.working_copy) == ("https://argument.example", 2.0, "file")
    assert settings.api_key is not None
    assert settings.api_key.get_secret_value() == "from-file"
    assert "from-file" not in repr(settings)


async def test_a_client_takes_what_it_was_not_given_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("COMMONTRACE_URL", f"sqlite:///{tmp_path}/env.db")
    async with connect_async() as client:
        assert client.url == f"sqlite:///{tmp_path}/env.db"
    async with connect_async(f"sqlite:///{tmp_path}/argument.db") as client:
        assert client.url == f"sqlite:///{tmp_path}/argument.db"


async def test_a_key_in_the_environment_is_for_servers_and_not_for_a_local_store(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("COMMONTRACE_API_KEY", "ct_for_a_server")
    async with connect_async(url) as client:
        assert (await client.contributors.me()).name == "owner"


@pytest.mark.parametrize("text", ["url = ", "= 3", "url = 'x'\nurl = 'y'", "\xff\xfe"])
def test_a_config_file_that_is_no_toml_is_named(text: str) -> None:
    path = write(text)
    with pytest.raises(InvalidInputError, match=r"not valid TOML.*Correct or remove it") as refused:
        Settings.given()
    assert str(path) in refused.value.detail


def test_a_config_file_that_cannot_be_read_is_not_passed_over() -> None:
    config_file().mkdir(parents=True)
    with pytest.raises(InvalidInputError, match=r"cannot be read: Is a directory.*Let this user read it"):
        Settings.given()
    config_file().rmdir()
    config_file().parent.rmdir()
    config_file().parent.write_text("")
    assert Settings.given().timeout == 30.0


@pytest.mark.parametrize(
    ("value", "said"), [("soon", "valid number"), ("-1", "greater than 0"), ("0", "greater than 0")]
)
def test_a_setting_of_the_wrong_kind_is_named_with_where_to_mend_it(
    monkeypatch: pytest.MonkeyPatch, value: str, said: str
) -> None:
    monkeypatch.setenv("COMMONTRACE_TIMEOUT", value)
    with pytest.raises(InvalidInputError, match=f"setting timeout is wrong.*{said}.*COMMONTRACE_TIMEOUT.*config.toml"):
        Settings.given()


def test_an_argument_of_the_wrong_kind_is_refused_too() -> None:
    with pytest.raises(InvalidInputError, match="setting timeout is wrong"):
        connect_async(timeout=-5)


def test_a_setting_of_the_wrong_kind_in_the_file_is_named() -> None:
    write("url = 5\n")
    with pytest.raises(InvalidInputError, match="setting url is wrong"):
        Settings.given()
