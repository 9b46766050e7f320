"""Who may be evaluated: every rung has its bounds, and whoever waits gets the next place or hears that there is none."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from interpol_graph.engine.admission import Full, Places
from interpol_graph.engine.limits import Settings


def full(places: Places, rung: int) -> bool:
    try:
        places.take(rung)
    except Full:
        return True
    places.leave(rung)
    return False


def test_a_higher_rung_takes_from_those_below() -> None:
    places = Places([3, 2, 1], [0] * 3, 0)
    places.take(2)
    assert full(places, 2) and not full(places, 1) and not full(places, 0)
    places.take(1)
    assert full(places, 1) and not full(places, 0)
    places.take(0)
    assert full(places, 0)
    places.leave(2)
    assert not full(places, 2) and not full(places, 0)
    places.leave(1)
    places.leave(0)
    assert places.running == [0, 0, 0]


def test_a_query_climbs_only_where_there_is_a_place() -> None:
    places = Places([4, 2, 1], [0] * 3, 0)
    for _ in range(3):
        places.take()
    assert places.climb(1) and places.climb(1) and not places.climb(1)
    assert places.climb(2) and not places.climb(2)
    assert places.running == [3, 2, 1]
    places.leave(2)
    assert places.climb(1) and places.climb(2)
    places.leave(2)
    places.leave(1)
    assert places.running == [0, 0, 0]


def test_whoever_waits_gets_the_place_that_is_left() -> None:
    told: list[int] = []
    places = Places([1], [1], 30)
    places.watch = told.append
    places.take()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(places.take)
        while not places.waiting[0]:
            time.sleep(0.01)
        assert full(places, 0), "the queue is full"
        places.leave()
        waiting.result(timeout=10)
    assert places.running == [1] and told == [1, 0]


def test_patience_ends() -> None:
    places = Places([1], [1], 0.05)
    places.take()
    with pytest.raises(Full):
        places.take()
    assert places.waiting == [0] and places.running == [1]


def test_one_that_gives_up_leaves_the_queue() -> None:
    places, gone = Places([1], [1], 30), threading.Event()
    places.take()

    def look() -> None:
        if gone.is_set():
            raise InterruptedError

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(places.take, 0, look)
        while not places.waiting[0]:
            time.sleep(0.01)
        gone.set()
        with pytest.raises(InterruptedError):
            waiting.result(timeout=10)
    assert places.waiting == [0] and places.running == [1]


def test_counts_hold_under_many_threads() -> None:
    places, seen, lock = Places([6, 4, 2], [100] * 3, 30), [0, 0, 0], threading.Lock()

    def work(number: int) -> None:
        rung = number % 3
        places.take(rung)
        with lock:
            seen[:] = map(max, seen, places.running)
        if rung < 2 and places.climb(rung + 1):
            rung += 1
        places.leave(rung)

    with ThreadPoolExecutor(24) as pool:
        list(pool.map(work, range(600)))
    assert places.running == [0, 0, 0] and places.waiting == [0, 0, 0]
    assert all(found <= most for found, most in zip(seen, places.most, strict=True))


def test_the_rungs_of_the_settings_lead_upwards() -> None:
    most, queue, seconds = zip(*Settings(long=3, evaluators=9, moment=0.5, queue=5).rungs, strict=True)
    assert most == (9, 6, 3) and queue == (20, 5, 5) and seconds == (0.5, 2.0, float("inf"))
