"""Contexts on the wire: commits, branches, windows, and what was done to them."""

from commontrace.models.contexts.branches import BranchInfo, NewBranch, NewTag, RepositoryInfo, SwitchTo, TagInfo
from commontrace.models.contexts.common import (
    BranchName,
    Exact,
    Note,
    Priority,
    RawMessage,
    RefText,
    RepositoryName,
    SlotId,
    TokenCount,
    WindowFormat,
)
from commontrace.models.contexts.editing import Change, ChangeResult, NewAnnotation, NewEdit, NewMove, NewNotes, NewPresence, Selected, SlotHistory, SlotVersion, Targets
from commontrace.models.contexts.history import (
    CommitInfo,
    CommitResult,
    ContextDiff,
    ContextStatus,
    DiffMessage,
    LogPage,
    NewCommit,
)
from commontrace.models.contexts.merging import MergeResult, NewMerge
from commontrace.models.contexts.operations import OperationInfo
from commontrace.models.contexts.windows import Explained, Window

__all__ = [
    "BranchInfo",
    "BranchName",
    "Change",
    "ChangeResult",
    "CommitInfo",
    "CommitResult",
    "ContextDiff",
    "ContextStatus",
    "DiffMessage",
    "Exact",
    "Explained",
    "LogPage",
    "MergeResult",
    "NewAnnotation",
    "NewBranch",
    "NewCommit",
    "NewEdit",
    "NewMerge",
    "NewMove",
    "NewNotes",
    "NewPresence",
    "NewTag",
    "Note",
    "OperationInfo",
    "Priority",
    "RawMessage",
    "RefText",
    "RepositoryInfo",
    "RepositoryName",
    "Selected",
    "SlotHistory",
    "SlotId",
    "SlotVersion",
    "SwitchTo",
    "TagInfo",
    "Targets",
    "TokenCount",
    "Window",
    "WindowFormat",
]
