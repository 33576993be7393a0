"""A box as a rule test in one line: an event, a user and a moment that show what a finding says."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import islice, product

import msgspec

from botopt.engine.calendar import is_quiet
from botopt.engine.experiments import arm_of, is_in_control
from botopt.engine.stages.holdout import is_held_out
from botopt.model.condition import All, Condition, Not, Ref, Scope, ValueType, references
from botopt.model.instants import instant_text
from botopt.model.names import BUILT_IN_ATTRIBUTES
from botopt.model.policy import Consent, FieldSpec, Limit, Mute, Policy, QuietHours
from botopt.model.values import Problem, check
from botopt.model.zones import is_zone, zone
from botopt.network.source import compiled
from botopt.verify.analysis.cells import Cell
from botopt.verify.analysis.moments import Moment
from botopt.verify.analysis.nodes import Box
from botopt.verify.analysis.outlook import Outlook, takes_all
from botopt.verify.analysis.space import Key

_MONDAY = datetime(2026, 3, 2)  # noqa: DTZ001  # a wall clock; its zone comes later
_MORNING = 10 * 60
_MOST_TRIES = 400
_MOST_USERS = 1_000
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)*")
_SOME_TEXTS = ("A-1", "abc", "1", "1234", "AB-1234", "2026-03-02", "a@example.com", "AC-123456")


class Scene(msgspec.Struct, frozen=True):
    """One event of a user about whom nothing else is known: its data, the user's attributes, and when it comes."""

    data: Mapping[str, object]
    attributes: Mapping[str, object]
    at: str


def scene_of(
    outlook: Outlook, box: Box, answers: Mapping[Condition, bool], *, awake: bool = True, sent: bool = False
) -> Scene | None:
    """An event from the box, for which these conditions have these answers.

    `awake`: it comes when no quiet hours of its type are, if the box leaves a choice. `sent`: nothing stops it.
    None: no single event was found, most often because it takes a history.
    """
    space = outlook.space
    refs = [ref for ref in space.refs if ref is not None]
    choices = [list(_choices(outlook, ref, space.left(ref.key, box))) for ref in refs]
    moments = _moments(outlook, box, awake=awake)
    if not all(choices) or not moments:
        return None
    wanted = [*answers.items(), *((one, False) for one in (stopping(outlook) if sent else ()))]
    tests = [(compiled(one, references(one)), references(one), answer) for one, answer in wanted]
    for moment in moments[:3]:
        for chosen in islice(product(*choices), _MOST_TRIES):
            values = {ref.key: value for ref, value in zip(refs, chosen, strict=True)}
            if all(test([_value(values, ref, moment) for ref in asked]) is answer for test, asked, answer in tests):
                return _scene(outlook, values, moment)
    return None


def stopping(outlook: Outlook) -> Iterator[Condition]:
    """What must not hold if a first message shall be sent; quiet hours are not among it."""
    for one in outlook.suppressions:
        exempt = [Not(one.unless.condition)] if one.unless is not None else []
        chosen = [one.when.condition] if one.when is not None else []
        match one.kind:
            case Mute(window_us=None):
                yield All((*chosen, *exempt))
            case Limit() as limit if takes_all(limit, outlook.event_type):
                yield All((*chosen, *exempt))
            case Mute():
                yield All(tuple(chosen))
            case _:
                pass


def _value(values: Mapping[Key, object], ref: Ref, moment: Moment) -> object:
    return moment.value(ref.name) if ref.scope is Scope.TIME else values[ref.key]


def _choices(outlook: Outlook, ref: Ref, cells: Sequence[Cell]) -> Iterator[object]:
    """Values of these cells, the usual ones first."""
    usual = _usual(outlook, ref)
    if ref.scope not in (Scope.EVENT, Scope.USER, Scope.EXPERIMENT):  # a history is not made up
        yield from (usual for cell in cells if _in(usual, cell, ref))
        return
    if usual is not None or any(cell.value is None for cell in cells):
        yield from (usual for cell in cells if _in(usual, cell, ref))
    for cell in cells:
        if cell.sure and cell.value is not None:
            yield cell.value
            if ref.type in (ValueType.INTEGER, ValueType.NUMBER) and not cell.single:
                whole = ref.type is ValueType.INTEGER
                for end in (cell.low, cell.high, 2 * cell.low + 1, 1, 1000):
                    if cell.low <= end <= cell.high and abs(end) < 1e15:
                        yield int(end) if whole else float(end)
    if any(cell.value is None for cell in cells):
        yield None


def _in(value: object, cell: Cell, ref: Ref) -> bool:
    """Whether a usual value lies in a cell."""
    if value is None or cell.value is None:
        return value is cell.value
    if ref.type in (ValueType.INTEGER, ValueType.NUMBER):
        return isinstance(value, int | float) and cell.low <= value <= cell.high
    return value == cell.value


def _usual(outlook: Outlook, ref: Ref) -> object:
    """What it is for a user about whom nothing is known."""
    match ref.scope:
        case Scope.EVENT:
            spec = outlook.event_type.fields.get(ref.name)
            return None if spec is None else spec.default
        case Scope.USER:
            spec = outlook.policy.attributes.get(ref.name)
            built_in = {"id": "u1", "timezone": outlook.policy.settings.timezone, "locale": _locale(outlook)}
            return built_in.get(ref.name) if spec is None else spec.default
        case Scope.ENGAGEMENT:
            return outlook.policy.settings.engagement.prior if ref.name == "rate" else 0
        case Scope.COUNT:
            return int(ref.name == outlook.event_type.name)
        case Scope.SENT:
            return 0
        case Scope.EXPERIMENT:
            experiment = outlook.policy.experiments[ref.name]
            return arm_of(experiment, outlook.policy.settings.seed, "u1").chosen
        case _:
            return False


def _locale(outlook: Outlook) -> str:
    return outlook.policy.settings.locale


def _moments(outlook: Outlook, box: Box, *, awake: bool) -> list[Moment]:
    """The moments of the box, good ones first."""
    hours = [one.kind for one in outlook.suppressions if isinstance(one.kind, QuietHours)]
    space = outlook.space
    if space.moments:
        place = space.places[Scope.TIME, "", 0]
        left = [moment for bit, moment in enumerate(space.moments) if box[place] >> bit & 1]
    else:
        left = [Moment(begin, begin + 30) for begin in range(0, 7 * 24 * 60, 30)]
    return sorted(left, key=lambda one: (awake and _quiet(hours, one), abs(one.begin - _MORNING)))


def _quiet(hours: Sequence[QuietHours], moment: Moment) -> bool:
    wall = _MONDAY + timedelta(minutes=moment.begin)
    return any(is_quiet(one, wall) for one in hours)


def _scene(outlook: Outlook, values: Mapping[Key, object], moment: Moment) -> Scene | None:
    event_type, policy = outlook.event_type, outlook.policy
    data: dict[str, object] = {}
    for name, spec in event_type.fields.items():
        key = (Scope.EVENT, name, 0)
        value = values.get(key, spec.default)
        if value is None and key not in values and not spec.optional:
            value = _invented(outlook, spec)
            if value is None:
                return None
        if value is not None and value != spec.default:
            data[name] = _written(spec, value)
            if isinstance(check(spec, data[name]), Problem):
                return None
    attributes: dict[str, object] = {}
    for key, value in values.items():
        if key[0] is Scope.USER and value is not None:
            spec = policy.attributes.get(key[1]) or BUILT_IN_ATTRIBUTES[key[1]]
            usual = _usual(outlook, Ref(Scope.USER, key[1], spec.type))
            if value != usual:
                attributes[key[1]] = _written(spec, value)
    zone_name = str(attributes.get("timezone", policy.settings.timezone))
    if not is_zone(zone_name):
        return None
    user = _user(policy, values, attributes.get("id"))
    if user is None:
        return None
    if user != "u1":
        attributes["id"] = user
    wall = (_MONDAY + timedelta(minutes=moment.begin)).replace(tzinfo=zone(zone_name))
    return Scene(data, attributes, instant_text(int(wall.timestamp()) * 1_000_000))


def _user(policy: Policy, values: Mapping[Key, object], named: object) -> str | None:
    """Somebody who is in these arms of experiments, and neither held out nor in the control group if that can be."""
    settings = policy.settings
    arms = {key[1]: value for key, value in values.items() if key[0] is Scope.EXPERIMENT}

    def fits(user: str) -> bool:
        return all(arm_of(policy.experiments[name], settings.seed, user).chosen == arm for name, arm in arms.items())

    if named is not None:
        return str(named) if fits(str(named)) else None
    fitting = [name for name in (f"u{number}" for number in range(1, _MOST_USERS)) if fits(name)]
    heard = [name for name in fitting if not is_held_out(settings, name)]
    learned = (name for name in heard if not is_in_control(settings, name))
    return next(learned, None) or next(iter(heard), None) or next(iter(fitting), None)


def _written(spec: FieldSpec, value: object) -> object:
    """As an event carries it."""
    if spec.type is ValueType.TIME and isinstance(value, int):
        return instant_text(value)
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 1e15 else value


def _invented(outlook: Outlook, spec: FieldSpec) -> object:
    """A value for a required field on which nothing depends: from a sample, else made up."""
    samples = (
        sample[spec.name]
        for name in outlook.policy.templates_of(outlook.event_type)
        if name in outlook.policy.templates
        for sample in outlook.policy.templates[name].samples
        if sample.get(spec.name) is not None
    )
    made_up: Mapping[ValueType, Sequence[object]] = {
        ValueType.TEXT: (*spec.one_of, *_SOME_TEXTS),
        ValueType.INTEGER: (*spec.one_of, 1, spec.minimum or 0, spec.maximum or 0),
        ValueType.NUMBER: (*spec.one_of, 1, spec.minimum or 0, spec.maximum or 0),
        ValueType.BOOLEAN: (False,),
        ValueType.TIME: ("2026-03-05T12:00:00Z",),
        ValueType.LIST: ([],),
        ValueType.OBJECT: ({},),
    }
    candidates = (*samples, *made_up[spec.type])
    return next((one for one in candidates if not isinstance(check(spec, one), Problem)), None)


def as_test(
    outlook: Outlook, scene: Scene | None, name: str, expect: Mapping[str, object], then: Sequence[object] = ()
) -> str:
    """The rule test in one line, to be pasted below `tests:`; empty without a scene. `then` are further steps."""
    if scene is None:
        return ""
    event_type = outlook.event_type
    category = None if event_type.category is None else outlook.policy.categories.get(event_type.category)
    steps: list[object] = []
    if category is not None and category.consent is Consent.OPT_IN:
        steps.append({"subscribe": {"category": category.name}})
    step: dict[str, object] = {"send": event_type.name}
    if scene.data:
        step["with"] = scene.data
    steps.append({**step, "expect": expect} if expect else step)
    test: dict[str, object] = {"name": name, "at": scene.at}
    if scene.attributes:
        test["user"] = scene.attributes
    return f"- {flow({**test, 'steps': [*steps, *then]})}"


def flow(value: object) -> str:
    """YAML in one line."""
    match value:
        case bool():
            return str(value).lower()
        case Mapping():
            return "{" + ", ".join(f"{key}: {flow(inner)}" for key, inner in value.items()) + "}"
        case list() | tuple():
            return f"[{', '.join(map(flow, value))}]"
        case str():
            plain = _PLAIN.fullmatch(value) and value.lower() not in {"true", "false", "null"}
            return value if plain else "'" + value.replace("'", "''") + "'"
        case None:
            return "null"
        case _:
            return f"{value:.9g}" if isinstance(value, float) and value == round(value, 6) else repr(value)
