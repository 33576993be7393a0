"""`botopt schema`: the JSON Schemas of what people write and botopt writes."""

from __future__ import annotations

from typing import Annotated

import typer


def schema(
    name: Annotated[str | None, typer.Argument(help="rules, templates, event, decision, finding …")] = None,
) -> None:
    """Print a JSON Schema, or list them.

    Editors that know JSON Schema then complete and check files as they are typed: save the schema and add
    [bold]# yaml-language-server: $schema=rules.schema.json[/] as a file's first line.
    """
    from botopt.model.data_files import data_dir
    from botopt.model.errors import UsageError
    from botopt.model.names import did_you_mean

    folder = data_dir("schemas")
    known = {path.name.removesuffix(".schema.json"): path for path in sorted(folder.glob("*.schema.json"))}
    if name is None:
        for known_name in known:
            typer.echo(known_name)
    elif name in known:
        typer.echo(known[name].read_text("utf-8"), nl=False)
    else:
        hint = did_you_mean(name, known) or f"there are: {', '.join(known)}"
        raise UsageError(f'there is no schema "{name}"; {hint}')
