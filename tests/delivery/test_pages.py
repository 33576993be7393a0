"""The pages about channels: their examples are valid, and their tables are what the types say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from botopt.delivery.registry import BUILT_IN, CHANNEL_TYPES
from botopt.loading.policy import load_policy
from scripts.mkdocs_hooks import generated

ROOT = Path(__file__).resolve().parents[2]
GUIDES = [ROOT / "docs" / "howto" / name for name in ("delivery.md", "write-a-channel.md")]
PAGES = sorted([*(ROOT / "docs" / "channels").glob("*.md"), *GUIDES])
_BLOCK = re.compile(r"^```yaml\n(.*?)^```", re.DOTALL | re.MULTILINE)


def examples(page: Path) -> list[str]:
    return [block for block in _BLOCK.findall(page.read_text("utf-8")) if re.search(r"^channels:", block, re.MULTILINE)]


def is_known(block: str) -> bool:
    """Whether all its types are ours, not those of the example package."""
    return all(one["type"] in BUILT_IN for one in yaml.safe_load(block)["channels"].values())


def whole(block: str) -> str:
    """An example with what it names and does not declare: channels that take over, and attributes."""
    read = yaml.safe_load(block)
    channels = read["channels"]
    named = {one[key] for one in channels.values() for key in ("fallback", "reply") if key in one}
    attributes = {one["to"].removeprefix("user.") for one in channels.values() if "to" in one}
    for name in sorted(named - channels.keys()):
        channels[name] = {"type": "console"}
    user = read.setdefault("user", {})
    for name in sorted(attributes - user.keys()):
        user[name] = {"type": "text", "optional": True}
    return yaml.safe_dump(read)


@pytest.mark.parametrize(
    "block",
    [pytest.param(block, id=page.stem) for page in PAGES for block in examples(page) if is_known(block)],
)
def test_an_example_is_valid(block: str, tmp_path: Path):
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "a.yaml").write_text(whole(block), "utf-8")
    loaded = load_policy(tmp_path, channel_types=CHANNEL_TYPES)
    assert [f"{one.code} {one.message} {one.hint}" for one in loaded.diagnostics] == []


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_page_has_an_example_of_its_type(name: str):
    blocks = examples(ROOT / "docs" / "channels" / f"{name}.md")
    types = [one["type"] for block in blocks for one in yaml.safe_load(block)["channels"].values()]
    assert name in types


@pytest.mark.parametrize("name", BUILT_IN)
def test_the_generated_part_says_all_that_the_type_says(name: str):
    text = generated(f"channel-{name.replace('_', '-')}")
    assert "Nothing here was run against a live platform." in text
    for option in CHANNEL_TYPES[name].options:
        assert f"| `{option.name}`" in text
    assert f"[`{name}`]({name}.md)" in generated("channels")


def test_every_page_is_about_a_type_and_stands_in_the_navigation():
    assert {page.stem for page in PAGES if page.parent.name == "channels"} == {"index", *BUILT_IN}
    navigation = (ROOT / "mkdocs.yml").read_text("utf-8")
    assert [name for name in BUILT_IN if f"channels/{name}.md" not in navigation] == []
