"""How helpful a contribution is likely to be, and what makes one useless."""

import re
from typing import Final

from commontrace.models.traces import LintVerdict, TraceContent

_UNSPACED: Final = "\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff"  # scripts that put no spaces between words
_WORD: Final = re.compile(f"[{_UNSPACED}]|[^\\W_{_UNSPACED}]+")
_TEMPLATE: Final = re.compile(
    r"\blorem ipsum\b[^\n]*|\btodo:?[ \t]*(?:fill|write|describe)\b[^\n]*|\btbd\b"
    r"|<(?:describe|insert|your|fill|explain)[^<>]{0,200}>|\[(?:describe|insert|your|fill in|explain)[^\[\]]{0,200}\]"
    r"|^[ \t]*(?:todo|n/?a|none|fixed|it works|done|test|asdf)[ \t]*\.?[ \t]*$",
    re.IGNORECASE | re.MULTILINE,
)
_TURN: Final = re.compile(
    r"^[ \t>*#]{0,8}(?:user|human|assistant|system|tool)[* \t]{0,4}:|[\"']role[\"']:[ \t]{0,4}[\"']\w",
    re.IGNORECASE | re.MULTILINE,
)
_SAYS_NOTHING: Final = re.compile(
    r"\W*(?:(?:it|everything|this|all)?[ \t]{0,3}(?:just )?(?:works?|worked|is (?:fixed|solved|working|fine)"
    r"|solved|resolved)(?: now| again| fine| for me)*"
    r"|\+1|same (?:here|problem|issue|error)\b.{0,80}|(?:did|has|have) (?:you|anyone|anybody"
    r"|someone)\b.{0,100}\?.{0,60}|(?:any|no) (?:idea|update|news|solution)s?\b.{0,60}"
    r"|(?:nevermind|never mind)\b.{0,60}|(?:thanks|thank you)\b.{0,60})\W*",
    re.IGNORECASE,
)
_CAUSE: Final = re.compile(
    r"\b(?:because|cause[ds]?|since|due to|reason|the problem is|happens when|why)\b", re.IGNORECASE
)
_CODE: Final = re.compile(r"`|^(?: {4}|\t)[ \t]{0,80}\S|^[ \t]{0,8}\$ ", re.MULTILINE)
_FEW_WORDS: Final = 3
_TURNS_OF_A_TRANSCRIPT: Final = 6


def refusals(content: TraceContent) -> list[str]:
    """Why this would help nobody; empty for a contribution that may be stored."""
    solution, problem = _WORD.findall(content.solution.lower()), _WORD.findall(content.problem.lower())
    found = []
    if not _WORD.search(content.title):
        found.append("the title is empty")
    if not problem:
        found.append("the problem is empty")
    if len(solution) < _FEW_WORDS and not _CODE.search(content.solution):
        found.append("the solution is empty" if not solution else "the solution says too little")
    elif _SAYS_NOTHING.fullmatch(content.solution):
        found.append("the solution says that it works, or asks; say what was done")
    elif solution == problem:
        found.append("the solution repeats the problem")
    if _is_template(content.solution) or _is_template(content.problem):
        found.append("it is a template that nobody filled in")
    if len(_TURN.findall(content.solution)) >= _TURNS_OF_A_TRANSCRIPT:
        found.append("the solution is a whole transcript; say what fixed it")
    return found


def _is_template(text: str) -> bool:
    """Whether there is more to fill in than was filled in."""
    left, count = _TEMPLATE.subn(" ", text)
    return count > 0 and len(_WORD.findall(text)) > 2 * len(_WORD.findall(left))


def lint(content: TraceContent) -> LintVerdict:
    """100 less what is missing, and how to raise it."""
    text = f"{content.problem}\n{content.solution}"
    checks = (
        (
            20,
            bool(content.errors) or bool(re.search(r"\b\w*(?:Error|Exception)\b|error:", text)),
            "quote the error verbatim",
        ),
        (15, bool(_CAUSE.search(text)), "say what causes it"),
        (15, bool(_CODE.search(content.solution)), "give the exact command or code"),
        (15, bool(content.verification or content.evidence), "say how you verified it"),
        (10, bool(content.environment.packages) or bool(re.search(r"\d\.\d", text)), "name the versions"),
        (10, bool(content.failed_attempts), "say what did not work and why"),
        (10, len(_WORD.findall(content.problem)) >= 8, "describe the problem in a sentence or two"),  # noqa: PLR2004
        (5, bool(content.tags), "add tags"),
    )
    missing = [(points, advice) for points, good, advice in checks if not good]
    return LintVerdict(score=100 - sum(points for points, _ in missing), reasons=[advice for _, advice in missing])
