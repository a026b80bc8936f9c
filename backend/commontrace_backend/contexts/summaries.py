"""Summaries that stand for messages: made, refused where they lose what they must keep, taken back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from commontrace.errors import ConflictError, InvalidInputError
from commontrace.models.canonical import canonical
from commontrace.models.contexts import CompressResult, NewCompress, NewExpand, NewMerge, ChangeResult
from commontrace.models.contexts.compression import LossReport
from commontrace.objects import SLOT_DIGITS, identify
from commontrace.providers.messages import Message, text_of
from commontrace.providers.rendering import is_system
from commontrace_backend.contexts.compression.extractive import summarize_extractive
from commontrace_backend.contexts.compression.loss import losses, missing_keeps
from commontrace_backend.contexts.contents import Content, contents
from commontrace_backend.contexts.editing import Doing, conclude, open_desk
from commontrace_backend.contexts.places import Place
from commontrace_backend.contexts.recording import NewBlob
from commontrace_backend.contexts.state import REPOSITORY, State
from commontrace_backend.contexts.targets import Desk
from commontrace_backend.contexts.view import View
from commontrace_backend.contributors.caller import Caller
from commontrace_backend.database.session import ReadSession, WriteSession
from commontrace_backend.tokens import default_counter
