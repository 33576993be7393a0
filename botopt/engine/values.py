"""How each name of the expression language gets its value while an event is decided."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from botopt.engine.experiments import arm_of
from botopt.engine.work import Work
from botopt.learning import engagement
from botopt.learning.engagement import Prior
from botopt.model.condition import Ref, Scope, ValueType
from botopt.model.event import Event
from botopt.model.names import WEEKDAYS
from botopt.model.policy import EventType, FieldSpec, Value
from botopt.model.user_state import Response, Send
from botopt.model.zones import local

Getter = Callable[[Work], Value]

_FITTING: Mapping[ValueType, tuple[type, ...]] = {
    ValueType.TEXT: (str,),
    ValueType.INTEGER: (int,),
    ValueType.NUMBER: (float, int),
    ValueType.BOOLEAN: (bool,),
    ValueType.TIME: (int,),
    ValueType.LIST: (list,),
    ValueType.OBJECT: (dict,),
}


def fits(value: Value, type: ValueType) -> bool:
    """Whether a remembered value still has the type that the present policy declares."""
    return isinstance(value, _FITTING[type]) and (isinstance(value, bool) is (type is ValueType.BOOLEAN))


def as_declared(event: Event, event_type: EventType) -> Event:
    """A remembered event as the present policy declares its type: what does not fit is absent, or its default."""
    data: dict[str, Value] = {
        name: event.data[name] if name in event.data and fits(event.data[name], spec.type) else spec.default
        for name, spec in event_type.fields.items()
    }
    present = {name: value for name, value in data.items() if value is not None}
    return Event(event.id, event.source, event.type, event.user, event.time_us, present)


def getter(ref: Ref, attributes: Mapping[str, FieldSpec]) -> Getter:
    """The function that looks a reference up; None is absent."""
    match ref.scope:
        case Scope.EVENT:
            return _field(ref.name)
        case Scope.USER:
            return _attribute(ref.name, attributes)
        case Scope.ENGAGEMENT:
            return _ENGAGEMENT[ref.name]
        case Scope.TIME:
            return _TIME[ref.name]
        case Scope.COUNT:
            return _count(ref.name, ref.window_us)
        case Scope.SEEN:
            return _seen(ref.name, ref.window_us)
        case Scope.SENT:
            return _sent(ref.window_us)
        case Scope.EXPERIMENT:
            return _experiment(ref.name)


def _field(name: str) -> Getter:
    return lambda work: work.event.data.get(name)


def _attribute(name: str, attributes: Mapping[str, FieldSpec]) -> Getter:
    if name == "id":
        return lambda work: work.event.user
    if name == "timezone":
        return lambda work: work.timezone
    if name == "locale":
        return lambda work: work.locale
    spec = attributes.get(name)
    if spec is None:
        return lambda work: None
    type, default = spec.type, spec.default

    def get(work: Work) -> Value:
        value = work.state.attributes.get(name)
        return value if value is not None and fits(value, type) else default

    return get


def prior_of(work: Work) -> Prior:
    """What is expected of users about whom nothing is known; in the control group what the policy says."""
    settings = work.plan.settings.engagement
    if work.control:
        return Prior(settings.prior)
    return engagement.prior_of(settings, work.learned.snapshot, work.event.type)


def rate_of(work: Work) -> float:
    """`engagement.rate` for this event's type; worked out once a decision."""
    if work.rate is None:
        state = work.state
        of_type = state.by_type.get(work.event.type)
        settings = work.plan.settings.engagement
        work.rate = engagement.rate(state.total, of_type, work.now_us, settings, prior_of(work))
    return work.rate


def ignored_in_a_row(work: Work) -> int:
    """Messages ignored since the last click or dismissal, in order of sending; unanswered ones do not count yet."""
    run = 0
    for send in reversed(work.state.sends):
        if send.response is Response.IGNORED:
            run += 1
        elif send.response in (Response.CLICKED, Response.DISMISSED):
            return run
    return run + work.state.ignored_run


_ENGAGEMENT: Mapping[str, Getter] = {
    "rate": rate_of,
    "clicks": lambda work: work.state.total.click_count,
    "ignored_in_a_row": ignored_in_a_row,
}

_TIME: Mapping[str, Getter] = {
    "hour": lambda work: local(work.now_us, work.timezone).hour,
    "weekday": lambda work: WEEKDAYS[local(work.now_us, work.timezone).weekday()],
    "weekend": lambda work: local(work.now_us, work.timezone).weekday() >= 5,
}


def _happened(work: Work, event_type: str, window_us: int) -> int:
    """Remembered events of a type in the window; a release's own event is among them, a new one's is not yet."""
    since = work.now_us - window_us
    total = 0
    for time_us in reversed(work.state.times.get(event_type, ())):
        if time_us <= since:
            break
        total += 1
    return total


def _count(event_type: str, window_us: int) -> Getter:
    def get(work: Work) -> int:
        itself = event_type == work.event.type and not work.is_release
        return _happened(work, event_type, window_us) + itself

    return get


def _seen(event_type: str, window_us: int) -> Getter:
    def get(work: Work) -> bool:
        itself = event_type == work.event.type and work.is_release and work.seen_us > work.now_us - window_us
        return _happened(work, event_type, window_us) > itself

    return get


def _experiment(name: str) -> Getter:
    def get(work: Work) -> Value:
        experiment = work.plan.experiments.get(name)
        return None if experiment is None else arm_of(experiment, work.plan.settings.seed, work.event.user).chosen

    return get


def _sent(window_us: int) -> Getter:
    def get(work: Work) -> int:
        since = work.now_us - window_us
        return sum(1 for send in _newer(work, since))

    return get


def unanswered_since(work: Work, since_us: int) -> int:
    """Sends after `since_us` without a click; failed ones never happened."""
    return sum(1 for send in _newer(work, since_us) if send.response is not Response.CLICKED)


def _newer(work: Work, since_us: int) -> list[Send]:
    found = []
    for send in reversed(work.state.sends):
        if send.time_us <= since_us:
            break
        if send.response is not Response.FAILED:
            found.append(send)
    return found
