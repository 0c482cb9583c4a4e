"""Deadlines: terms of law and of a body's own rules as data, and the days they run out.

    changes(event, facts, running, terms, calendar)   what one event opens, moves and closes
    due(term, start, calendar, zone)                  the last day, by both conventions

Pure. A term is opened by an event and nothing stops it: 59-ФЗ knows no pause, an extension is the
only lengthening. Warnings, overdue marks and reminders read the rows this module's facts become;
they belong to the clock, which runs in the gateway's jobs.
"""

from gateway.deadlines.calendar import Calendar, ProductionCalendar, read_calendar
from gateway.deadlines.clock import (
    Change,
    DeadlineSpec,
    Due,
    Subject,
    changes,
    close_for,
    due,
    move_for,
    open_for,
)
from gateway.deadlines.terms import Term, extension_days, read_terms

__all__ = [
    "Calendar",
    "Change",
    "DeadlineSpec",
    "Due",
    "ProductionCalendar",
    "Subject",
    "Term",
    "changes",
    "close_for",
    "due",
    "extension_days",
    "move_for",
    "open_for",
    "read_calendar",
    "read_terms",
]
