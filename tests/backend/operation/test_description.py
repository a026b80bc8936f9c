"""The OpenAPI description: true, whole, of names that stay, and readable without asking anybody else."""

import re
from pathlib import Path
from typing import Any, Final, cast

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case
from schemathesis.core.result import Ok
from schemathesis.python.asgi import get_client
from schemathesis.specs.openapi.checks import positive_data_acceptance

from commontrace import connect
from commontrace.models.contexts import NewCommit
from commontrace_backend.app import create_app
from commontrace_backend.settings import BackendSettings

EXAMPLES: Final = 1
# What a schema cannot say (a text that helps nobody, a NUL, a bundle of nothing) is refused with 422 as well.
BEYOND_SCHEMAS: Final[list[Any]] = [positive_data_acceptance]
ENDS_KEYS: Final = re.compile("/keys")


@pytest.fixture
def described(store: Path) -> FastAPI:
    """The application on a store with a context."""
    with connect(f"sqlite:///{store}") as owner:
        owner.contexts.open("seed").store(NewCommit(messages=[{"role": "user", "content": "hello"}], message="first"))
    return create_app(BackendSettings(database_url=f"sqlite:///{store}", local_owner=True))


def probe(app: FastAPI, headers: dict[str, str], *, but: re.Pattern[str]) -> int:
    """Send what the description allows and what it does not, to every operation; returns how many were asked."""
    asked = 0
    with get_client(cast("Any", app)) as session:
        for found in schemathesis.openapi.from_asgi("/openapi.json", app).get_all_operations():
            assert isinstance(found, Ok)
            operation = found.ok()
            if but.search(operation.path) or operation.path.endswith("/bundle"):
                continue
            asked += 1

            @settings(
                max_examples=EXAMPLES,
                derandomize=True,
                database=None,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            )
            @given(case=operation.as_strategy())
            def one(case: Case[Any]) -> None:
                if case.meta and case.meta.generation.mode.is_positive and "repository" in case.path_parameters:
                    case.path_parameters["repository"] = "seed"  # a context that there is
                case.call_and_validate(session=session, headers=headers, excluded_checks=BEYOND_SCHEMAS)

            one()
    return asked


def test_the_owner_finds_every_operation_as_it_is_described(described: FastAPI) -> None:
    assert probe(described, {}, but=ENDS_KEYS) > 80
