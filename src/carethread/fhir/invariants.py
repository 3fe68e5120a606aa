"""The invariants of R4 that are checked, one function each, named by FHIR's own key: `per_1` is `per-1`.

Each is given the value its constraint stands on, and says whether it holds. Their texts are HL7's, in the types.
Not here: what needs the whole resource (`carethread.fhir.reading`), narratives (`txt-*`, never kept), and documents and
messages (`bdl-10` to `bdl-12`, never taken).
"""

from collections.abc import Hashable, Iterable
from datetime import datetime
from typing import Any

_UCUM = "http://unitsofmeasure.org"


def att_1(attachment: Any) -> bool:
    return attachment.data is None or attachment.content_type is not None


def cpt_2(contact: Any) -> bool:
    return contact.value is None or contact.system is not None


def exp_1(expression: Any) -> bool:
    return expression.expression is not None or expression.reference is not None


def per_1(period: Any) -> bool:
    return not _later(period.start, period.end)


def _later(start: str | None, end: str | None) -> bool:
    """Tell whether it is sure that one date or instant is later, as precisely as both say it."""
    if start is None or end is None:
        return False
    if "T" in start and "T" in end:
        # The 60th second of R4's expression is none that Python knows.
        start, end = start.replace(":60", ":59"), end.replace(":60", ":59")
        try:
            return datetime.fromisoformat(start) > datetime.fromisoformat(end)
        except ValueError:
            return False
    precision = min(len(start), len(end), len("2026-01-31"))
    return start[:precision] > end[:precision]


def qty_3(quantity: Any) -> bool:
    return quantity.code is None or quantity.system is not None


def age_1(age: Any) -> bool:
    return _in_ucum(age) and (age.value is None or age.value > 0)


def cnt_3(count: Any) -> bool:
    whole = count.value is None or count.value == count.value.to_integral_value()
    return _in_ucum(count) and count.code in (None, "1") and whole


def dis_1(distance: Any) -> bool:
    return _in_ucum(distance)


def drt_1(duration: Any) -> bool:
    return duration.code is None or (duration.system == _UCUM and duration.value is not None)


def _in_ucum(quantity: Any) -> bool:
    return (quantity.code is not None or quantity.value is None) and quantity.system in (None, _UCUM)


def rat_1(ratio: Any) -> bool:
    both_or_none = (ratio.numerator is None) == (ratio.denominator is None)
    return both_or_none and (ratio.numerator is not None or bool(ratio.extension))


def rng_2(limits: Any) -> bool:
    low, high = limits.low, limits.high
    if low is None or high is None or low.value is None or high.value is None:
        return True
    comparable = (low.system, low.code, low.unit) == (high.system, high.code, high.unit)
    return not comparable or low.value <= high.value


def org_1(organization: Any) -> bool:
    return bool(organization.identifier) or organization.name is not None


def org_2(address: Any) -> bool:
    return bool(address.use != "home")


def org_3(contact: Any) -> bool:
    return bool(contact.use != "home")


def pat_1(contact: Any) -> bool:
    said = (contact.name, contact.address, contact.organization)
    return bool(contact.telecom) or any(each is not None for each in said)


def sev_1(entity: Any) -> bool:
    return entity.name is None or entity.query is None


def spd_1(parameter: Any) -> bool:
    return parameter.xpath is None or parameter.xpath_usage is not None


def spd_2(parameter: Any) -> bool:
    return not parameter.chain or parameter.type == "reference"


def bdl_1(bundle: Any) -> bool:
    return bundle.total is None or bundle.type in ("searchset", "history")


def bdl_2(bundle: Any) -> bool:
    return bundle.type == "searchset" or all(entry.search is None for entry in bundle.entry)


def bdl_3(bundle: Any) -> bool:
    wanted = bundle.type in ("batch", "transaction", "history")
    return all((entry.request is not None) == wanted for entry in bundle.entry)


def bdl_4(bundle: Any) -> bool:
    wanted = bundle.type in ("batch-response", "transaction-response", "history")
    return all((entry.response is not None) == wanted for entry in bundle.entry)


def bdl_5(entry: Any) -> bool:
    return any(each is not None for each in (entry.resource, entry.request, entry.response))


def bdl_7(bundle: Any) -> bool:
    if bundle.type == "history":
        return True
    return _distinct((each.full_url, _version(each.resource)) for each in bundle.entry if each.full_url is not None)


def _version(resource: Any) -> str | None:
    if resource is None or resource.meta is None:
        return None
    version: str | None = resource.meta.version_id
    return version


def bdl_8(entry: Any) -> bool:
    return entry.full_url is None or "/_history/" not in entry.full_url


def cpb_1(statement: Any) -> bool:
    return bool(statement.rest or statement.messaging or statement.document)


def cpb_2(statement: Any) -> bool:
    return any(each is not None for each in (statement.description, statement.software, statement.implementation))


def cpb_9(rest: Any) -> bool:
    return _distinct(each.type for each in rest.resource)


def cpb_12(resource: Any) -> bool:
    return _distinct(each.name for each in resource.search_param)


def cpb_14(statement: Any) -> bool:
    return statement.kind != "instance" or statement.implementation is not None


def cpb_15(statement: Any) -> bool:
    return statement.kind != "capability" or (statement.implementation is None and statement.software is not None)


def cpb_16(statement: Any) -> bool:
    return statement.kind != "requirements" or (statement.implementation is None and statement.software is None)


def _distinct(values: Iterable[Hashable]) -> bool:
    listed = list(values)
    return len(set(listed)) == len(listed)


def drq_1(code_filter: Any) -> bool:
    return (code_filter.path is None) != (code_filter.search_param is None)


def drq_2(date_filter: Any) -> bool:
    return (date_filter.path is None) != (date_filter.search_param is None)


def trd_1(trigger: Any) -> bool:
    timed = (trigger.timing_timing, trigger.timing_reference, trigger.timing_date, trigger.timing_date_time)
    return not trigger.data or all(each is None for each in timed)


def trd_2(trigger: Any) -> bool:
    return trigger.condition is None or bool(trigger.data)


def inv_1(parameter: Any) -> bool:
    values = sum(
        1
        for name in parameter.__struct_fields__
        if name.startswith("value_") and not name.endswith("_element") and getattr(parameter, name) is not None
    )
    resources = parameter.resource is not None
    return (values + resources == 0) if parameter.part else (values + resources == 1)


def tim_1(repeat: Any) -> bool:
    return repeat.duration is None or repeat.duration_unit is not None


def tim_2(repeat: Any) -> bool:
    return repeat.period is None or repeat.period_unit is not None


def tim_4(repeat: Any) -> bool:
    return repeat.duration is None or repeat.duration >= 0


def tim_5(repeat: Any) -> bool:
    return repeat.period is None or repeat.period >= 0


def tim_6(repeat: Any) -> bool:
    return repeat.period_max is None or repeat.period is not None


def tim_7(repeat: Any) -> bool:
    return repeat.duration_max is None or repeat.duration is not None


def tim_8(repeat: Any) -> bool:
    return repeat.count_max is None or repeat.count is not None


def tim_10(repeat: Any) -> bool:
    return not repeat.time_of_day or not repeat.when
