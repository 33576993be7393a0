"""Previews of a template on a terminal."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from botopt.cli.console import marked, out
from botopt.model.policy import Template
from botopt.verify.previewing import Preview, Sheet, data_words


def print_sheet(sheet: Sheet) -> None:
    """The same, with what lacks and how long every text is."""
    console = out()
    print_previews(sheet.template, sheet.previews, sheet)
    for variant, locales in sheet.missing.items():
        console.print(f"  [yellow]{marked(variant)} has no {marked(' and no '.join(locales))} text[/]")
    console.print()


def print_previews(template: Template, shown: Sequence[Preview], sheet: Sheet | None = None) -> None:
    """Variant by variant, language by language; with a sheet, the length of each text."""
    console = out()
    console.print(f"[bold]{marked(template.name)}[/] {marked(template.description)}")
    if not shown:
        console.print("  no event type uses this template, so there is nothing to show it on", markup=False)
    heading = None
    for preview in shown:
        this = (preview.event_type, preview.sample, preview.event, preview.variant)
        if this != heading:
            heading = this
            note = "" if preview.chosen else f"  [dim]({_not_chosen(preview)})[/]"
            data = marked(data_words(preview))
            console.print(f"\n  [bold]{marked(preview.variant)}[/] on {marked(preview.event_type)}, {data}{note}")
        if preview.rendered is None:
            colour = "red" if preview.eligible else "dim"
            more = "" if preview.eligible else _more(sheet, preview.problem)
            console.print(f"    [{colour}]{preview.locale:<6}[/] {marked(preview.problem)}{more}")
            continue
        words = preview.rendered
        title = f"[bold]{marked(words.title)}[/] — " if words.title else ""
        text = marked(words.text).replace("\n", "\n           ")
        console.print(f"    [cyan]{preview.locale:<6}[/] {title}{text}{_length(sheet, preview)}")
        for button in words.buttons:
            link = f" → {marked(button.link)}" if button.link else ""
            console.print(f"           [reverse] {marked(button.label)} [/]{link}")


def _not_chosen(preview: Preview) -> str:
    return "an earlier variant is chosen" if preview.eligible else "its `when` does not hold for these data"


def _more(sheet: Sheet | None, problem: str) -> str:
    """How to see words that the data are not enough for."""
    if sheet is None:
        return "; give it with --data or --user to see the words"
    return "; give it with --user to see the words" if '"user.' in problem else "; a sample that has it shows the words"


def _length(sheet: Sheet | None, preview: Preview) -> str:
    if sheet is None or preview.rendered is None:
        return ""
    size = len(preview.rendered.text)
    limit = "" if sheet.limit is None else f" of {sheet.limit:,}"
    return f"  [red]({size:,}{limit}: too long)[/]" if sheet.too_long(preview) else f"  [dim]({size:,}{limit})[/]"


def preview_json(preview: Preview) -> str:
    """One preview as a JSON line."""
    return msgspec.json.encode(preview).decode()
