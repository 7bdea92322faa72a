/* Clocks. */
#include <base/sys.h>
#include <reactor/reactor.h>

static fate_time read_clock(clockid_t clock)
{
    struct timespec now = { 0 };

    fate__sys->clock_gettime(clock, &now);
    return (fate_time)now.tv_sec * FATE_SECOND + now.tv_nsec;
}

fate_time fate__monotonic(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

fate_time fate__coarse(void)
{
    return read_clock(CLOCK_MONOTONIC_COARSE);
}

int64_t fate__wall_time(void)
{
    return read_clock(CLOCK_REALTIME);
}

/* A clock that could not be read says 0: time does not go back for that. */
void fate__set_now(fate_reactor *reactor, fate_time now)
{
    if (now < reactor->now)
        return;
    reactor->now = now;
    fate__timers_pass(&reactor->timers, now);
    reactor->turns.now_ms = (uint32_t)((now - reactor->began) / FATE_MILLISECOND);
}

fate_time fate_now(const fate_reactor *reactor)
{
    fate__check_reactor(reactor, "fate_now", NULL);
    return fate__now((fate_reactor *)reactor);
}

int64_t fate_time_of_day(const fate_reactor *reactor)
{
    fate__check_reactor(reactor, "fate_time_of_day", NULL);
    return reactor->is_simulated ? reactor->now : fate__wall_time();
}
