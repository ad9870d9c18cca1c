"""Read the schedules of CronJobs, as github.com/robfig/cron/v3 does (ParseStandard)."""

from __future__ import annotations

import re

DURATION = re.compile(r"[+-]?(([0-9]+\.?[0-9]*|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+|[+-]?0")
DESCRIPTORS = ("@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly")
MONTHS = {
    name: i
    for i, name in enumerate(["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], 1)
}
DAYS = {name: i for i, name in enumerate(["sun", "mon", "tue", "wed", "thu", "fri", "sat"])}
FIELDS: tuple[tuple[int, int, dict[str, int]], ...] = (
    *((0, 59, {}), (0, 23, {}), (1, 31, {})),
    *((1, 12, MONTHS), (0, 6, DAYS)),
)
MESSAGE = "must have minute, hour, day of month, month and day of week, such as 0 3 * * *"


def problem(schedule: str) -> str:
    """Return the rule that a schedule breaks; empty if it is valid."""
    if schedule.startswith("@"):
        every = schedule.removeprefix("@every ")
        is_valid = schedule in DESCRIPTORS or (every != schedule and DURATION.fullmatch(every))
        return "" if is_valid else f"must be one of {', '.join(DESCRIPTORS)}, @every 1h, or five fields"
    fields = schedule.split()
    if len(fields) != len(FIELDS):
        return MESSAGE
    for text, (lowest, highest, names) in zip(fields, FIELDS, strict=True):
        for part in filter(None, text.split(",")):
            if not _is_range(part, lowest, highest, names):
                return f"{MESSAGE}: {part} is not within {lowest} and {highest}"
    return ""


def _is_range(text: str, lowest: int, highest: int, names: dict[str, int]) -> bool:
    span, slash, step = text.partition("/")
    if slash and (not step.isascii() or not step.isdecimal() or int(step) == 0):
        return False
    ends = span.split("-")
    if ends[0] in ("*", "?"):
        return True
    numbers = [names.get(end.lower(), int(end) if end.isascii() and end.isdecimal() else -1) for end in ends]
    if len(numbers) == 1:
        numbers.append(highest if slash else numbers[0])
    return len(numbers) == 2 and lowest <= numbers[0] <= numbers[1] <= highest
