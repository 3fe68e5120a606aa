"""What the lines of the access log say, in words: its codes are for programs."""

from collections.abc import Callable, Mapping

from carethread.access_log import AccessEntry, Action, Outcome
from carethread.web.words import Words

Translate = Callable[[str], str]


def action_words(_: Translate) -> Mapping[Action, str]:
    """Return what can have been asked for."""
    return {
        Action.SERVED: _("Was shown something"),
        Action.LISTED: _("Was shown a list"),
        Action.SEARCHED: _("Searched"),
        Action.WRITTEN: _("Recorded or changed something"),
        Action.EXPORTED: _("Looked at the access log, or exported"),
        Action.EMERGENCY: _("Opened a restricted thread in an emergency"),
    }


def _attempts(_: Translate) -> Mapping[Action, str]:
    return {
        Action.SERVED: _("Asked for something"),
        Action.LISTED: _("Asked for a list"),
        Action.SEARCHED: _("Searched"),
        Action.WRITTEN: _("Tried to record or change something"),
        Action.EXPORTED: _("Asked for the access log, or to export"),
        Action.EMERGENCY: _("Tried to open a restricted thread in an emergency"),
    }


def outcome_words(_: Translate) -> Mapping[Outcome, str]:
    """Return how it can have ended."""
    return {
        Outcome.DONE: _("Done"),
        Outcome.UNKNOWN: _("Nothing there, or not for them to see"),
        Outcome.REFUSED: _("Refused"),
    }


def kind_words(_: Translate) -> Mapping[str, str]:
    """Return as what somebody can have asked."""
    return {
        "practitioner": _("professional"),
        "related_person": _("relative or carer"),
        "patient": _("patient"),
        "client": _("program"),
        "auditor": _("auditor"),
        "steward": _("steward"),
        "operator": _("operator, at the command line"),
    }


def told(entry: AccessEntry, words: Words) -> str:
    """Say what a line is about, as exactly as it says itself."""
    _ = words.gettext
    if entry.outcome is not Outcome.DONE:
        return _attempts(_)[entry.action]
    action = action_words(_)[entry.action]
    if entry.action is Action.EMERGENCY:
        return action
    detail = entry.detail
    if entry.action is Action.SERVED and not detail and entry.thread is not None:
        return _("Was shown a thread")
    if detail.startswith("entries after "):
        return _("Was shown what was new in a thread")
    if detail.startswith("attachment "):
        return _("Was sent a file")
    if entry.action is Action.LISTED and detail.partition(" ")[0] == "inbox":
        return _("Was shown an inbox")
    changes = _changes(_)
    if entry.action is Action.WRITTEN and detail and all(each in changes for each in detail.split()):
        return _("Changed a thread: %(what)s") % {"what": ", ".join(changes[each] for each in detail.split())}
    return _details(_).get((entry.action, detail), action)


def why(entry: AccessEntry, words: Words) -> str:
    """Say why something was refused; nothing where the line's own code is all there is to say."""
    return _reasons(words.gettext).get(entry.detail, "") if entry.outcome is Outcome.REFUSED else ""


def _details(_: Translate) -> dict[tuple[Action, str], str]:
    return {
        (Action.SERVED, "message"): _("Was shown a message"),
        (Action.SERVED, "history"): _("Was shown the history of a thread"),
        (Action.SERVED, "names"): _("Was shown names from the directory"),
        (Action.SERVED, "patients"): _("Was shown who patients are"),
        (Action.SERVED, "addressees"): _("Was shown people from the directory"),
        (Action.SERVED, "draft"): _("Was shown a draft of their own"),
        (Action.SERVED, "preferences"): _("Was shown their own language and time zone"),
        (Action.SERVED, "upload"): _("Was shown a file of their own that waits for its message"),
        (Action.SERVED, "subscription"): _("Was shown a subscription of their own"),
        (Action.SERVED, "validate"): _("Had something checked, without recording it"),
        (Action.LISTED, "patient"): _("Was shown the threads of a patient"),
        (Action.LISTED, "unread count"): _("Was told how many threads are unread"),
        (Action.LISTED, "drafts"): _("Was shown their own drafts"),
        (Action.LISTED, "unattended groups"): _("Was shown which inboxes nobody reads"),
        (Action.LISTED, "deserted threads"): _("Was shown threads of which nobody is left"),
        (Action.LISTED, "feed"): _("Was shown what changed"),
        (Action.SEARCHED, "sign-in"): _("Was looked up to sign in"),
        (Action.WRITTEN, "thread"): _("Opened a thread"),
        (Action.WRITTEN, "message"): _("Wrote a message"),
        (Action.WRITTEN, "correction"): _("Corrected a message"),
        (Action.WRITTEN, "name"): _("Gave a message a name in another system"),
        (Action.WRITTEN, "refile"): _("Filed a message again in another record"),
        (Action.WRITTEN, "set aside"): _("Set a thread aside until its next message"),
        (Action.WRITTEN, "directory"): _("Changed the directory"),
        (Action.WRITTEN, "draft"): _("Kept a draft"),
        (Action.WRITTEN, "draft discarded"): _("Discarded a draft"),
        (Action.WRITTEN, "upload"): _("Kept a file for a message"),
        (Action.WRITTEN, "preferences"): _("Chose a language or a time zone"),
        (Action.WRITTEN, "session begun"): _("Signed in"),
        (Action.WRITTEN, "session changed"): _("Changed for whom or as what they act"),
        (Action.WRITTEN, "session ended"): _("Signed out"),
        (Action.WRITTEN, "sessions ended"): _("Signed out everywhere"),
        (Action.EXPORTED, "access log"): _("Looked at the access log"),
        (Action.EXPORTED, "reconstruction"): _("Looked up what somebody could see"),
    }


def _changes(_: Translate) -> dict[str, str]:
    return {
        "status": _("whether it is open"),
        "add": _("who takes part"),
        "remove": _("who takes part no longer"),
        "visibility": _("who can read it"),
        "policies": _("who may take part"),
        "addressing": _("to whom it is addressed"),
    }


def _reasons(_: Translate) -> dict[str, str]:
    return {
        "not-allowed": _("their part in it does not allow that"),
        "inactive": _("they were not active in the directory"),
        "not-member": _("they were no member of the group for which they acted"),
        "wrong-patient": _("it was about another patient"),
        "no-reader": _("nobody could have read it"),
        "purpose": _("they gave no reason"),
        "external-participant": _("the thread allows nobody from outside"),
        "thread-not-open": _("the thread was not open"),
        "version-conflict": _("somebody had changed it meanwhile"),
        "nothing-to-change": _("it was so already"),
        "too-much": _("it was too much at once"),
    }
