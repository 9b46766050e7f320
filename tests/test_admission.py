"""Who may be evaluated: every lane has its bounds, and whoever waits gets the next place or hears that there is none."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from interpol_graph.engine.admission import Admission, Preempted
from interpol_graph.engine.limits import Lane, Settings
from interpol_graph.engine.outcomes import Busy, Departed


def full(admission: Admission, lane: int) -> bool:
    try:
        admission.take(lane)
    except Busy:
        return True
    admission.leave(lane)
    return False


def test_a_higher_lane_takes_from_those_below() -> None:
    admission = Admission([Lane(3, 0), Lane(2, 0), Lane(1, 0)], 0)
    admission.take(2)
    assert full(admission, 2) and not full(admission, 1) and not full(admission, 0)
    admission.take(1)
    assert full(admission, 1) and not full(admission, 0)
    admission.take(0)
    assert full(admission, 0)
    admission.leave(2)
    assert not full(admission, 2) and not full(admission, 0)
    admission.leave(1)
    admission.leave(0)
    assert admission.running == [0, 0, 0]


def test_a_query_is_promoted_only_where_there_is_a_place() -> None:
    admission = Admission([Lane(4, 0), Lane(2, 0), Lane(1, 0)], 0)
    for _ in range(3):
        admission.take()
    assert admission.promote(1) and admission.promote(1) and not admission.promote(1)
    assert admission.promote(2) and not admission.promote(2)
    assert admission.running == [3, 2, 1]
    admission.leave(2)
    assert admission.promote(1) and admission.promote(2)
    admission.leave(2)
    admission.leave(1)
    assert admission.running == [0, 0, 0]


def test_whoever_waits_gets_the_place_that_is_left() -> None:
    told: list[int] = []
    admission = Admission([Lane(1, 1)], 30)
    admission.watch = told.append
    admission.take()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(admission.take)
        while not admission.waiting[0]:
            time.sleep(0.01)
        assert full(admission, 0), "the queue is full"
        admission.leave()
        waiting.result(timeout=10)
    assert admission.running == [1] and told == [1, 0]


def test_a_wait_ends() -> None:
    admission = Admission([Lane(1, 1)], 0.05)
    admission.take()
    with pytest.raises(Busy):
        admission.take()
    assert admission.waiting == [0] and admission.running == [1]


def test_one_that_gives_up_leaves_the_queue() -> None:
    admission, gone = Admission([Lane(1, 1)], 30), threading.Event()
    admission.take()

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(admission.take, 0, gone.is_set)
        while not admission.waiting[0]:
            time.sleep(0.01)
        gone.set()
        with pytest.raises(Departed):
            waiting.result(timeout=10)
    assert admission.waiting == [0] and admission.running == [1]


def test_counts_hold_under_many_threads() -> None:
    admission, seen, lock = Admission([Lane(6, 100), Lane(4, 100), Lane(2, 100)], 30), [0, 0, 0], threading.Lock()

    def work(number: int) -> None:
        lane = number % 3
        admission.take(lane)
        with lock:
            seen[:] = map(max, seen, admission.running)
        if lane < 2 and admission.promote(lane + 1):
            lane += 1
        admission.leave(lane)

    with ThreadPoolExecutor(24) as pool:
        list(pool.map(work, range(600)))
    assert admission.running == [0, 0, 0] and admission.waiting == [0, 0, 0]
    assert all(found <= lane.most for found, lane in zip(seen, admission.lanes, strict=True))


def test_the_lanes_of_the_settings_lead_upwards() -> None:
    most, queue, seconds = zip(*Settings(long=3, evaluators=9, moment=0.5, queue=5).lanes, strict=True)
    assert most == (9, 6, 3) and queue == (20, 5, 5) and seconds == (0.5, 2.0, float("inf"))


def test_a_slot_is_given_back_from_the_lane_that_it_came_to() -> None:
    admission = Admission([Lane(2, 0), Lane(1, 0)], 0)
    with admission.slot() as slot:
        slot.promote()
        assert admission.running == [1, 1]
        with admission.slot() as other, pytest.raises(Preempted):
            other.promote()
        assert admission.running == [1, 1]
    assert admission.running == [0, 0]
