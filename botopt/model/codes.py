"""The closed set of diagnostic codes. Each has a page in `docs/codes/` and a good and a bad fixture.

B0xx reading files and YAML · B1xx structure, names and values · B2xx conditions ·
B3xx templates · B4xx valid but probably wrong · B5xx the rules network.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from botopt.model.diagnostic import Diagnostic, Severity
from botopt.model.position import Position


class Code(msgspec.Struct, frozen=True):
    """One kind of finding: its name, its usual severity, and its title (the docs page's heading)."""

    id: str
    severity: Severity
    title: str


ERROR, WARNING, INFO = Severity.ERROR, Severity.WARNING, Severity.INFO

_ALL: tuple[Code, ...] = (
    # B0xx: files and YAML (botopt/loading/reader.py)
    Code("B001", ERROR, "A file cannot be read"),
    Code("B002", ERROR, "A file is not UTF-8 text"),
    Code("B003", ERROR, "A character that no text may contain"),
    Code("B004", ERROR, "A part cannot be read as YAML"),
    Code("B005", ERROR, "A key stands twice"),
    Code("B006", ERROR, "Two documents in one file"),
    Code("B007", ERROR, "A tab as indentation"),
    Code("B008", ERROR, "A line is not lined up with its neighbours"),
    Code("B009", ERROR, "Nested too deeply"),
    Code("B010", ERROR, "A YAML tag"),
    Code("B011", ERROR, "A copy with * that cannot be made"),
    Code("B012", ERROR, "A merge with <<"),
    Code("B013", ERROR, "A key is not a plain word"),
    Code("B014", ERROR, "A value is missing"),
    Code("B015", ERROR, "A number in a doubtful notation"),
    Code("B016", ERROR, "A number is out of range"),
    Code("B020", ERROR, "A value goes on after its closing quote"),
    Code("B021", ERROR, "A quote is not closed"),
    Code("B022", ERROR, "A text begins with braces"),
    Code("B023", ERROR, "A colon and a space inside an unquoted text"),
    Code("B024", ERROR, "A # cuts off a text"),
    Code("B025", ERROR, "A comma or bracket cuts a value inside { } or [ ]"),
    Code("B026", ERROR, "${NAME} inside { } or [ ] without quotes"),
    Code("B027", ERROR, "Typographic quotes around a value"),
    Code("B028", ERROR, "A space that is no ordinary space"),
    Code("B029", ERROR, "A text begins with a character that YAML keeps for itself"),
    Code("B030", ERROR, "A colon is missing, or the space after a colon or dash"),
    Code("B031", ERROR, "A backslash between double quotes"),
    Code("B032", ERROR, "A bracket is not closed"),
    # B1xx: structure, names and values (botopt/loading/parse/)
    Code("B101", ERROR, "An unknown key"),
    Code("B102", ERROR, "An unknown name"),
    Code("B103", ERROR, "A key is missing"),
    Code("B104", ERROR, "A value of the wrong kind"),
    Code("B105", ERROR, "A word that is not among the choices"),
    Code("B106", ERROR, "A number outside its bounds"),
    Code("B107", ERROR, "A name that cannot be used"),
    Code("B108", ERROR, "The same name twice"),
    Code("B109", ERROR, "A duration, percentage or time of day that cannot be read"),
    Code("B110", ERROR, "An unknown time zone"),
    Code("B111", ERROR, "Something that must not be empty"),
    Code("B112", ERROR, "A value that its own field does not allow"),
    Code("B113", ERROR, "Keys that do not go together"),
    Code("B114", ERROR, "A suppression without a kind, or with two"),
    Code("B115", ERROR, "A suppression that cannot work"),
    Code("B116", ERROR, "A pattern that cannot be read"),
    Code("B117", ERROR, "A section in the wrong kind of file"),
    Code("B118", ERROR, "No rules to read"),
    Code("B119", ERROR, "Variants of which none fits, or some never"),
    Code("B120", WARNING, "A file that is not read"),
    Code("B121", WARNING, "A rule that changes nothing"),
    Code("B122", WARNING, "A suppression that stops nothing"),
    Code("B123", WARNING, "A template that nothing sends"),
    Code("B124", ERROR, "A secret stands in a file"),
    Code("B125", ERROR, "A ${NAME} that cannot be read"),
    Code("B126", ERROR, "Options of a channel that do not go together"),
    Code("B127", WARNING, "A channel that does not say where users are reached"),
    Code("B128", WARNING, "A channel whose texts nobody carries on"),
    Code("B129", ERROR, "Channels that lead back to each other"),
    Code("B130", ERROR, "A model file that cannot be used"),
    Code("B131", ERROR, "Groups of users that cannot be made"),
    Code("B132", WARNING, "Something that learns, and changes nothing"),
    Code("B133", INFO, "Fatigue beside pacing"),
    Code("B134", WARNING, "A wait that outlasts its message"),
    Code("B135", WARNING, "More exploring than learning needs"),
    # B2xx: conditions (botopt/loading/expression/)
    Code("B201", ERROR, "A condition cannot be read"),
    Code("B202", ERROR, "Not part of the condition language"),
    Code("B203", ERROR, "An unknown name in a condition"),
    Code("B204", ERROR, "Two kinds of values that do not fit"),
    Code("B205", ERROR, "A comparison that never changes"),
    Code("B206", ERROR, "A value that is neither true nor false"),
    Code("B207", ERROR, "count, seen, sent or experiment is not used as it must be"),
    Code("B208", WARNING, "A value that may be absent meets != or not in"),
    # B3xx: templates (botopt/rendering/lint.py)
    Code("B301", ERROR, "A text that cannot be read as a template"),
    Code("B302", ERROR, "Something that templates do not have"),
    Code("B303", ERROR, "An unknown name in a template"),
    Code("B304", ERROR, "A field that not every event type of the template has"),
    Code("B305", ERROR, "A value of the wrong type in a template"),
    Code("B306", ERROR, "A value that can be absent"),
    Code("B307", ERROR, "An unknown filter"),
    Code("B308", ERROR, "Brackets of a filter or function that do not fit"),
    Code("B309", ERROR, "Locales that use different values"),
    Code("B310", ERROR, "A title or button that not every locale has"),
    Code("B311", ERROR, "A variant without the workspace's locale"),
    Code("B312", ERROR, "An unknown locale"),
    Code("B313", ERROR, "A message that cannot be rendered"),
    Code("B314", WARNING, "No sample shows what a list or object holds"),
    Code("B315", WARNING, "Single braces are sent as they stand"),
    Code("B316", ERROR, "A `set` that does not do what it seems to do"),
    Code("B317", WARNING, "A link with a value that is not encoded"),
    Code("B318", WARNING, "A plural form is missing"),
    # B4xx: valid but probably wrong (botopt/verify/checks/)
    Code("B402", WARNING, "An event type that can never be sent"),
    Code("B403", INFO, "An event type that reaches nobody at first"),
    Code("B404", WARNING, "An event type that is always worth sending"),
    Code("B405", WARNING, "A rule that can never match"),
    Code("B406", WARNING, "A rule whose effect never changes an outcome"),
    Code("B407", WARNING, "A rule that another always overrides"),
    Code("B408", WARNING, "A suppression that nothing can reach"),
    Code("B409", WARNING, "A suppression that always blocks"),
    Code("B410", WARNING, "A cooldown that leaves another suppression nothing to do"),
    Code("B411", WARNING, "Quiet hours that outlast every message they hold"),
    Code("B412", INFO, "A declared name that nothing uses"),
    Code("B413", WARNING, "A variant that can never be chosen"),
    Code("B414", WARNING, "A locale that only some variants have"),
    Code("B415", WARNING, "A message longer than its channel takes"),
    Code("B416", WARNING, "An allow comment that allows nothing"),
    Code("B417", WARNING, "An experiment that nothing asks for"),
    Code("B418", WARNING, "A budget that cannot move the threshold"),
    # B5xx: the rules network (botopt/verify/checks/)
    Code("B501", ERROR, "The rules networks disagree"),
)

CODES: Mapping[str, Code] = {code.id: code for code in _ALL}


def finding(
    code: str, position: Position, message: str, hint: str = "", source: str = "", *, witness: str = ""
) -> Diagnostic:
    """A diagnostic with the severity that its code has.

    Raises:
        KeyError: `code` is not in `CODES` (a programmer's fault, so it is not caught).
    """
    return Diagnostic(code, CODES[code].severity, position, message, hint, source, witness)
