"""What is somebody's secret goes, what is an example stays, and a marker says what was there."""

import random
import re
import time

import pytest
from commontrace_backend.contributors.keys import new_key
from hypothesis import given
from hypothesis import strategies as st

from commontrace.safety.redaction import redact
from mcp_server.safety.planted import PASSWORDS, TOKENS, iban, luhn, token
