/* Which process and which thread this is. */
#ifndef FATE_SRC_BASE_PROCESS_H
#define FATE_SRC_BASE_PROCESS_H

/* How often this process is the child of a fork since fate__watch_forks was first called. */
extern unsigned fate__forks;
void fate__watch_forks(void);

int fate__pid(void);

/* An address that no other living thread has. */
extern _Thread_local char fate__thread_mark;
static inline const void *fate__this_thread(void)
{
    return &fate__thread_mark;
}

#endif
