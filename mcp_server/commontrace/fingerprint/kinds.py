"""What kinds of line an output has, by the words in them."""

from typing import Final

ALWAYS: Final = ("error", "fatal", "panic", "exception", "failed to ")
"""A line with one of these (in lower case) is an error, if nothing calls it noise or a summary."""

OFTEN: Final = (
    "not found", "no such", "denied", "refused", "cannot", "can't", "could not", "couldn't", "unable", "invalid",
    "unknown", "unrecognized", "unrecognised", "unexpected", "unsupported", "undefined", "undeclared", "unresolved",
    "missing", "timed out", "timeout", "does not exist", "doesn't exist", "already", "not a ", "no module",
    "not set", "unbound", "forbidden", "unauthorized", "mismatch", "conflict", "killed", "fault", "fail", "err!",
    "attempt to", "illegal", "not defined", "uncaught", "no matching", "abort", "expected", "not permitted", "out of ",
    "eacces", "requires", "must be", "unsatisf", "incompatible", "violat", "is not ", "corrupt", "exceed", "too ",
)  # fmt: skip
"""A line with one of these is an error where no line has one of the others."""

NOISE: Final = (
    # Frames, source excerpts and their marks, rulers.
    r"[\W_]*$|File \"|at .+[(:]|--> |Traceback \(most|In file included|from \S+:\d+[,:]|\d+ +\| |\| |\.\.\. |"
    r"stack (?:backtrace|traceback):|\[C\]: in|\S+:\d+: in |from \S+:\d+:in |[0-9A-F]{8,}:error:|"
    r"goroutine \d|Stack trace:|Require stack|- \S+$|triggerUncaughtException|throw |\^|~|>>> |"
    r"={3,}|_{3,}|\*{3,} (?!\[)|-{3,}|thread '[^']*'(?: \(\d+\))? panicked at \S+:\d+:\d+:$|"
    # Where the next line's error is.
    r"\S+: In (?:member |static member )?(?:function|constructor|destructor|instantiation|lambda)|"
    r"\S+: At global scope|\S+: in function '|ERROR in \S+(?: \d+:\d+(?:-\d+)?)?$|[Ll]ocation:|required by|"
    # Advice and background.
    r"(?:\S+: )?(?:note|help|hint|warning|warn|info|debug|tip)\b[:\[ ]|\S+:\d+: \w*Warning: |npm (?:warn|notice)|"
    r"(?:HINT|DETAIL|CONTEXT|LINE \d+|STATEMENT):? |Hint:|(?:\w*E(?:RROR|rror): )?[Uu]sage: |[Tt]ry '|"
    r"Use |Run |Please |Background|"
    r"\[(?:INFO|WARNING|DEBUG)\]|\[ERROR\] *$|\[ERROR\] (?:To see|For more|Re-run)|"
    r"A complete log|For more information|Node\.js v|\(Background on|[Cc]aused by:$|During handling|"
    r"The above exception|\* What went wrong|"
    # Progress.
    r"Collecting |Downloading |Compiling |Installing |Reading |Get:\d|Hit:\d|\$ |\+ |> \[|"
    r"> \S+@\S+ \w+$|#\d+ (?:\[|DONE|CACHED|sha256)"
)
"""The beginning of a line that says nothing about what failed, its indentation left out."""

SUMMARY: Final = (
    r"\d+ errors?\b|Found \d+ error|previous errors?\b|too many errors|abort(?:ing|ed) due to|compilation terminated|"
    r"all warnings being treated as errors|no input files|could not compile|compilation aborted|BEGIN failed|"
    r"collect2: |(?:clang|cc|gcc)\S*: error: linker command failed|ld returned|Configuring incomplete|"
    r"exit status \d+$|exit code:? \d+$|exited with (?:code )?\d|returned a non-zero code|exiting now|"
    r"make(?:\[\d+\])?: \*\*\* .*Error \d+|[Cc]ommand failed|Process completed with exit|Execution halted|"
    r"process '.*' did not complete|process \".*\" did not complete|did not run successfully|"
    r"BUILD FAIL|Build failed|Failed to execute goal|Execution failed for task|Could not resolve all|re-run Maven|"
    r"\[ERROR\] \[Help|tests? failed|tests? result|FAIL\b|FAILED\b|subprocess-exited-with-error|"
    r"Failed building wheel|Failed to build|metadata-generation-failed|This is an issue with the package|"
    r"not a problem with pip|failed to push some refs|"
    r"Could not read from remote|linking with .+ failed|\bcode ELIFECYCLE|Lifecycle script|"
    r"npm (?:ERR!|error) (?:Exit|Test failed|Failed at|This is probably|path|command|errno|syscall)\b"
)
"""Somewhere in a line that only says that something failed before: it decides where nothing else does."""

LOCATED: Final = (
    r"(?:[A-Za-z]:[\\/])?[^\s:][^:\n]{0,300}:\d+(?::\d+)?:(?: -)? (?:fatal )?error\b|"
    r"[^\s:][^:\n]{0,300}:\d+:\d+ - error\b|"
    r"[^\s(:][^(:\n]{0,300}\(\d+(?:,\d+)?\): (?:fatal )?error\b|"
    r"error\[[A-Z]\d+\]|(?:vet: )?[^\s:]+\.go:\d+:\d+: |\[ERROR\] [^\s:]+:\[\d+,\d+\] "
)
"""The beginning of a compiler's error."""

TYPED: Final = (
    r"(?:Exception in thread '[^']*' |Exception in thread \"[^\"]*\" |Uncaught |Caused by: |PHP Fatal error: +)?"
    r"\[?(?:[A-Za-z_$][\w$]*(?:\.|\\|::))*(?:[A-Z][\w$]*)?"
    r"(?:Error|Exception|Interrupt|Exit|Failure|Fault|Refused|Timeout|DoesNotExist)\b"
    r"(?: \[\w+\])?(?=:|\]|$| )(?!: usage:)"
)
"""The beginning of a line that a runtime writes for an exception: its class, then its message."""
