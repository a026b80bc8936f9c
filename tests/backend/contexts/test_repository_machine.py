"""A repository as a state machine: random deeds through the SDK, each checked; and the same stories everywhere."""

from itertools import count
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from commontrace import AsyncClient, Client, connect_async
from deeds import DEEDS, OPENING, settled
from stories import Story

STEPS = 14
NAMES = list(DEEDS)


def machine(client: Client, numbers: "count[int]") -> type[RuleBasedStateMachine]:
    """A machine whose every run works on a repository of its own."""

    class Repository(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.story = Story(client, f"machine-{next(numbers)}", Random(0))

        @initialize(random=st.randoms(use_true_random=False))
        def begin(self, random: Random) -> None:
            for name in OPENING:
                self.do(name, random)

        @rule(name=st.sampled_from(NAMES), random=st.randoms(use_true_random=False))
        def do(self, name: str, random: Random) -> None:
            self.story.random = random
            settled(self.story.step(name))

        def teardown(self) -> None:
            settled(self.story.end())

    return Repository


def test_whatever_is_done_windows_are_valid_histories_stay_and_undo_takes_back(blocking: Client) -> None:
    run_state_machine_as_test(
        machine(blocking, count()),
        settings=settings(
            max_examples=10, stateful_step_count=STEPS, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )


async def told(client: Client | AsyncClient, seed: int) -> list[str]:
    """What a story of this number tells, checked on the way."""
    random = Random(seed)
    story = Story(client, f"story-{seed}", random)
    for name in [*OPENING, *random.choices(NAMES, k=STEPS)]:
        await story.step(name)
    await story.end()
    return story.told


# Not 1: it names a slot in a message, and the tokens of a random id are its own.
@pytest.mark.parametrize("seed", [0, 2])
async def test_a_story_goes_the_same_way_through_either_client_and_on_either_database(
    seed: int, blocking: Client, postgres_url: str, tmp_path: Path
) -> None:
    expected = await told(blocking, seed)
    for url in (f"sqlite:///{tmp_path / 'other.db'}", postgres_url):
        async with connect_async(url) as client:
            assert await told(client, seed) == expected
