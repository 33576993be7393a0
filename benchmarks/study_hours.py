"""Send time on real people: when maintainers of Debian packages sign changelogs, by their own clocks.

It measures activity, not answers to messages. Names are hashed at once and stand nowhere.
"""

from __future__ import annotations

import gzip
import re
from collections import defaultdict
from datetime import datetime
from hashlib import blake2b
from pathlib import Path
from random import Random

from botopt.learning.send_time import ACTIVE, acted, smoothed, values
from botopt.model.durations import DAY_US
from botopt.model.user_state import Hours
from botopt.verify.simulation.comparing import interval

_TRAILER = re.compile(r"^ -- .*<([^>]+)>  (\w{3}, +\d+ \w{3} \d{4} \d\d:\d\d:\d\d [+-]\d{4})", re.MULTILINE)
_LEAST = 40
_KNOWN = 20
_WINDOW = 3
_PEOPLE = 30


def told(folder: Path) -> str:
    """The part of the page about them."""
    people = [times for times in _people(folder).values() if len(times) >= _LEAST]
    if len(people) < _PEOPLE:
        return f"On changelogs: skipped, {folder} has fewer than {_PEOPLE} people with {_LEAST} entries.\n"
    gains, theirs, everybodys = [], [], []
    for number, times in enumerate(people):
        others = [0.0] * 24
        for each, other in enumerate(people):
            for moment in other if each != number else []:
                others[moment.hour] += 1 / len(other)
        everybody = smoothed([share / sum(others) for share in others])
        Random(number).shuffle(times)
        hours: Hours | None = None
        for moment in times[:_KNOWN]:
            hours = acted(hours, moment.hour, ACTIVE, DAY_US)
        later = [moment.hour for moment in times[_KNOWN:]]
        own, common = _share(later, values(hours, everybody)), _share(later, everybody)
        theirs.append(own)
        everybodys.append(common)
        gains.append(own - common)
    gain = interval(gains)
    return (
        f"On {len(people)} people who sign Debian changelogs in {folder}, {_KNOWN} entries of each known: the share of "
        f"their other entries in the best {_WINDOW} hours is {interval(theirs).mean:.3f} by their own hours and "
        f"{interval(everybodys).mean:.3f} by everybody's; gain {gain.mean:+.3f} ± {gain.half or 0:.3f} (law: at least "
        f"+0.04).\n"
    )


def _share(later: list[int], worth: object) -> float:
    worths = list(worth)  # type: ignore[call-overload]
    best = max(range(24), key=lambda hour: sum(worths[(hour + step) % 24] for step in range(_WINDOW)))
    return sum((hour - best) % 24 < _WINDOW for hour in later) / len(later)


def _people(folder: Path) -> dict[str, list[datetime]]:
    found: defaultdict[str, set[datetime]] = defaultdict(set)
    for path in sorted(folder.glob("*/changelog*.gz")):
        try:
            text = gzip.decompress(path.read_bytes()).decode("utf-8", "replace")
        except (OSError, EOFError):
            continue
        for address, moment in _TRAILER.findall(text):
            name = blake2b(address.lower().encode(), digest_size=8).hexdigest()
            try:
                found[name].add(datetime.strptime(" ".join(moment.split()), "%a, %d %b %Y %H:%M:%S %z"))
            except ValueError:
                continue
    return {name: sorted(times) for name, times in sorted(found.items())}
