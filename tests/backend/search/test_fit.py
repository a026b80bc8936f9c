"""How a trace's environment fits the caller's: names in every spelling, weights, reasons, and laws."""

import random
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commontrace.models.traces import Environment
from commontrace_backend.search.fit import CallerEnvironment, Fit, fit_of


def environment(**fields: object) -> Environment:
    return Environment.model_validate(fields)


def using(*packages: tuple[str, str], **fields: object) -> Environment:
    return environment(packages=[{"name": name, "versions": versions} for name, versions in packages], **fields)


@pytest.mark.parametrize(
    ("trace", "caller", "value", "reason"),
    [
        (environment(), environment(language="python"), 0, ""),
        (environment(language="python"), environment(), 0, ""),
        (environment(language="Python"), environment(language="python"), 0.5, "language Python"),
        (environment(language="rust"), environment(language="go"), -1, "for language rust, yours is go"),
        (environment(os="linux"), environment(os="macos"), -0.5, "for OS linux, yours is macos"),
        (environment(language="go", os="linux"), environment(language="go", os="linux"), 1, "OS linux; language go"),
        (using(("pydantic", ">=2.10,<2.13")), using(("pydantic", "2.12.1")), 1, "pydantic 2.12.1 fits >=2.10,<2.13"),
        (using(("pydantic", ">=2.10,<2.13")), using(("pydantic", "2.13")), -1, "pydantic 2.13 is outside >=2.10,<2.13"),
        (using(("pydantic", "<3")), using(("pydantic", "==2.13")), 1, "pydantic ==2.13 fits <3"),
        (using(("pydantic", ">=2")), using(("Pydantic", "v3.0rc1")), 1, "pydantic v3.0rc1 fits >=2"),
        (using(("react", "^18.2")), using(("react", "18.3.0")), 1, "react 18.3.0 fits ^18.2"),
        (using(("go", ">=1.20")), using(("go", "tip")), 0, ""),
        (using(("python", ">=3.11.4")), using(("python", "3.11")), 0, ""),  # cannot be told
        (using(("react", "the new one")), using(("react", "18.3.0")), 0, ""),
        (using(("a", ">=1")), using(("b", "1")), 0, ""),
        (using(("a", "")), using(("a", "1")), 0, ""),
        (using(("a", ">=1")), using(("a", "")), 0, ""),
        (environment(language=" ", os="plan 9"), environment(language="go", os="plan 9"), 0, ""),
    ],
)  # fmt: skip
def test_only_what_both_sides_name_is_compared(
    trace: Environment, caller: Environment, value: float, reason: str
) -> None:
    assert fit_of(trace, caller) == Fit(value, reason)


@pytest.mark.parametrize(
    ("theirs", "mine"),
    [
        ("py", "Python"),
        ("Python 3.12", "python3"),
        ("golang", "Go"),
        ("C++17", "cpp"),
        ("C#", "csharp"),
        ("node.js", "javascript"),
        ("Node 22", "js"),
        ("JavaScript", "typescript"),
        ("tsx", "js"),
        ("python, rust", "Rust"),
        ("JavaScript/TypeScript", "ts"),
        ("Shell Script", "bash"),
        ("brainfuck", "Brainfuck"),
    ],
)
def test_a_language_is_the_same_in_every_spelling(theirs: str, mine: str) -> None:
    assert fit_of(environment(language=theirs), environment(language=mine)).value == 0.5
    assert fit_of(environment(language=mine), environment(language=theirs)).value == 0.5


@pytest.mark.parametrize(("theirs", "mine"), [("c", "c++"), ("java", "javascript"), ("python", "typescript")])
def test_another_language_is_a_mismatch(theirs: str, mine: str) -> None:
    assert fit_of(environment(language=theirs), environment(language=mine)).value == -1


def test_typescript_is_said_to_be_close_to_javascript() -> None:
    found = fit_of(environment(language="javascript"), environment(language="typescript"))
    assert found.reason == "language javascript, close to your typescript"


@pytest.mark.parametrize(
    ("theirs", "mine", "value"),
    [
        ("darwin", "macOS 15", 0.5),
        ("OSX", "mac os x", 0.5),
        ("Ubuntu 24.04", "linux", 0.5),
        ("Debian", "alpine", 0.5),
        ("WSL2", "linux", 0.5),
        ("win32", "Windows 11", 0.5),
        ("linux, macos", "darwin", 0.5),
        ("windows", "darwin", -0.5),
        ("any", "linux", 0),
        ("linux", "TempleOS", 0),
    ],
)
def test_a_system_is_the_same_in_every_spelling(theirs: str, mine: str, value: float) -> None:
    assert fit_of(environment(os=theirs), environment(os=mine)).value == value


@pytest.mark.parametrize(
    ("language", "theirs", "mine", "same"),
    [
        ("python", "Flask_SQLAlchemy", "flask-sqlalchemy", True),
        ("python", "zope.interface", "zope-interface", True),
        ("python", "uvicorn[standard]", "uvicorn", True),
        (None, "ruamel.yaml", "ruamel_yaml", True),
        ("rust", "serde_json", "serde-json", True),
        ("rust", "serde.json", "serde-json", False),
        ("typescript", "@types/node", "@types/node", True),
        ("typescript", "@types/node", "node", False),
        ("javascript", "lodash.merge", "lodash-merge", False),
        ("javascript", "React", "react", True),
        ("go", "github.com/a/b", "github.com/a/b", True),
        ("go", "github.com/a/b", "github.com/a/b/v2", False),
        ("javascript", "Node.js", "node", True),
        ("python", "python3", "CPython", True),
    ],
)
def test_a_package_is_the_same_in_the_spellings_of_its_ecosystem(
    language: str | None, theirs: str, mine: str, same: bool
) -> None:
    trace = using((theirs, ">=1.0.0"), language=language)
    assert (fit_of(trace, using((mine, "1.2.3"))).value == 1) is same


@pytest.mark.parametrize(
    ("language", "mine", "value"), [("rust", None, 1), (None, "rust", 1), ("go", None, 1), ("python", None, -1)]
)
def test_the_language_says_how_a_bare_version_is_meant(language: str | None, mine: str | None, value: float) -> None:
    assert fit_of(using(("x", "1.2"), language=language), using(("x", "1.9.0"), language=mine)).value == value


def test_tools_and_runtimes_are_compared_by_version_and_else_by_name() -> None:
    trace = environment(tools=["uv >=0.5", "docker", "node@22"], language="python 3.12")
    caller = environment(
        tools=["uv 0.4.1", "Docker 27.1", "node 22.1.0"], packages=[{"name": "python", "versions": "3.12.4"}]
    )
    assert fit_of(trace, caller) == Fit(
        (-4 + 2 + 2 + 0.5) / 8.5,
        "uv 0.4.1 is outside >=0.5; node 22.1.0 fits 22; python 3.12.4 fits 3.12; tool docker",
    )


def test_a_package_outside_outweighs_a_language_and_a_system_that_fit_and_is_said_first() -> None:
    trace = using(("a", ">=2"), language="python", os="linux")
    found = fit_of(trace, using(("a", "1.0.0"), language="python", os="linux"))
    assert found == Fit(-2 / 6, "a 1.0.0 is outside >=2; OS linux; language python")


def test_a_long_comparison_says_the_beginning_and_counts_the_rest() -> None:
    names = [f"p{number}" for number in range(8)]
    found = fit_of(using(*((name, ">=1") for name in names)), using(*((name, "1.0.0") for name in names)))
    assert found.reason == "; ".join([*(f"p{number} 1.0.0 fits >=1" for number in range(5)), "3 more"])


def test_of_several_versions_of_one_package_the_one_that_fits_counts() -> None:
    trace = using(("syn", ">=2"))
    assert fit_of(trace, using(("syn", "1.0.9"), ("syn", "2.0.1"))) == Fit(1, "syn 2.0.1 fits >=2")
    assert fit_of(trace, using(("syn", "1.0.9"), ("syn", "0.9.1"))) == Fit(-1, "syn 0.9.1 is outside >=2")


texts = st.text(max_size=20) | st.sampled_from(["1.2.3", ">=1,<2", "^1", "1", "2.0.0", "==1.2.3", "1 - 2", "x"])
names = st.sampled_from(["a", "A", "b-c", "B_c", "@s/d", "python"])
optional = (
    st.none() | st.sampled_from(["python", "js", "ts 5", "rust", "linux", "darwin", "win32"]) | st.text(max_size=9)
)
environments = st.builds(
    lambda packages, language, os, tools: environment(packages=packages, language=language, os=os, tools=tools),
    st.lists(st.fixed_dictionaries({"name": names, "versions": texts}), max_size=6),
    optional,
    optional,
    st.lists(st.sampled_from(["uv", "uv 1.0", "docker>=2", "node 22", "", "🤖"]), max_size=4),
)


@given(environments, environments)
def test_the_value_is_bounded_and_never_without_a_reason(trace: Environment, caller: Environment) -> None:
    found = fit_of(trace, caller)
    assert -1 <= found.value <= 1
    assert found.reason or found.value == 0


@given(environments, environments, st.randoms(use_true_random=False))
def test_the_order_of_packages_and_tools_does_not_matter(
    trace: Environment, caller: Environment, order: random.Random
) -> None:
    def shuffled(one: Environment) -> Environment:
        packages, tools = list(one.packages), list(one.tools)
        order.shuffle(packages)
        order.shuffle(tools)
        return one.model_copy(update={"packages": packages, "tools": tools})

    assert fit_of(shuffled(trace), shuffled(caller)) == fit_of(trace, caller)


@given(environments)
def test_nothing_in_common_is_neutral(caller: Environment) -> None:
    assert fit_of(using(("only-here", ">=1")), caller) == Fit(0, "")
    assert fit_of(environment(), caller) == Fit(0, "")


@given(
    st.lists(st.integers(0, 99), min_size=1, max_size=4),
    st.sampled_from(["", "rc1", ".dev3", "-beta.2", "-next.5"]),
    st.sampled_from([None, "python", "javascript", "rust", "go"]),
)
def test_an_exact_version_always_fits_itself(parts: list[int], suffix: str, language: str | None) -> None:
    version = ".".join(map(str, parts)) + suffix
    assert fit_of(using(("x", f"=={version}"), language=language), using(("x", version))).value == 1


def test_many_traces_are_compared_with_a_big_project_in_a_moment() -> None:
    chance = random.Random(7)
    known = [(f"package-{number}", f"{chance.randint(0, 9)}.{chance.randint(0, 30)}.0") for number in range(300)]
    caller = CallerEnvironment(using(*known, language="python", os="linux"))
    traces = [
        using(*((chance.choice(known)[0], f">={chance.randint(0, 9)}.{chance.randint(0, 30)}") for _ in range(5)))
        for _ in range(500)
    ]
    begun = process_time()
    fits = [caller.fit(trace) for trace in traces]
    spent = process_time() - begun
    assert {fit.value > 0 for fit in fits} == {True, False}
    # 0.1 ms each is what it is measured to take at most; a busy machine may need several times that.
    assert spent / len(traces) < 0.001
