"""Results are kept until they are on the disk."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future

from botopt.model.delivery import Feedback
from botopt.model.durations import SECOND_US
from botopt.model.live import OutboxRow
from botopt.runtime.delivering.conclusions import LONGEST_PAUSE_US, Conclusions
from botopt.runtime.delivering.transitions import Transition
from botopt.runtime.items import Stopping
from tests.runtime.delivering.support import row


class Desk:
    """A writer whose answers are given by hand."""

    def __init__(self) -> None:
        self.asked: list[tuple[Sequence[OutboxRow], Future[None]]] = []
        self.gone = False

    def conclude(self, rows: Sequence[OutboxRow], feedback: Sequence[Feedback] = ()) -> Future[None]:
        if self.gone:
            raise Stopping("the service is ending")
        future: Future[None] = Future()
        self.asked.append((rows, future))
        return future


def begun(*rows: OutboxRow) -> tuple[Desk, Conclusions]:
    desk = Desk()
    conclusions = Conclusions(desk, lambda: None)  # type: ignore[arg-type]
    for each in rows:
        conclusions.add(Transition((each,)))
    assert conclusions.write(0) == []
    return desk, conclusions


def test_a_result_counts_once_it_is_on_the_disk():
    desk, conclusions = begun(row(1), row(2))
    assert (conclusions.write(1), conclusions.unwritten) == ([], 2)
    desk.asked[0][1].set_result(None)
    assert (conclusions.write(2), conclusions.unwritten) == ([row(1), row(2)], 0)
    assert len(desk.asked) == 1


def test_nothing_is_no_result():
    desk, conclusions = begun()
    conclusions.add(Transition())
    conclusions.write(1)
    assert not desk.asked


def test_what_failed_together_is_tried_again_alone_after_a_pause():
    desk, conclusions = begun(row(1), row(2))
    desk.asked[0][1].set_exception(ValueError())
    conclusions.write(5)
    assert conclusions.wait_us(5) == SECOND_US
    conclusions.write(4 + SECOND_US)
    assert len(desk.asked) == 1
    conclusions.write(5 + SECOND_US)
    assert [rows for rows, _ in desk.asked[1:]] == [[row(1)], [row(2)]]
    desk.asked[1][1].set_result(None)
    desk.asked[2][1].set_exception(ValueError("again"))
    assert conclusions.write(6 + SECOND_US) == [row(1)]
    assert (str(conclusions.fault), conclusions.wait_us(6 + SECOND_US)) == ("again", 2 * SECOND_US)


def test_a_writer_that_is_gone_or_takes_nothing_loses_nothing():
    desk, conclusions = begun(row(1))
    desk.asked[0][1].cancel()
    conclusions.write(0)
    desk.gone, now_us, pauses = True, 0, []
    for _ in range(8):
        pauses.append((conclusions.wait_us(now_us) or 0) // SECOND_US)
        now_us += pauses[-1] * SECOND_US
        conclusions.write(now_us)
        assert conclusions.unwritten == 1
    assert pauses == [1, 2, 4, 8, 16, 30, 30, 30]
    assert pauses[-1] * SECOND_US == LONGEST_PAUSE_US
    desk.gone = False
    conclusions.write(now_us + LONGEST_PAUSE_US)
    desk.asked[-1][1].set_result(None)
    assert conclusions.write(now_us + LONGEST_PAUSE_US) == [row(1)]
    assert (conclusions.unwritten, conclusions.fault) == (0, None)


def test_what_was_claimed_again_was_written_after_all():
    desk, conclusions = begun(row(1), row(2))
    desk.asked[0][1].set_exception(OSError())
    conclusions.write(0)
    conclusions.claimed_again(row(1).key)
    conclusions.write(SECOND_US)
    assert [rows for rows, _ in desk.asked[1:]] == [[row(2)]]
