"""Previews of a template on a terminal."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from botopt.cli.console import marked, out
from botopt.model.policy import Template
from botopt.verify.previewing import Preview


def print_previews(template: Template, shown: Sequence[Preview]) -> None:
    """Variant by variant, language by language."""
    console = out()
    console.print(f"[bold]{marked(template.name)}[/] {marked(template.description)}")
    if not shown:
        console.print("  no event type uses this template, so there is nothing to show it on", markup=False)
    heading = None
    for preview in shown:
        this = (preview.event_type, preview.sample, preview.variant)
        if this != heading:
            heading = this
            note = "" if preview.eligible else "  [dim](its `when` does not hold for these data)[/]"
            console.print(
                f"\n  [bold]{marked(preview.variant)}[/] on {marked(preview.event_type)}, sample {preview.sample}{note}"
            )
        if preview.rendered is None:
            colour = "red" if preview.eligible else "dim"
            more = "" if preview.eligible else "; give it with --data or --user to see the words"
            console.print(f"    [{colour}]{preview.locale:<6}[/] {marked(preview.problem)}{more}")
            continue
        words = preview.rendered
        title = f"[bold]{marked(words.title)}[/] — " if words.title else ""
        text = marked(words.text).replace("\n", "\n           ")
        console.print(f"    [cyan]{preview.locale:<6}[/] {title}{text}")
        for button in words.buttons:
            link = f" → {marked(button.link)}" if button.link else ""
            console.print(f"           [reverse] {marked(button.label)} [/]{link}")


def preview_json(preview: Preview) -> str:
    """One preview as a JSON line."""
    return msgspec.json.encode(preview).decode()
