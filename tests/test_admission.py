"""Who may be evaluated: every lane has its bounds, and whoever waits gets the next place or hears that there is none."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from conftest import wait
from interpol_graph.engine.admission import Admission, Preempted, Slot
from interpol_graph.engine.limits import Lane, Settings
from interpol_graph.engine.outcomes import Busy, Departed


def full(admission: Admission, lane: int) -> bool:
    try:
        with admission.slot(lane):
            return False
    except Busy:
        return True


def test_a_higher_lane_takes_from_those_below() -> None:
    admission = Admission([Lane(3, 0), Lane(2, 0), Lane(1, 0)], 0)
    with ExitStack() as held:
        with admission.slot(2):
            assert full(admission, 2) and not full(admission, 1) and not full(admission, 0)
            held.enter_context(admission.slot(1))
            assert full(admission, 1) and not full(admission, 0)
            held.enter_context(admission.slot(0))
            assert full(admission, 0)
        assert not full(admission, 2) and not full(admission, 0)
    assert admission.running == [0, 0, 0]


def promoted(slot: Slot) -> bool:
    try:
        slot.promote()
    except Preempted:
        return False
    return True


def test_a_query_is_promoted_only_where_there_is_a_place() -> None:
    admission = Admission([Lane(4, 0), Lane(2, 0), Lane(1, 0)], 0)
    with ExitStack() as held:
        slots = [held.enter_context(admission.slot()) for _ in range(3)]
        assert [promoted(slot) for slot in slots] == [True, True, False]
        assert [promoted(slot) for slot in slots[:2]] == [True, False]
        assert admission.running == [3, 2, 1]
        with admission.slot() as last:
            assert not promoted(last) and admission.running == [4, 2, 1]
        assert admission.running == [3, 2, 1], "given back from the lane that it came to"
    assert admission.running == [0, 0, 0]


def test_a_place_in_a_longer_lane_is_taken_again() -> None:
    admission = Admission([Lane(4, 0), Lane(2, 0), Lane(1, 0)], 0)
    with admission.slot() as slot:
        with admission.slot(2):
            assert promoted(slot) and not promoted(slot)
        assert promoted(slot) and admission.running == [1, 1, 1]
    assert admission.running == [0, 0, 0]


def test_whoever_waits_gets_the_place_that_is_left() -> None:
    told: list[int] = []
    admission = Admission([Lane(1, 1)], 30)
    admission.watch = told.append
    with ExitStack() as held, ThreadPoolExecutor(1) as pool:
        with admission.slot():
            waiting = pool.submit(held.enter_context, admission.slot())
            wait(lambda: admission.waiting[0])
            assert full(admission, 0), "the queue is full"
        waiting.result(timeout=10)
        assert admission.running == [1] and told == [1, 0]


def test_a_wait_ends() -> None:
    admission = Admission([Lane(1, 1)], 0.05)
    with admission.slot():
        with pytest.raises(Busy), admission.slot():
            pass
        assert admission.waiting == [0] and admission.running == [1]


def test_one_that_gives_up_leaves_the_queue() -> None:
    admission, gone = Admission([Lane(1, 1)], 30), threading.Event()
    with ExitStack() as held, ThreadPoolExecutor(1) as pool, admission.slot():
        waiting = pool.submit(held.enter_context, admission.slot(gone=gone.is_set))
        wait(lambda: admission.waiting[0])
        gone.set()
        with pytest.raises(Departed):
            waiting.result(timeout=10)
        assert admission.waiting == [0] and admission.running == [1]


def test_one_claim_never_takes_all_places_nor_all_of_the_queue() -> None:
    admission = Admission([Lane(4, 4), Lane(2, 4)], 30)
    with ExitStack() as held, ThreadPoolExecutor(4) as pool:
        crowd = [held.enter_context(admission.slot(claims=("query", f"client {number}"))) for number in range(2)]
        waiting = [pool.submit(held.enter_context, admission.slot(claims=("query",))) for _ in range(3)]
        wait(lambda: admission.waiting[0] == 3)
        with pytest.raises(Busy), admission.slot(claims=("query", "client 3")):
            pass
        with admission.slot(claims=("another", "client 0")), admission.slot(claims=("another", "client 4")):
            assert admission.running == [4, 0]
        crowd[0].promote()  # its place is of another kind then, and those that wait have one more
        wait(lambda: admission.waiting[0] == 2)
        while any(not place.done() for place in waiting):
            held.pop_all().close()
            time.sleep(0.01)
        held.pop_all().close()
    assert not admission.active and not admission.queued and admission.running == [0, 0]


def test_counts_hold_under_many_threads() -> None:
    admission, seen, lock = Admission([Lane(6, 100), Lane(4, 100), Lane(2, 100)], 30), [0, 0, 0], threading.Lock()

    def work(number: int) -> None:
        with admission.slot(number % 3) as slot:
            with lock:
                seen[:] = map(max, seen, admission.running)
            if slot.lane < 2:
                promoted(slot)

    with ThreadPoolExecutor(24) as pool:
        list(pool.map(work, range(600)))
    assert admission.running == [0, 0, 0] and admission.waiting == [0, 0, 0]
    assert all(found <= lane.most for found, lane in zip(seen, admission.lanes, strict=True))


def test_the_memory_of_where_queries_begin_is_bounded() -> None:
    admission = Admission([Lane(1, 0), Lane(1, 0)], 0)
    for number in range(2500):
        admission.remember(f"query {number}", 1)
    assert len(admission.remembered) <= 1000 and admission.remembered["query 2499"] == 1


def test_the_lanes_of_the_settings_lead_upwards() -> None:
    most, queue, seconds = zip(*Settings(long=3, evaluators=9, moment=0.5, queue=5).lanes, strict=True)
    assert most == (9, 6, 3) and queue == (80, 5, 5) and seconds == (0.5, 2.0, float("inf"))
