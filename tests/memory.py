"""Where tests keep files: in memory where it is large, for none of them need outlive the machine."""

import os
import shutil
import tempfile
from pathlib import Path
from typing import Final

_SHARED: Final = Path("/dev/shm")
_ENOUGH: Final = 4 << 30  # bytes; a run leaves some hundred million


def fast_folder() -> str:
    """A folder where to wait for the disk takes no time, or that of temporary files where there is none."""
    roomy = os.access(_SHARED, os.W_OK) and shutil.disk_usage(_SHARED).free > _ENOUGH
    return str(_SHARED) if roomy else tempfile.gettempdir()
