/* How a post wakes a loop that sleeps: a model of src/reactor/post.h, for Spin.
 *
 * Two threads put two posts each into the queue while the loop takes them out and sleeps in between.  The
 * atomics of post.h are sequentially consistent, and so is Spin; each step here is one of them.  If a wake-up
 * were lost, the loop would sleep for ever with posts in the queue, which Spin reports as an invalid end
 * state.
 *
 * check.py also defines each of these, one at a time; what is broken so must be refuted:
 * mutant: WITHOUT_SECOND_LOOK    the loop does not look at the queue again after it has said that it sleeps
 * mutant: LOOKS_FIRST            a thread looks at `asleep` before it puts its post in
 * mutant: SAYS_LATE              the loop says that it sleeps after it has looked
 * mutant: FOREIGN_WITHOUT_WAKE   before it hands over to a foreign loop it does not wake itself for posts */

#define THREADS 2
#define POSTS   2
#define ALL     (THREADS * POSTS)

byte newest = 0; /* how many posts have been put in; the exchange gives each its place */
byte oldest = 0; /* how many have been taken out */
bool tied[ALL];  /* whether a post hangs on the one before it */
byte called = 0;
bool asleep = false;
bool readable = false; /* the eventfd, edge-triggered: a write since it was last waited for */

/* fate__posts_wake */
inline wake(was)
{
    atomic {
        was = asleep;
        asleep = false
    };
    if
    :: was -> readable = true
    :: else
    fi
}

proctype thread()
{
    byte i = 0, place;
    bool was, seen;

    do
    :: i == POSTS -> break
    :: else ->
#ifdef LOOKS_FIRST
        seen = asleep;
#endif
        atomic {
            place = newest;
            newest++
        };
        tied[place] = true;
#ifndef LOOKS_FIRST
        seen = asleep;
#endif
        if
        :: seen -> wake(was)
        :: else
        fi;
        i++
    od
}

/* fate__run_posts: up to the newest of when it began. */
inline run_posts(mark)
{
    mark = newest;
    do
    :: oldest == mark -> break
    :: else ->
        tied[oldest]; /* wait_for_next */
        oldest++;
        called++
    od
}

/* sleep_once: fate__posts_may_sleep, and waiting. */
inline sleep_once(is_empty)
{
#ifdef SAYS_LATE
    is_empty = newest == oldest;
    asleep = true;
#else
    asleep = true;
#ifdef WITHOUT_SECOND_LOOK
    is_empty = true;
#else
    is_empty = newest == oldest;
#endif
#endif
    if
    :: is_empty ->
        atomic {
            readable;
            readable = false
        }
    :: else ->
        asleep = false;
        readable = false /* it looks without waiting */
    fi;
    asleep = false /* fate__posts_awake */
}

/* hand_to_foreign_loop; the foreign loop waits then, and calls fate_iterate. */
inline wait_in_foreign_loop(is_empty, was)
{
    asleep = true;
    is_empty = newest == oldest;
    if
    :: is_empty
    :: else ->
        asleep = false;
        asleep = true;
#ifndef FOREIGN_WITHOUT_WAKE
        wake(was)
#endif
    fi;
    atomic {
        readable;
        readable = false
    };
    asleep = false
}

active proctype loop()
{
    byte mark;
    bool is_empty, was;

    run thread();
    run thread();
    do
    :: called == ALL -> break
    :: else ->
        run_posts(mark);
        if
        :: called == ALL
        :: else ->
            /* how_long: with posts in the queue it does not try to sleep. */
            if
            :: newest != oldest
            :: newest == oldest -> sleep_once(is_empty)
            :: true -> wait_in_foreign_loop(is_empty, was)
            fi
        fi
    od;
    assert(oldest == ALL && newest == ALL)
}
