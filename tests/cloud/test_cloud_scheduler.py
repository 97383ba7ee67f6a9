"""The scheduler: one thread of virtual time."""

import pytest

from orderlab.cloud.scheduler import Outcome, Scheduler


def world() -> Scheduler:
    return Scheduler(1000.0, 0)


def test_things_happen_in_the_order_of_their_time_and_then_of_their_asking() -> None:
    """(time, sequence) decides, nothing else."""
    scheduler, seen = world(), []
    scheduler.after(2, lambda: seen.append("late"))
    scheduler.after(1, lambda: seen.append("first"))
    scheduler.after(1, lambda: seen.append("second"))
    scheduler.run()
    assert seen == ["first", "second", "late"]
    assert scheduler.now == 1002


def test_a_cancelled_timer_never_moves_the_clock() -> None:
    """Otherwise a deleted message would keep the world awake until its visibility timeout."""
    scheduler = world()
    scheduler.after(180, lambda: None).cancel()
    scheduler.run()
    assert scheduler.now == 1000


def test_two_tasks_sleep_side_by_side() -> None:
    """Ten seconds each, ten seconds in all."""
    scheduler, seen = world(), []

    def work(name: str) -> str:
        scheduler.sleep(10)
        seen.append((name, scheduler.now))
        return name

    ends: list[Outcome] = []
    scheduler.spawn(lambda: work("a"), ends.append)
    scheduler.spawn(lambda: work("b"), ends.append)
    scheduler.run()
    assert seen == [("a", 1010), ("b", 1010)]
    assert [end.value for end in ends] == ["a", "b"]


def test_run_until_stops_the_clock_at_that_instant() -> None:
    """What is due later stays due."""
    scheduler, seen = world(), []
    scheduler.after(5, lambda: seen.append(1))
    scheduler.run(until=1003)
    assert (scheduler.now, seen) == (1003, [])
    scheduler.advance(2)
    assert (scheduler.now, seen) == (1005, [1])


def test_time_moves_forward_only() -> None:
    """A negative advance is one clear error."""
    with pytest.raises(ValueError, match="only moves forward"):
        world().advance(-1)


def test_a_task_waits_for_a_condition_or_its_time_out() -> None:
    """The first waiter is woken by the event, the second by its own patience."""
    scheduler, flag, seen = world(), [], []
    scheduler.spawn(lambda: seen.append((scheduler.wait(lambda: bool(flag), 60), scheduler.now)), lambda end: None)
    scheduler.spawn(lambda: seen.append((scheduler.wait(lambda: bool(flag), 3), scheduler.now)), lambda end: None)
    scheduler.after(5, lambda: flag.append(1))
    scheduler.run()
    assert seen == [(False, 1003), (True, 1005)]
    assert scheduler.now == 1005


def test_waiting_for_what_never_comes_ends_when_the_world_is_quiet() -> None:
    """Nothing hangs: without a time-out a quiet world ends the wait."""
    scheduler = world()
    scheduler.after(1, lambda: None)
    assert scheduler.wait(lambda: False) is False
    assert scheduler.wait(lambda: False, 30) is False
    assert scheduler.now == 1031


def test_a_killed_task_raises_where_it_slept() -> None:
    """Its sleep ends at once, with the error."""
    scheduler, ends = world(), []

    class Stop(BaseException):
        pass

    task = scheduler.spawn(lambda: scheduler.sleep(100), ends.append)
    scheduler.after(1, lambda: scheduler.kill(task, Stop()))
    scheduler.run()
    assert isinstance(ends[0].error, Stop)
    assert scheduler.now == 1001


def test_the_world_is_not_run_from_inside_a_task() -> None:
    """A handler sleeps; it does not move everybody's time."""
    scheduler, ends = world(), []
    scheduler.spawn(scheduler.run, ends.append)
    scheduler.run()
    assert "never from inside a handler" in str(ends[0].error)


def test_an_interrupt_in_a_task_reaches_the_keyboard() -> None:
    """Ctrl-C belongs to the person, not to the task's outcome."""
    scheduler = world()

    def interrupted() -> None:
        raise KeyboardInterrupt

    scheduler.spawn(interrupted, lambda end: None)
    with pytest.raises(KeyboardInterrupt):
        scheduler.run()


def test_what_is_done_in_the_background_does_not_keep_the_world_awake() -> None:
    """An alarm looks every minute, for ever: a world with nothing else to do is quiet all the same."""
    scheduler, seen = world(), []

    def look() -> None:
        seen.append(scheduler.now)
        scheduler.after(60, look, background=True)

    scheduler.after(60, look, background=True)
    scheduler.run()
    assert (scheduler.now, seen) == (1000, [])
    scheduler.after(130, lambda: None)
    scheduler.run()
    assert (scheduler.now, seen) == (1130, [1060, 1120])
    scheduler.advance(60)
    assert (scheduler.now, seen) == (1190, [1060, 1120, 1180])


def test_background_and_work_at_one_instant_keep_the_order_of_their_asking() -> None:
    """(time, sequence) decides between the two as well."""
    scheduler, seen = world(), []
    scheduler.after(1, lambda: seen.append("work"))
    scheduler.after(1, lambda: seen.append("background"), background=True)
    scheduler.after(1, lambda: seen.append("more work"))
    scheduler.run()
    assert seen == ["work", "background", "more work"]
