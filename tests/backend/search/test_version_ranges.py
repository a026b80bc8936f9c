"""Version ranges of every package manager, and of people: what is inside, what is outside, what cannot be told."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet

from commontrace_backend.search.version_ranges import Ecosystem, parse_range, parse_version

ECOSYSTEMS: tuple[Ecosystem, ...] = ("python", "npm", "cargo", "go", "plain")
numbers = st.lists(st.integers(0, 30), min_size=1, max_size=4)
versions = numbers.map(lambda parts: ".".join(map(str, parts)))
whole = st.lists(st.integers(0, 30), min_size=3, max_size=3).map(lambda parts: ".".join(map(str, parts)))


def holds(text: str, version: str, ecosystem: Ecosystem = "plain") -> bool | None:
    wanted, mine = parse_range(text, ecosystem), parse_version(version)
    assert wanted is not None
    assert mine is not None
    return wanted.holds(mine)


@pytest.mark.parametrize(
    ("ecosystem", "text", "inside", "outside"),
    [
        ("python", ">=2.10,<2.13", "2.10 2.12.9 2.11rc1", "2.9.9 2.13 2.13.0rc1"),
        ("python", "~=2.10", "2.10 2.99", "3.0 2.9"),
        ("python", "~=2.10.1", "2.10.9", "2.11.0"),
        ("python", "==2.*", "2.99.1", "3.0.0"),
        ("python", "==2.1", "2.1.0 2.1+cu121", "2.1.1"),
        ("python", "!=1.5.0,>=1", "1.5.1", "1.5.0"),
        ("python", "===1.0.dev1", "1.0.dev1", "1.0.0"),
        ("python", ">=1!2.0", "1!2.1.0", "3.0.0"),
        ("python", ">=1.0.0-next.1", "1.0.0-next.5", "0.9.0"),  # of npm, in a Python project
        ("python", "^2.10", "2.12.0", "3.0.0"),  # Poetry's
        ("npm", "^18.2.0", "18.2.0 18.99.1", "18.1.9 19.0.0 19.0.0-rc.1 18.2.0-rc.1"),
        ("npm", "^0.2.3", "0.2.9", "0.3.0 0.2.2"),
        ("npm", "^0.0.3", "0.0.3", "0.0.4"),
        ("npm", "^0.0", "0.0.9", "0.1.0"),
        ("npm", "^0", "0.9.9", "1.0.0"),
        ("npm", "^1.x", "1.9.9", "2.0.0"),
        ("npm", "^1.2.3-beta.2", "1.2.3-beta.4 1.2.3-beta.11 1.9.0", "1.2.3-beta.1 1.2.3-alpha"),
        ("npm", "~1.2.3", "1.2.9", "1.3.0 1.2.2"),
        ("npm", "~1.2", "1.2.0", "1.3.0"),
        ("npm", "~1", "1.9.9", "2.0.0"),
        ("npm", "1.x || >=2.5.0 || 5.0.0 - 7.2.3", "1.0.0 2.5.0 7.2.3 99.0.0", "2.4.9 0.9.9"),
        ("npm", "<1.0.0 || 5.0.0 - 7.2", "0.1.0 7.2.9", "1.0.0 7.3.0"),
        ("npm", "1.0.0-rc.1 - 1.2.0", "1.0.0-rc.2 1.1.0", "1.0.0-beta 1.2.1"),
        ("npm", ">=1.2.7 <1.3.0", "1.2.99", "1.3.0 1.2.6"),
        ("npm", ">= 1.2.7, < 1.3.0", "1.2.99", "1.3.0"),
        ("npm", ">1.2", "1.3.0", "1.2.9"),
        ("npm", ">1.2.3", "1.2.4", "1.2.3"),
        ("npm", "<=1.2", "1.2.9", "1.3.0"),
        ("npm", "<=1.2.3", "1.2.3 1.2.3+build.5", "1.2.4"),
        ("npm", "=1.2.3", "1.2.3", "1.2.4"),
        ("npm", "!=1.2.3", "1.2.4", "1.2.3"),
        ("npm", "==1.2.3-next.5", "1.2.3-next.5", "1.2.3-next.6 1.2.3"),
        ("npm", "<2.0.0-rc.2", "2.0.0-rc.1", "2.0.0-rc.2 2.0.0"),
        ("npm", "1.2.3-4", "1.2.3-4", "1.2.3 2.0.0"),
        ("npm", "*", "0.0.1 9.9.9-beta", ""),
        ("npm", "x", "1.0.0", ""),
        ("npm", "1.2.x", "1.2.9", "1.3.0"),
        ("npm", "1.X.X", "1.9.9", "2.0.0"),
        ("cargo", "1.2", "1.2.0 1.99.0", "2.0.0 1.1.9"),
        ("cargo", "0.3.1", "0.3.9", "0.4.0"),
        ("cargo", "=1.2.3", "1.2.3", "1.2.4"),
        ("cargo", "1.*", "1.9.9", "2.0.0"),
        ("cargo", "0.*", "0.9.9", "1.0.0"),
        ("cargo", ">=1.2, <1.5", "1.4.9", "1.5.0"),
        ("cargo", "*", "0.1.0", ""),
        ("go", "v1.2.3", "v1.2.3 v1.9.0 1.9.0", "v1.2.2"),
        ("go", "v0.0.0-20230101000000-abcdef12", "v0.0.0-20240101000000-0123abcd v1.0.0", "v0.0.0-20220101000000-ffff"),
        ("go", "1.21", "1.22.1", "1.20.9"),
        ("plain", "2.10", "2.10.0 2.10.3", "2.11.0 2.1.0"),
        ("plain", "2.10-2.12", "2.10.0 2.12.9", "2.13.0 2.9.9"),
        ("plain", "2.10–2.12", "2.12.9", "2.13.0"),
        ("plain", "2.10 – 2.x", "2.99.0", "3.0.0"),
        ("plain", "2.10 to 2.12", "2.11.0", "2.13.0"),
        ("plain", "1.0.0-2.0.0", "1.5.0", "2.0.1"),
        ("plain", "18-20", "19.1.0", "21.0.0"),
        ("plain", ">= 3, < 4", "3.9.1", "4.0.0"),
        ("plain", "3.x", "3.9.1", "4.0.0"),
        ("plain", "18, 20", "18.1.0 20.2.0", "19.0.0"),
        ("plain", "18 or 20", "18.1.0 20.2.0", "19.0.0"),
        ("plain", "3.11+", "3.11.0 4.0.0", "3.10.9"),
        ("plain", "≥3.11", "3.11.2", "3.10.9"),
        ("plain", "~> 2.2", "2.9.0", "3.0.0"),
        ("plain", "~> 2.2.1", "2.2.9", "2.3.0"),
        ("plain", "v1.2", "1.2.3", "1.3.0"),
        ("plain", "<1.0.post1", "1.0.0", "1.0.post2"),
    ],
)  # fmt: skip
def test_a_range_holds_what_its_package_manager_says(
    ecosystem: Ecosystem, text: str, inside: str, outside: str
) -> None:
    assert [version for version in inside.split() if holds(text, version, ecosystem) is not True] == []
    assert [version for version in outside.split() if holds(text, version, ecosystem) is not False] == []


@pytest.mark.parametrize(
    ("text", "version", "verdict"),
    [
        (">=3.11.4", "3.11", None),  # may be 3.11.3 or 3.11.9
        (">=2.10", "2", None),
        ("==3.11.4", "3.11", None),
        ("^3.11.4", "3.11", None),
        (">=3.11", "3.11", True),
        ("<3.12", "3.11", True),
        (">=3.12.1", "3.11", False),
        (">=2.10,<2.13", "2.13", False),
        ("<3.11.4", "3.12", False),
        (">=3.11.4", "3.11.3", False),
        (">=1.0.1", "1.0rc1", False),
    ],
)
def test_a_short_version_stands_for_all_that_begin_so(text: str, version: str, verdict: bool | None) -> None:
    assert holds(text, version) is verdict


@pytest.mark.parametrize("ecosystem", ECOSYSTEMS)
@pytest.mark.parametrize(
    "text",
    ["", " ", "banana", "latest", ">=", "^", "~ >", ">=1 <banana", "1.2 ||", "workspace:*", "file:../x", "2.12-2.10",
     ">2 <1", "git+https://example.com/x", "<==1", "1.0-", "9" * 201, "$1", "1.2.3 - ", "v"],
)  # fmt: skip
def test_what_is_no_range_is_none(text: str, ecosystem: Ecosystem) -> None:
    assert parse_range(text, ecosystem) is None


@pytest.mark.parametrize("text", ["", "tip", "main", ">=1", "1.x", "^1", "1.2.3 4", "9" * 201, "v"])
def test_what_is_no_version_is_none(text: str) -> None:
    assert parse_version(text) is None


@given(versions)
def test_python_ranges_are_those_of_packaging(version: str) -> None:
    for text in (">=2.10,<2.13", "~=3.1", "==4.*", "!=1.0"):
        exact = SpecifierSet(text).contains(version, prereleases=True)
        assert holds(text, version, "python") in ({True} if exact else {False, None})


@given(versions, st.sampled_from(ECOSYSTEMS))
def test_a_version_fits_itself_however_it_is_written(version: str, ecosystem: Ecosystem) -> None:
    for text in (f"=={version}", f"={version}", version, f"^{version}", f"~{version}", f">={version}", f"<={version}"):
        assert holds(text, version, ecosystem) is True


@given(whole, whole, st.sampled_from(ECOSYSTEMS))
def test_at_least_and_below_part_the_versions(version: str, end: str, ecosystem: Ecosystem) -> None:
    assert holds(f">={end}", version, ecosystem) is not holds(f"<{end}", version, ecosystem)
    assert holds(f">{end}", version, ecosystem) is not holds(f"<={end}", version, ecosystem)


@given(whole, whole, whole)
def test_alternatives_are_a_union_and_a_span_is_both_ends(version: str, low: str, high: str) -> None:
    either = holds(f"<{low} || >{high}", version, "npm")
    assert either is (holds(f"<{low}", version, "npm") or holds(f">{high}", version, "npm"))
    if parse_range(f"{low} - {high}", "npm"):
        assert holds(f"{low} - {high}", version, "npm") is holds(f">={low} <={high}", version, "npm")


@given(st.text(max_size=60) | st.text("0123456789.x*^~<>=!|, -+vab", max_size=30), st.sampled_from(ECOSYSTEMS))
@example("1.0-", "npm")
@example("0" * 150 + ".1", "cargo")
def test_no_text_is_an_error(text: str, ecosystem: Ecosystem) -> None:
    wanted, mine = parse_range(text, ecosystem), parse_version(text)
    for version in (mine, parse_version("1.2.3")):
        if wanted and version:
            assert wanted.holds(version) in {True, False, None}
