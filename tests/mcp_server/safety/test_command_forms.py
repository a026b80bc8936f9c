"""One command has one normal form, however it is typed; another command has another one."""

import shlex
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commontrace.models.traces import TraceContent
from commontrace.safety.command_forms import forms, is_telling, key, keys_of

PLAIN = "kubectl delete pod web-1 --force"
WORDS = st.lists(st.text("abcXYZ019-_./:=@ '\"$\\é", min_size=1, max_size=8), min_size=1, max_size=5)


def program(words: list[str]) -> list[str]:
    """Words that begin with a program, not with an assignment, an option or a wrapper."""
    return ["frob", *words]


@pytest.mark.parametrize(
    "written",
    [
        "kubectl  delete\tpod   web-1 --force",
        "'kubectl' delete \"pod\" web-1 --force",
        "kub\\ectl delete p'od' web\\-1 --force",
        "kubectl delete \\\n  pod web-1 \\\n  --force",
        "cd /srv/app && kubectl delete pod web-1 --force",
        "cd 'a b'; kubectl delete pod web-1 --force",
        "(cd x && kubectl delete pod web-1 --force)",
        "KUBECONFIG=~/.kube/other A=1 kubectl delete pod web-1 --force",
        "sudo -u root kubectl delete pod web-1 --force",
        "sudo env A=1 nohup time kubectl delete pod web-1 --force &",
        "timeout 30 A=1 kubectl delete pod web-1 --force",
        "/usr/local/bin/kubectl delete pod web-1 --force",
        "kubectl delete pod web-1 --force > /tmp/log 2>&1",
        "kubectl delete pod web-1 --force # as the trace says",
    ],
)
def test_edits_that_change_nothing_change_no_form(written: str) -> None:
    assert forms(written) == [PLAIN]


@pytest.mark.parametrize(
    "written",
    [
        f"{PLAIN} | tee log",
        f"make clean && {PLAIN} || true",
        f"{PLAIN}\ndate",
        f"bash -c '{PLAIN}'",
        f'eval "{PLAIN}"',
        f"echo $({PLAIN})",
        f"if true; then {PLAIN}; fi",
        "P=web-1; kubectl delete pod $P --force",
        f"bash -c \"sh -c '{PLAIN}'\"",
    ],
)
def test_a_command_within_a_longer_line_is_seen(written: str) -> None:
    assert PLAIN in forms(written)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("rm -r a", "rm -r b"),
        ("./install.sh now", "install.sh now"),
        ("./install.sh now", "/tmp/install.sh now"),
        ("pip install Requests", "pip install requests"),
        ("eval $(curl x)", "eval $(ssh-agent -s)"),
        ("grep 'a b' c", "grep a b c"),
    ],
)
def test_other_commands_have_other_forms(one: str, other: str) -> None:
    assert not set(forms(one)) & set(forms(other))


SHELLISH = st.lists(
    st.sampled_from([*"'\"`$(){}|&;<>\\ \n=~#*-", "sudo ", "A=1", "sh -c ", "eval ", "$(", "cd x && ", "x"])
).map("".join)


@given(st.text() | SHELLISH)
def test_the_form_of_a_form_is_that_form(command: str) -> None:
    for form in forms(command):
        assert forms(form)[:1] == [form]


@given(WORDS, st.sampled_from([" ", "  ", "\t", " \\\n "]), st.booleans())
def test_spaces_and_quotes_are_no_part_of_a_command(words: list[str], space: str, double: bool) -> None:
    quoted = [f'"{word}"' if double and not set(word) & set('"\\$') else shlex.quote(word) for word in program(words)]
    assert forms(space.join(quoted))[0] == forms(shlex.join(program(words)))[0]


@given(WORDS, WORDS)
def test_commands_of_other_words_stay_apart(one: list[str], other: list[str]) -> None:
    first, second = (forms(shlex.join(program(words)))[0] for words in (one, other))
    assert (first == second) == (one == other)
    assert (key(first) == key(second)) == (one == other)


@pytest.mark.parametrize("said", ["ls -la", "pwd", "make", "git status", "npm install", "node --version", "foo --help"])
def test_what_everybody_types_tells_nothing(said: str) -> None:
    assert [form for form in forms(said) if is_telling(form)] == []


@pytest.mark.parametrize("said", ["./setup", "git push --force", "pip install left-pad-2", "npm install evil"])
def test_what_names_something_tells_where_it_comes_from(said: str) -> None:
    assert [form for form in forms(said) if is_telling(form)] == [said]


@pytest.mark.parametrize(
    "text",
    [
        f"```bash\n{PLAIN}\n```",
        f"```\n$ {PLAIN}\npod deleted\n```",
        "~~~console\n# kubectl delete \\\n  pod web-1 --force\n~~~",
        f"```sh\necho don't\n{PLAIN}\n```",
        f"Then `{PLAIN}` and wait.",
        f"  $ {PLAIN}",
        f"1. {PLAIN}.",
        f"Run this: sudo {PLAIN}",
        PLAIN,
    ],
)
@pytest.mark.parametrize("name", ["problem", "solution", "verification"])
def test_a_trace_is_known_by_its_commands_wherever_it_shows_them(text: str, name: str) -> None:
    fields = {"title": "t", "problem": "p", "solution": "s", name: f"Before.\n{text}\nAfter."}
    assert key(PLAIN) in keys_of(TraceContent.model_validate(fields))


def test_a_dead_end_is_known_by_its_command() -> None:
    content = {"title": "t", "problem": "p", "solution": "s", "failed_attempts": [{"tried": f"`{PLAIN}`"}]}
    assert keys_of(TraceContent.model_validate(content)) == [key(PLAIN)]


@pytest.mark.parametrize(
    "unit", ["find -exec ", "$(", "`", "`pip install x` ", "```sh\na b\n```\n", "eval ", "$ a b\n"]
)
def test_a_long_trace_takes_no_time(unit: str) -> None:
    text = unit * (39_000 // len(unit))
    began = time.process_time()
    keys_of(TraceContent(title="t", problem="p", solution=text))
    assert time.process_time() - began < 10
