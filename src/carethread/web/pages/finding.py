"""Looking for a patient by name, date of birth and identifier. What is looked for travels in the form."""

from datetime import date

from carethread.errors import InvalidValueError
from carethread.reads import PatientPage, find_patients
from carethread.web.forms import Form
from carethread.web.problems import Problem
from carethread.web.visit import Visit


def patients_looked_for(visit: Visit) -> tuple[PatientPage | None, Problem | None]:
    """Return whom a form looks for, or what in it is not in order."""
    form = visit.form
    try:
        found = find_patients(
            visit.service,
            visit.caller,
            name=form.line("name"),
            birth_date=birth_date_of(form),
            identifier=form.line("identifier"),
            after=form.line("after"),
        )
    except InvalidValueError as error:
        return None, visit.problem(error)
    return found, None


def birth_date_of(form: Form) -> str:
    """Return a date of birth that was given as day, month and year; or as the year, or month and year, alone.

    Raises:
        InvalidValueError: it is no date.
    """
    parts = [form.line(f"birth-{each}") for each in ("year", "month", "day")]
    if not any(parts):
        return ""
    if not all(each.isascii() and each.isdigit() for each in parts if each):
        raise InvalidValueError("birth_date", "is no date")
    year, month, day = parts
    try:
        date(int(year or 0), int(month or 1), int(day or 1))
    except ValueError:
        raise InvalidValueError("birth_date", "is no date") from None
    if day and not month:
        raise InvalidValueError("birth_date", "is no date")
    known = [f"{int(year):04d}", *(f"{int(each):02d}" for each in (month, day) if each)]
    return "-".join(known)
