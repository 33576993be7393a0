"""A model's card: what it saw, what it beat and by how much, what it must not be used for. Made from its file alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from botopt.authoring import model_card_plots as plots
from botopt.authoring.bubbles import COLOURS
from botopt.authoring.handbook.markup import Html, joined, tag, text
from botopt.authoring.handbook.style import STYLE
from botopt.model.click_model import FEATURES, ModelKind
from botopt.model.counting import number_of
from botopt.model.trained_model import TrainedModel

_NOT_FOR = """
It says how likely a message that was sent is clicked, not what the message caused: people may have come anyway. Only a
holdout can tell (settings: holdout).

It was learned from messages that the policy let out. About others it only guesses, unless some are explored
(engagement: explore).

It must not decide what people have a right to get: consent, legal notices and alarms are rules, not chances.

It must not be used to judge people: its numbers are about messages of this policy, and nothing else.

It is worth what the days after its training are like. When clicks go away from what it foretells, botopt stops asking
it by itself: train it again.
"""
NOT_FOR = tuple(" ".join(part.split()) for part in _NOT_FOR.strip().split("\n\n"))
"""What a model must not be used for, in sentences."""


def cards(trained: TrainedModel) -> Mapping[str, str]:
    """The card in each of its forms, by the ending of its file; equal models give equal bytes."""
    return {".md": markdown(trained), ".html": page(trained)}


def summary(trained: TrainedModel) -> Iterator[tuple[str, str]]:
    """The card's facts as pairs of words."""
    model, training, gate = trained.model, trained.training, trained.gate
    if model.kind is ModelKind.LOGISTIC:
        yield "kind", f"logistic regression, {number_of(len(model.features), 'feature')}"
    else:
        yield "kind", f"{number_of(len(model.trees), 'tree')}, {number_of(len(model.features), 'feature')}"
    yield "digest", trained.digest
    days = f"{training.first_day} to {training.last_day}"
    yield "saw", f"{training.rows:,} messages with a known answer, {training.clicks:,} clicked; {days} (UTC)"
    held_out = f"{training.held_out_rows:,} messages, {training.held_out_clicks:,} clicked"
    yield "judged on", f"the days from {training.held_out_from} on, from which it did not learn: {held_out}"
    yield "beat" if gate.passed else "lost to", _gain(trained)
    ratio = f"{gate.ratio:.2f} clicks came for each that it foretold"
    yield "comes true", f"{ratio} (0.9 to 1.1 pass)"
    if training.weighted:
        yield "explored", f"{number_of(training.weighted, 'message')} that only exploring let out counted more"
    if training.rebuilt is not None:
        yield (
            "rebuilt",
            f"{training.rebuilt:.1%} of decisions had read exactly the values that the log leads to",
        )
    for name, pairs in (("signs kept", training.monotone), ("signs dropped", training.dropped_monotone)):
        if pairs:
            why = "" if name == "signs kept" else ", because held-out log loss rose for it"
            yield name, ", ".join(f"{feature}={sign}" for feature, sign in pairs) + why
    yield "policy", f"revision {training.revision}; trained by botopt {training.botopt}"
    for log in training.logs:
        yield "log", f"{log.name}, sha256 {log.sha256}"


def _gain(trained: TrainedModel) -> str:
    gate = trained.gate
    low, high = gate.gain - 1.96 * gate.error, gate.gain + 1.96 * gate.error
    return (
        f"{gate.incumbent}: log loss {gate.loss:.4f} against {gate.incumbent_loss:.4f}, lower by {gate.gain:.4f} "
        f"(95% interval {low:.4f} to {high:.4f}; one standard error is {gate.error:.4f})"
    )


def markdown(trained: TrainedModel) -> str:
    """The card as Markdown."""
    lines = [f"# Model card: {trained.model.name}", ""]
    lines += [f"- **{name}**: {words}" for name, words in summary(trained)]
    if trained.gate.reasons:
        lines += ["", "## Why it must not be used", "", *(f"- {reason}" for reason in trained.gate.reasons)]
    lines += ["", "## What it must not be used for", "", *(f"- {words}" for words in NOT_FOR)]
    lines += ["", "## What it looks at", ""]
    lines += ["| feature | what it is | mixing it up costs (log loss) | chance, from its low to its high values |"]
    lines += ["| --- | --- | --- | --- |"]
    for effect in sorted(trained.gate.effects, key=lambda each: -each.worth):
        chances = " ".join(f"{chance:.2f}" for chance in effect.chances)
        lines.append(f"| `{effect.feature}` | {FEATURES[effect.feature]} | {effect.worth:+.4f} | {chances} |")
    lines += ["", "## Foretold and clicked, on held-out days", "", "| foretold | clicked | messages |"]
    lines += ["| --- | --- | --- |"]
    lines += [f"| {each.foretold:.3f} | {each.clicked:.3f} | {each.rows} |" for each in trained.gate.bins]
    lines += ["", "## Log loss by held-out day", "", f"| day | model | {trained.gate.incumbent} | messages |"]
    lines += ["| --- | --- | --- | --- |"]
    lines += [f"| {day.day} | {day.loss:.4f} | {day.incumbent_loss:.4f} | {day.rows} |" for day in trained.gate.days]
    return "\n".join(lines) + "\n"


def page(trained: TrainedModel) -> str:
    """The card as a page that needs nothing but a browser."""
    gate, title = trained.gate, f"Model card: {trained.model.name}"
    facts = tag("dl", *(joined(tag("dt", name), tag("dd", words)) for name, words in summary(trained)), class_="facts")
    most = max((chance for each in gate.effects for chance in each.chances), default=1.0)
    effects = (
        tag(
            "figure",
            tag("figcaption", each.feature),
            plots.effect(each, most),
            tag("p", f"{FEATURES[each.feature]}. Mixing it up costs {each.worth:+.4f}.", class_="note"),
        )
        for each in sorted(gate.effects, key=lambda each: -each.worth)
    )
    body = joined(
        tag("h1", title),
        facts,
        *(tag("p", reason, class_="warning") for reason in gate.reasons),
        tag("h2", "What it must not be used for"),
        tag("ul", *(tag("li", words) for words in NOT_FOR)),
        tag("h2", "Foretold and clicked"),
        tag("p", "Held-out messages in ten parts by their chance. A model that is right lies on the dashed line."),
        plots.calibration(gate.bins),
        tag("h2", "Log loss by held-out day"),
        tag("p", f"Round marks: this model. Square marks: {gate.incumbent}. Lower is better."),
        plots.losses(gate.days) if gate.days else Html(),
        tag("h2", "What each feature does"),
        tag("p", "The mean chance when every message had this value, all else as it was."),
        tag("div", *effects, class_="effects"),
        between="\n",
    )
    facts_style = ".facts { display: grid; grid-template-columns: max-content 1fr; gap: .3rem 1rem } dd { margin: 0 }"
    head = joined(
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("title", title),
        tag("style", Html(f"{COLOURS}{STYLE}{plots.STYLE}{facts_style}")),
        between="\n",
    )
    main = text(tag("main", body))
    return f'<!doctype html>\n<html lang="en">\n<head>\n{head}\n</head>\n<body>\n{main}\n</body>\n</html>\n'
