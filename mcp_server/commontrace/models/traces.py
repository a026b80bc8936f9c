"""Traces on the wire: what is contributed, what is stored, what comes back."""

from datetime import datetime
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field

from commontrace.models.base import Body, IdempotencyKey, Record, Repeatable
from commontrace.models.contributors import ContributorRef

Visibility = Literal["private", "team", "public"]
"""Who may see a trace: its contributor, everybody of the organization, everybody."""

Tier = Literal["quarantined", "unproven", "corroborated", "verified", "superseded", "withdrawn"]
"""How far a version is proven; see `commontrace_backend.traces.trust` for the thresholds."""

TraceState = Literal["active", "pending", "superseded", "hidden", "withdrawn", "purged"]
"""Whether a trace is served: hidden is what enough flags do, withdrawn what its contributor did.

A pending one is served to the audience it has (a new one: its contributor) and waits for a wider one to be approved.
"""

LinkKind = Literal["supersedes", "contradicts", "extends", "alternative_to", "context_used", "context_produced"]
"""How a trace relates to another trace, or (context_*) to a context commit."""

FlagReason = Literal["harmful", "incorrect", "outdated", "spam", "duplicate", "secret"]
"""Why somebody flags a trace."""

Tag = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.+#_-]{0,49}$")]


def _unique(values: list[str]) -> list[str]:
    return list(dict.fromkeys(values))


Tags = Annotated[list[Tag], Field(max_length=20), AfterValidator(_unique)]
Title = Annotated[str, Field(min_length=1, max_length=200)]
LongText = Annotated[str, Field(max_length=40_000)]
ShortText = Annotated[str, Field(max_length=4_000)]
TraceRef = Annotated[str, Field(pattern=r"^[0-9a-f]{6,32}$", description="A trace id, or its first 6 or more digits.")]


class FailedAttempt(Body):
    """A dead end: what was tried and why it did not work."""

    tried: Annotated[str, Field(min_length=1, max_length=4_000)]
    why: ShortText = ""


class PackageRange(Body):
    """A package and the versions a trace speaks of, as in `pydantic` `>=2.10,<2.13`."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    versions: Annotated[str, Field(max_length=200)] = ""


MOST_PACKAGES: Final = 300
"""Of an environment: a project uses more than a trace is about."""

MOST_PACKAGES_OF_A_TRACE: Final = 50


class Environment(Body):
    """Where a trace applies, or where its reader is."""

    language: Annotated[str, Field(max_length=50)] | None = None
    os: Annotated[str, Field(max_length=50)] | None = None
    packages: Annotated[list[PackageRange], Field(max_length=MOST_PACKAGES)] = []
    tools: Annotated[list[Annotated[str, Field(max_length=100)]], Field(max_length=20)] = []


def _of_a_trace(environment: Environment) -> Environment:
    if len(environment.packages) > MOST_PACKAGES_OF_A_TRACE:
        raise ValueError(f"a trace names at most {MOST_PACKAGES_OF_A_TRACE} packages: those that it is about")
    return environment


TraceEnvironment = Annotated[Environment, AfterValidator(_of_a_trace)]


class Evidence(Body):
    """What a machine saw: a command, its exit code before and after, versions, a hash of the output."""

    command: ShortText = ""
    exit_before: int | None = None
    exit_after: int | None = None
    versions: Annotated[dict[str, str], Field(max_length=50)] = {}
    output_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None


class Source(Body):
    """Who wrote the text: a person or an agent, with which model through which client."""

    kind: Literal["human", "agent"] = "agent"
    model: Annotated[str, Field(max_length=100)] = ""
    client: Annotated[str, Field(max_length=100)] = ""


class TraceContent(Body):
    """The words of one version; its SHA-256 over the canonical form is the version's id."""

    title: Title
    problem: LongText
    solution: LongText
    failed_attempts: Annotated[list[FailedAttempt], Field(max_length=20)] = []
    errors: Annotated[list[Annotated[str, Field(max_length=8_000)]], Field(max_length=10)] = []
    tags: Tags = []
    environment: TraceEnvironment = Environment()
    applies_when: ShortText = ""
    not_when: ShortText = ""
    verification: ShortText = ""
    evidence: Evidence | None = None
    source: Source = Source()


class Contribution(TraceContent):
    """A trace to store."""

    visibility: Literal["private", "team"] = "private"
    supersedes: TraceRef | None = None
    insist: bool = Field(default=False, description="Store although a near-duplicate is known.")
    dry_run: bool = Field(default=False, description="Answer what would be stored; store nothing.")
    idempotency_key: IdempotencyKey | None = None
    origin: Literal["contributed", "imported", "starter"] = Field(
        default="contributed", description="Imported and starter traces belong to a reserved contributor."
    )


class Redaction(Record):
    """What was taken out of which field, and how often."""

    field: str
    type: str = Field(description="secret:* or pii:*")
    count: int


class Label(Record):
    """What a scanner noticed; it informs and never decides alone."""

    label: str
    reason: str
    score: float = Field(ge=0, le=1)


class LintVerdict(Record):
    """How helpful a text is likely to be: 0 to 100, and what would raise it."""

    score: int = Field(ge=0, le=100)
    reasons: list[str] = []


class Risks(Record):
    """Found in the solution, never written by the contributor."""

    commands: list[str] = []
    packages: list[str] = []
    urls: list[str] = []
    package_verdicts: dict[str, Literal["known", "look-alike", "unknown"]] = Field(
        default={}, description="How the name of each package stands to those that many people install."
    )


class Standing(Record):
    """How a version has done with those who used it, for the audience that asks."""

    tier: Tier
    score: float = Field(ge=0, le=1, description="Wilson lower bound (z = 1.96) of the share that it worked for.")
    worked: int = 0
    worked_with_changes: int = 0
    did_not_work: int = 0
    outdated: int = 0
    unsafe: int = 0
    people: int = Field(default=0, description="Distinct contributors behind these outcomes.")
    organizations: int = Field(default=0, description="Distinct organizations behind these outcomes.")
    self_reports: int = Field(default=0, description="Outcomes by the contributor; they never move tier or score.")
    uncounted: int = Field(
        default=0, description="Outcomes that move nothing: by strangers, by the author's own side, or in a burst."
    )
    disputed: int = Field(default=0, description="Of these, the bad ones: they ask for a look and bury nothing.")
    inherited: bool = Field(default=False, description="Earned by an earlier version with the same solution.")


class ContributionResult(Record):
    """What was stored, or with `dry_run` what would be."""

    stored: bool
    existing: bool = Field(default=False, description="The very same content was already there; nothing was added.")
    trace_id: str | None = None
    version_id: str
    tier: Tier
    visibility: Visibility
    state: TraceState = "active"
    notes: list[str] = Field(default=[], description="What the key's publication policy made of the visibility.")
    redactions: list[Redaction] = []
    hidden: list[str] = Field(default=[], description="Hidden or deceptive characters that were neutralised.")
    labels: list[Label] = []
    lint: LintVerdict
    risks: Risks
    content: TraceContent


class StarterResult(Record):
    """How many of the traces that come with CommonTrace were added, and how many were there."""

    added: int
    existing: int


class TraceLink(Record):
    """A link from this trace to another trace or a context commit."""

    kind: LinkKind
    target: str


class NewLink(Body):
    """A link to add or remove."""

    kind: LinkKind
    target: Annotated[str, Field(pattern=r"^[0-9a-f]{6,64}$")]


class Trace(Record):
    """A trace with the version that is served."""

    trace_id: str
    version_id: str
    version_number: int
    content: TraceContent
    standing: Standing
    state: TraceState
    visibility: Visibility
    contributor: ContributorRef
    created_at: datetime
    updated_at: datetime
    labels: list[Label] = []
    risks: Risks = Risks()
    links: list[TraceLink] = []
    open_amendments: int = 0
    flags: int = 0


class TraceVersion(Record):
    """One immutable state of a trace."""

    trace_id: str
    version_id: str
    number: int
    parent_version_id: str | None
    content: TraceContent
    contributor: ContributorRef
    created_at: datetime
    standing: Standing
    redactions: list[Redaction] = []
    labels: list[Label] = []
    scanner_version: str


class TracePage(Record):
    """Some of the traces a caller may see, oldest first."""

    traces: list[Trace]
    next_cursor: str | None = None


class AmendmentProposal(Repeatable):
    """Fields to change; those left out stay as they are."""

    title: Title | None = None
    problem: LongText | None = None
    solution: LongText | None = None
    failed_attempts: Annotated[list[FailedAttempt], Field(max_length=20)] | None = None
    errors: Annotated[list[Annotated[str, Field(max_length=8_000)]], Field(max_length=10)] | None = None
    tags: Tags | None = None
    environment: TraceEnvironment | None = None
    applies_when: ShortText | None = None
    not_when: ShortText | None = None
    verification: ShortText | None = None
    reason: Annotated[str, Field(min_length=1, max_length=4_000)]


class FieldChange(Record):
    """One field before and after, as a unified diff of its lines."""

    field: str
    diff: str


class Amendment(Record):
    """A proposed version and what became of it."""

    amendment_id: str
    trace_id: str
    base_version_id: str
    version_id: str
    status: Literal["open", "accepted", "rejected"]
    reason: str
    proposer: ContributorRef
    created_at: datetime
    decided_at: datetime | None = None
    decision_note: str = ""
    changes: list[FieldChange] = []


class Decision(Body):
    """What to do with an amendment."""

    accept: bool
    note: ShortText = ""


class NewFlag(Body):
    """A reason to look at a trace again."""

    reason: FlagReason
    note: ShortText = ""


class Flag(Record):
    """A flag somebody raised; undone flags stay in the record."""

    flag_id: str
    trace_id: str
    reason: FlagReason
    note: str
    contributor: ContributorRef
    created_at: datetime
    undone_at: datetime | None = None


class Removal(Body):
    """Why a trace is withdrawn."""

    reason: Annotated[str, Field(min_length=1, max_length=4_000)]


class Tombstone(Record):
    """What a removal leaves: who, when and why; the text can be restored."""

    tombstone_id: str
    trace_id: str
    reason: str
    contributor: ContributorRef
    created_at: datetime
    restored_at: datetime | None = None


class PurgedTrace(Record):
    """What a purge took out: every text of a trace, for good. Its ids stay, and a tombstone."""

    trace_id: str
    versions: int = Field(description="How many had a text.")
    erased: bool = Field(description="Whether the files were written anew; false where others still read them.")
    left: list[str] = Field(default=[], description="Places that we know of and may not touch.")
    tombstone: Tombstone


class Publication(Body):
    """A step to a wider audience: private, team, public."""

    visibility: Literal["team", "public"]
    dry_run: bool = False


class PublicationResult(Record):
    """What everybody in the new audience sees, byte for byte."""

    trace_id: str
    visibility: Visibility
    published: bool
    pending: bool = Field(default=False, description="It waits for an admin's approval: the key's policy says so.")
    content: TraceContent
