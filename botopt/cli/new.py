"""`botopt new`: an event type, a template or a suppression, from flags or from answers."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from botopt.cli.options import HERE, Workspace, paragraphs

if TYPE_CHECKING:
    from botopt.authoring.asking import Workspace as Seen
    from botopt.authoring.asking_plans import Planned

app = typer.Typer(no_args_is_help=True, help="Add an event type, a template or a suppression, tidy and checked.")

Several = list[str] | None
Name = Annotated[str | None, typer.Argument(help="Its name; without any options, what is needed is asked.")]
File = Annotated[str, typer.Option("--file", help="The file it goes to, such as rules/orders.yaml; may be a new one.")]
Description = Annotated[str, typer.Option(help="What it is for, in a few words.")]


def event(
    name: Name = None,
    *,
    field: Annotated[
        list[str] | None,
        typer.Option(help='A field, such as "amount:number", or "reason:text?" for an optional one. May be repeated.'),
    ] = None,
    message: Annotated[str, typer.Option(help="The template to send; without one it is only remembered.")] = "",
    weight: Annotated[
        float | None, typer.Option(min=0, max=1, help="How much it matters, with --message; 0.7 without it.")
    ] = None,
    text: Annotated[str, typer.Option(help="What the message says, if the template does not exist yet.")] = "",
    channel: Annotated[str, typer.Option(help="Where it goes, where there are several channels.")] = "",
    category: Annotated[str, typer.Option(help="Its category.")] = "",
    description: Description = "",
    file: File = "",
    workspace: Workspace = HERE,
) -> None:
    """Add an event type; with a message also its template, where there is none of that name."""
    from botopt.authoring.asking import look
    from botopt.authoring.asking_entries import field_of
    from botopt.authoring.asking_plans import plan_event, refuse_ill_named, refuse_taken
    from botopt.model.errors import UsageError

    seen = look(workspace)
    fields = field or []
    if name is None or not any((field, message, text, channel, category, description, file, weight)):
        question = "Name of the event type, such as order_late"
        name = _named(name, question, lambda one: refuse_taken(seen, "event type", one))
        description = _ask("What happened, in a few words (may be empty)", "")
        question = "A field, such as amount:number or reason:text? (empty: no more)"
        while (answer := _ask(question, "", _or_nothing(field_of))) != "":
            fields.append(answer)
        question = "Template of the message (empty: send nothing, only remember)"
        message = _ask(question, "", _or_nothing(refuse_ill_named))
        if message:
            weight = float(_ask("How much it matters, 0 to 1", "0.7", _share))
            text = "" if message in seen.policy.templates else _ask("What the message says (may be empty)", "")
            channels = sorted(seen.policy.channels)
            channel = _one_of("Channel", channels) if len(channels) > 1 else ""
    if not message and (text or weight is not None):
        raise UsageError("a weight and a text belong to a message: name its template with --message")
    plan = plan_event(
        seen,
        name,
        [field_of(one) for one in fields],
        description=description,
        message=message,
        weight=0.7 if weight is None else weight,
        channel=channel,
        category=category,
        text=text,
        file=file,
    )
    _write(seen, plan)


def template(
    name: Name = None,
    text: Annotated[str, typer.Option(help="What it says, in the language of the settings.")] = "",
    description: Description = "",
    file: File = "",
    workspace: Workspace = HERE,
) -> None:
    """Add a template with one text."""
    from botopt.authoring.asking import look
    from botopt.authoring.asking_plans import plan_template, refuse_taken
    from botopt.model.errors import UsageError

    seen = look(workspace)
    if name is None or not any((text, description, file)):
        question = "Name of the template, such as order_late"
        name = _named(name, question, lambda one: refuse_taken(seen, "template", one))
        text = _ask("What it says; {{ amount }} stands for a field")
        description = _ask("What it is for, in a few words (may be empty)", "")
    if not text:
        raise UsageError('say what it says: --text "Your order is late."')
    _write(seen, plan_template(seen, name, text, description, file))


_KINDS = ("cooldown", "limit", "quiet_hours", "resolved_by", "inhibited_by", "in_conversation", "mute")


def suppression(
    name: Name = None,
    *,
    cooldown: Annotated[str, typer.Option(help="After a message, nothing alike for so long: 6h.")] = "",
    per: Annotated[
        list[str] | None, typer.Option(help="With --cooldown: what must be alike, such as order_id.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many messages --within a time.")] = None,
    quiet_hours: Annotated[str, typer.Option(help="Nothing at night: 22:00-08:00.")] = "",
    resolved_by: Annotated[str, typer.Option(help="Nothing after this event --within a time.")] = "",
    same: Annotated[Several, typer.Option(help="With --resolved-by: fields that must be equal.")] = None,
    inhibited_by: Annotated[str, typer.Option(help="Nothing after a message about this event --within a time.")] = "",
    in_conversation: Annotated[str, typer.Option(help="Nothing for so long after the user was active: 5m.")] = "",
    mute: Annotated[str, typer.Option(help="Nothing for so long once --when holds: 7d, or always.")] = "",
    within: Annotated[str, typer.Option(help="A time: 24h, day or week.")] = "",
    when: Annotated[str, typer.Option(help="A condition: only messages for which it holds.")] = "",
    event: Annotated[
        list[str] | None, typer.Option(help="Only messages about this event type. May be repeated.")
    ] = None,
    category: Annotated[Several, typer.Option(help="Only messages of this category. May be repeated.")] = None,
    file: File = "",
    workspace: Workspace = HERE,
) -> None:
    """Add a reason not to send: a cooldown, a limit, quiet hours, and so on."""
    from botopt.authoring.asking import look
    from botopt.authoring.asking_plans import plan_suppression, refuse_taken

    seen = look(workspace)
    given = {
        "cooldown": cooldown,
        "limit": str(limit or ""),
        "quiet_hours": quiet_hours,
        "resolved_by": resolved_by,
        "inhibited_by": inhibited_by,
        "in_conversation": in_conversation,
        "mute": mute,
    }
    events = event or []
    if name is None or not any((*given.values(), per, same, within, when, event, category, file)):
        name = _named(name, "Its id, such as not-twice", lambda one: refuse_taken(seen, "suppression", one))
        kind = _one_of("Kind", _KINDS)
        given[kind] = _ask(_QUESTIONS[kind], check=_hours if kind == "quiet_hours" else None)
        within = _ask("Within what time, such as 24h") if kind in {"limit", "resolved_by", "inhibited_by"} else ""
        when = _ask("Condition, such as engagement.ignored_in_a_row >= 5") if kind == "mute" else ""
        events = _ask("Only for these event types (empty: all)", "").replace(",", " ").split()
    kind = _kind(given)
    value = _hours(given[kind]) if kind == "quiet_hours" else given[kind]
    parts: dict[str, str | Sequence[str]] = {kind: value, "within": within}
    parts |= {"per": ["user", *(per or ())] if per else [], "same": same or [], "events": events}
    _write(seen, plan_suppression(seen, name, {**parts, "categories": category or []}, when=when, file=file))


_QUESTIONS = {
    "cooldown": "For how long, such as 6h",
    "limit": "How many messages at most",
    "quiet_hours": "From when to when, such as 22:00-08:00",
    "resolved_by": "After which event type",
    "inhibited_by": "After a message about which event type",
    "in_conversation": "For how long after the user said or did something, such as 5m",
    "mute": "For how long, such as 7d, or always",
}


def _kind(given: dict[str, str]) -> str:
    from botopt.model.errors import UsageError

    kinds = [kind for kind, value in given.items() if value]
    unknown = [kind for kind in kinds if kind not in _KINDS]
    if len(kinds) != 1 or unknown:
        options = ", ".join(f"--{kind.replace('_', '-')}" for kind in _KINDS)
        raise UsageError(f"a suppression is of exactly one kind; give one of {options}")
    return kinds[0]


def _hours(text: str) -> str:
    from botopt.model.errors import UsageError

    begin, dash, end = (part.strip() for part in text.partition("-"))
    if not (dash and all(re.fullmatch(r"\d\d?:\d\d", part, re.ASCII) for part in (begin, end))):
        raise UsageError(f'quiet hours are written 22:00-08:00, not "{text}"')
    return f'{{from: "{begin}", to: "{end}"}}'


Check = Callable[[str], object]
"""Raises UsageError for an answer that will not do."""


def _ask(question: str, default: str | None = None, check: Check | None = None) -> str:
    """An answer that will do; the question is asked again after one that will not."""
    from botopt.cli.console import say
    from botopt.model.errors import UsageError

    while True:
        try:
            answer = str(typer.prompt(question, default=default, show_default=bool(default))).strip()
        except typer.Abort as fault:
            if isinstance(fault.__context__, KeyboardInterrupt):
                raise KeyboardInterrupt from None
            missing = "an answer is missing, and nothing was written; `botopt new --help` shows options"
            raise UsageError(missing) from None
        try:
            if check is not None:
                check(answer)
        except UsageError as fault:
            say(f"{fault}", style="yellow")
        else:
            return answer


def _or_nothing(check: Check) -> Check:
    return lambda answer: check(answer) if answer else None


def _share(answer: str) -> None:
    from botopt.model.errors import UsageError

    if not re.fullmatch(r"0(?:\.\d+)?|\.\d+|1(?:\.0+)?", answer, re.ASCII):
        raise UsageError(f'type a number from 0 to 1, such as 0.7, not "{answer}"')


def _named(name: str | None, question: str, refuse: Check) -> str:
    """A new name; one that was given with the command is not asked for."""
    from botopt.authoring.asking_plans import refuse_ill_named

    def check(one: str) -> None:
        refuse_ill_named(one)
        refuse(one)

    if name is None:
        return _ask(question, check=check)
    check(name)
    return name


def _one_of(question: str, options: Sequence[str]) -> str:
    from botopt.model.errors import UsageError
    from botopt.model.names import did_you_mean

    def check(one: str) -> None:
        if one not in options:
            raise UsageError(f'"{one}" is none of them; {did_you_mean(one, options) or "type one of these words"}')

    return _ask(f"{question} ({', '.join(options)})", options[0], check)


def _write(seen: Seen, plan: Planned) -> None:
    """Check the plan, write its files, and say what was written."""
    from botopt.authoring.asking import planned
    from botopt.authoring.formatting import difference
    from botopt.cli.console import say
    from botopt.cli.rewriting import rewrite, show_diff
    from botopt.model.errors import InputError, UsageError

    for name, _ in plan:
        known = {file.name for file in seen.snapshot.files}
        if name not in known and (seen.folder / name).exists():
            raise UsageError(
                f"{seen.folder / name} exists, and is no file of this workspace; choose another with --file"
            )
    changes = planned(seen, plan)
    for name, (before, after) in changes.items():
        show_diff(difference(name, before, after, "new"))
    for name, (_, after) in changes.items():
        path = seen.folder / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as fault:
            raise InputError(f"{path.parent}: {fault.strerror}") from fault
        rewrite(path, after)
        say(f"wrote {path}")


for command in (event, template, suppression):
    app.command(help=paragraphs(command))(command)
