/* Just enough of a mail server for a demonstration: it takes all mail but that for nobody. */
#ifndef EXAMPLES_SMTP_SERVER_H
#define EXAMPLES_SMTP_SERVER_H

#include <fate/fate.h>
#include <stdio.h>
#include <string.h>

struct smtp_client {
    fate_protocol base;
    bool is_in_mail;
};

static inline void smtp_greet(fate_protocol *p)
{
    fate_send_format(p, "220 tea.example");
}

static inline const char *smtp_answer(struct smtp_client *client, const char *command)
{
    if (strncmp(command, "RCPT", 4) == 0 && strstr(command, "<nobody@"))
        return "550 there is nobody of that name";
    if (strcmp(command, "QUIT") == 0)
        return "221 bye";
    client->is_in_mail = strcmp(command, "DATA") == 0;
    return client->is_in_mail ? "354 end it with a dot" : "250 ok";
}

static inline void smtp_got_line(fate_protocol *p, const char *line, size_t len)
{
    struct smtp_client *client = fate_container_of(p, struct smtp_client, base);

    if (client->is_in_mail && strcmp(line, ".") != 0)
        printf("the server gets: %s\n", line);
    else
        fate_send_format(p, "%s", smtp_answer(client, client->is_in_mail ? "." : line));
}

static const fate_protocol_ops smtp_server = { FATE_PROTOCOL(struct smtp_client), .framing = &FATE_LINES,
                                               .connection_made = smtp_greet,
                                               .message_received = smtp_got_line };

#endif
