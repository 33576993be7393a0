"""`botopt schema`: the JSON Schemas of what people write and botopt writes, and those of one workspace."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from typer.core import TyperCommand

_WORKSPACE = ("--workspace", "-w")


class SchemaCommand(TyperCommand):
    """`--workspace` alone means the present folder: `botopt schema --workspace`."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        """The arguments, with a folder behind `--workspace` where there is none."""
        told: list[str] = []
        for index, argument in enumerate(args):
            told.append(argument)
            if argument in _WORKSPACE and (index + 1 == len(args) or args[index + 1].startswith("-")):
                told.append(".")
        return super().parse_args(ctx, told)


def schema(
    name: Annotated[str | None, typer.Argument(help="rules, templates, tests, event, decision, finding …")] = None,
    workspace: Annotated[
        Path | None,
        typer.Option(
            "--workspace",
            "-w",
            metavar="[FOLDER]",
            help="Write schemas with the names of this workspace; without a folder, of the present one.",
        ),
    ] = None,
    add_modelines: Annotated[
        bool, typer.Option("--add-modelines", help="And name them at the head of every file of the workspace.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option("--out", help="The folder to write them to.", show_default=".botopt/schemas")
    ] = None,
) -> None:
    """Print a JSON Schema, or list them; with --workspace, write those of one workspace.

    Editors that know JSON Schema complete and check files as they are typed. [bold]botopt schema --workspace[/] writes
    schemas that also know this workspace's event types, fields, templates and channels, and --add-modelines adds the
    two comments by which editors find them. Run it again when names have changed. Or let the editor run [bold]botopt
    lsp[/], which knows them at any moment.
    """
    from botopt.model.errors import UsageError

    if workspace is not None or add_modelines:
        if name is not None:
            raise UsageError(f'either the published schema "{name}" or those of a workspace: name one of the two')
        _write(workspace or Path(), out, add_modelines=add_modelines)
    elif out is not None:
        raise UsageError("--out goes with --workspace")
    else:
        _published(name)


def _published(name: str | None) -> None:
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


def _write(workspace: Path, out: Path | None, *, add_modelines: bool) -> None:
    import json

    from botopt.authoring.modelines import path_to, with_modelines
    from botopt.authoring.schemas import workspace_schemas
    from botopt.cli.console import err, say
    from botopt.cli.rewriting import rewrite
    from botopt.model.counting import number_of
    from botopt.model.errors import UsageError
    from botopt.verify.live import Live

    if not (workspace / "rules").is_dir():
        raise UsageError(f"{workspace} has no folder rules/: name the folder of a workspace")
    view = Live(workspace).look()
    folder = out or workspace / ".botopt" / "schemas"
    folder.mkdir(parents=True, exist_ok=True)
    paths = {}
    for kind, found in workspace_schemas(view).items():
        paths[kind] = folder / f"{kind}.schema.json"
        paths[kind].write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        say(str(paths[kind]))
    if not view.sound:
        err().print("[yellow]the workspace has errors (botopt validate): some names lack their descriptions[/]")
    if not add_modelines:
        return
    changed = 0
    for file, kind in view.kinds.items():
        path = workspace / file
        before = path.read_bytes()
        try:
            after = with_modelines(before.decode(), path_to(paths[kind].resolve(), path.resolve())).encode()
        except UnicodeDecodeError:
            err().print(f"[yellow]{file} is not UTF-8 text: left alone[/]")
            continue
        if after != before:
            rewrite(path, after.decode())
            changed += 1
    say(f"modelines in {number_of(len(view.kinds), 'file')}, {changed} of them new or changed")
