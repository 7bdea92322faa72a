/* Sends mail, to many at once: connect, wait, check, send, wait, disconnect; then says what has become of
 * each.
 *
 *     smtp tcp:localhost:25 alice@tea.example ben@tea.example
 *
 * With the argument "demo" it has a server of its own.  The e-mail sender of Twisted's official introduction.
 */
#include "demo.h"
#include "smtp_server.h"

static FATE_CLASS(SMTP_ERROR, "SmtpError", &FATE_ERROR);

/* The last line of an answer, which has a space behind its code; or a failure, if that is another code. */
static fate_value check(fate_coro *co, fate_protocol *server, const char *code)
{
    fate_value answer;

    do
        answer = fate_await(co, fate_receive(server));
    while (!fate_is_failure(&answer) && fate_count(&answer) > 3 && fate_as_str(&answer)[3] == '-');
    if (fate_is_failure(&answer) || strncmp(fate_as_str(&answer), code, 3) == 0)
        return answer;
    fate_value why = fate_raise(&SMTP_ERROR, "%s", fate_as_str(&answer));
    fate_drop(answer);
    return why;
}

static fate_value send_mail(fate_coro *co, fate_protocol *server)
{
    static const char *const codes[] = { "250", "250", "250", "354", "250", "221" };
    const char *to = fate_as_str(server->arg);
    fate_value commands[] = {
        fate_str("HELO me"), fate_str("MAIL FROM:<hatter@tea.example>"),  fate_format("RCPT TO:<%s>", to),
        fate_str("DATA"),    fate_format("To: %s\r\n\r\nBOOM!\r\n.", to), fate_str("QUIT")
    };
    fate_value answer = check(co, server, "220"); /* the greeting */

    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        if (!fate_is_failure(&answer)) {
            fate_send_format(server, "%s", fate_as_str(&commands[i]));
            fate_drop(answer);
            answer = check(co, server, codes[i]);
        }
        fate_drop(commands[i]);
    }
    return answer;
}

static const fate_protocol_ops smtp = { .size = sizeof smtp, .framing = &FATE_LINES, .converse = send_mail };

static fate_value print_results(fate_value *results, fate_value *arg)
{
    char **recipients = fate_as_ptr(arg);

    for (size_t i = 0; i < fate_count(results); i++) {
        const fate_value *result = fate_at(results, i);
        printf("%s: %s\n", recipients[i], fate_is_failure(result) ? fate_message(result) : "sent");
    }
    return fate_none();
}

static fate_deferred *send_to_all(fate_reactor *reactor, const char *endpoint, int n, char **recipients)
{
    fate_deferred *sent[n];

    for (int i = 0; i < n; i++)
        sent[i] = fate_converse(reactor, endpoint, &smtp, fate_str(recipients[i]));
    fate_deferred *all = fate_settle_with(reactor, (size_t)n, sent, .consume_errors = true);
    return fate_add_callback(all, print_results, fate_ptr(recipients));
}

static fate_deferred *start(fate_reactor *reactor, int argc, char **argv)
{
    static char *guests[] = { "alice@tea.example", "nobody@tea.example", "ben@tea.example" };

    if (!is_demo(argc, argv))
        return send_to_all(reactor, argv[1], argc - 2, argv + 2);
    fate_deferred *serving = fate_serve(reactor, "tcp:8025", &smtp_server, fate_none());
    return serve_until(serving, send_to_all(reactor, "tcp:localhost:8025", 3, guests));
}

int main(int argc, char **argv)
{
    if (!is_demo(argc, argv) && argc < 3) {
        fprintf(stderr, "usage: smtp ENDPOINT RECIPIENT...\n");
        return 2;
    }
    return fate_main(start, argc, argv);
}
