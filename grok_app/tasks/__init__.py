"""Long work over many items: started once, watched by anyone, paused and cancelled; knows no domain."""

from grok_app.tasks.record import Record
from grok_app.tasks.service import Tasks
from grok_app.tasks.sharing import open_tasks
from grok_app.tasks.task import Task, TaskCancelledError
from grok_app.tasks.types import Ended, Event, ItemFailedError, ItemFinished, Job, Outcome, Progress, Snapshot, Status

__all__ = [
    "Ended",
    "Event",
    "ItemFailedError",
    "ItemFinished",
    "Job",
    "Outcome",
    "Progress",
    "Record",
    "Snapshot",
    "Status",
    "Task",
    "TaskCancelledError",
    "Tasks",
    "open_tasks",
]
