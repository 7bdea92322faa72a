/* Six numbers, of which two pairs are multiplied at a time: it takes 15 seconds.
 *
 * From the talk on Deferreds, 7 Deferred semaphores, multiplySix. */
#include "multiplier.h"

/* A server and how many multiplications at a time it is asked for. */
struct server {
    fate_reactor *reactor;
    fate_semaphore *two;
};

static fate_deferred *limited_remote_multiply(struct server *server, int64_t a, int64_t b)
{
    return fate_semaphore_run(server->two, multiply_remotely,
                              fate_box(struct factors, server->reactor, a, b));
}

static fate_value multiply_products(fate_value *products, fate_value *server)
{
    int64_t first = fate_as_int(fate_at(products, 0));
    int64_t second = fate_as_int(fate_at(products, 1));
    return fate_follow(limited_remote_multiply(fate_as_ptr(server), first, second));
}

static fate_deferred *multiply_both(struct server *server, fate_deferred *first, fate_deferred *second)
{
    return fate_add_callback(fate_gather_of(server->reactor, first, second), multiply_products,
                             fate_ptr(server));
}

static fate_deferred *multiply_four_numbers(struct server *server, int64_t a, int64_t b, int64_t c, int64_t d)
{
    fate_deferred *ab = limited_remote_multiply(server, a, b);
    fate_deferred *cd = limited_remote_multiply(server, c, d);
    return multiply_both(server, ab, cd);
}

static fate_deferred *multiply_six(struct server *server, const int64_t of[6])
{
    fate_deferred *four = multiply_four_numbers(server, of[0], of[1], of[2], of[3]);
    fate_deferred *two = limited_remote_multiply(server, of[4], of[5]);
    return multiply_both(server, four, two);
}

int main(void)
{
    fate_reactor *reactor = fate_reactor_new();
    struct server server = { reactor, fate_semaphore_new(reactor, 2) };
    int64_t numbers[6] = { 2, 3, 4, 5, 6, 7 };

    fate_add_callback(multiply_six(&server, numbers), print_timed, stopwatch(reactor));
    run_for(reactor, 16 * FATE_SECOND);
}
