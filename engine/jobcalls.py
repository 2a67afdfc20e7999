"""What the job object offers during a run besides the time helpers: `job.save_info`."""

from __future__ import annotations

from typing import Any

import msgspec

from engine.core import CoreCall, CoreModule
from engine.errors import CoreError
from engine.quantities import format_size

#: Its functions are found at the job object, not below `core`.
job_calls = CoreModule("job", summary="What a job tells of its run: job.save_info(value).", free=True)


@job_calls.function("save_info", timeout_seconds=None)
async def save_info(call: CoreCall, info: Any = None) -> bool:
    """Keep a value as the run's info, whatever becomes of the run; the last call counts."""
    size = len(msgspec.json.encode(info))
    if size > call.progress.info_bytes:
        raise CoreError(f"job.save_info: more than {format_size(call.progress.info_bytes)} as JSON", 800)
    call.progress.info = info
    return True
