"""Contexts on the wire: commits, branches, windows, and what was done to them."""

from commontrace.models.contexts.branches import BranchInfo, NewBranch, NewTag, RepositoryInfo, SwitchTo, TagInfo
from commontrace.models.contexts.common import (
    BranchName,
    Exact,
    Note,
    RawMessage,
    RefText,
    RepositoryName,
    TokenCount,
    WindowFormat,
)
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
from commontrace.models.contexts.usage import Reporter, Usage
from commontrace.models.contexts.windows import Explained, Window

__all__ = [
    "BranchInfo",
    "BranchName",
    "CommitInfo",
    "CommitResult",
    "ContextDiff",
    "ContextStatus",
    "DiffMessage",
    "Exact",
    "Explained",
    "LogPage",
    "MergeResult",
    "NewBranch",
    "NewCommit",
    "NewMerge",
    "NewTag",
    "Note",
    "OperationInfo",
    "RawMessage",
    "RefText",
    "Reporter",
    "RepositoryInfo",
    "RepositoryName",
    "SwitchTo",
    "TagInfo",
    "TokenCount",
    "Usage",
    "Window",
    "WindowFormat",
]
