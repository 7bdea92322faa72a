/* Calls from other threads. */
#include <fate/thread.h>
#include <reactor/thread.h>

#include <errno.h>

#include <reactor/reactor.h>

void fate__threads_init(fate_reactor *reactor)
{
    fate__list_init(&reactor->pools);
    fate__list_init(&reactor->blocking);
}

void fate__threads_stop(fate_reactor *reactor)
{
}

int fate_call_from_thread_at(fate_reactor *reactor, fate_action *action, fate_value arg, const char *site)
{
    fate__check_living(reactor, "fate_call_from_thread", site);
    fate__check_given(&arg, "fate_call_from_thread", site);
    if (fate__unlikely(!action))
        fate__stop(site, "fate_call_from_thread was given a NULL action.");
    return fate__post(&reactor->posts, action, arg, site);
}

int(fate_call_from_thread)(fate_reactor *reactor, fate_action *action, fate_value arg)
{
    return fate_call_from_thread_at(reactor, action, arg, "fate_call_from_thread");
}
