/* Processes and threads. */
#include <base/process.h>

#include <pthread.h>
#include <unistd.h>

unsigned fate__forks;
_Thread_local char fate__thread_mark;

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void has_forked(void)
{
    fate__forks++;
}

static void register_once(void)
{
    (void)pthread_atfork(NULL, NULL, has_forked);
}

void fate__watch_forks(void)
{
    pthread_once(&once, register_once);
}

int fate__pid(void)
{
    return (int)getpid();
}
