/* Says what the parser makes of messages, for compare.js: on standard input "KIND LENGTH\n" and as many
 * bytes, again and again; on standard output a line of JSON for each.  The connection is taken to end behind
 * the bytes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <http/message.h>

/* ---- JSON ---- */

/* Each byte as the character of that number. */
static void print_text(struct fate__http_slice text)
{
    putchar('"');
    for (size_t i = 0; i < text.len; i++)
        printf("\\u%04x", (unsigned char)text.at[i]);
    putchar('"');
}

static void print_fields(const char *name, const struct fate__http_fields *fields)
{
    printf("\"%s\":[", name);
    for (uint32_t i = 0; i < fields->n; i++) {
        fputs(i ? "," : "", stdout);
        print_text(fate__http_field_name(fields, &fields->list[i]));
        putchar(',');
        print_text(fate__http_field_value(fields, &fields->list[i]));
    }
    putchar(']');
}

static void print_head(const struct fate__http_parser *parser)
{
    const struct fate__http_head *head = &parser->head;

    if (parser->is_response) {
        printf("\"status\":%d,\"reason\":", head->status);
        print_text(fate__http_at(&head->fields, head->reason));
    } else {
        printf("\"method\":");
        print_text(fate__http_at(&head->fields, head->method_name));
        printf(",\"target\":");
        print_text(fate__http_at(&head->fields, head->target));
    }
    printf(",\"minor\":%d,\"keeps\":%s,", head->minor, head->keeps_alive ? "true" : "false");
    print_fields("fields", &head->fields);
}

/* ---- Messages ---- */

struct input {
    char kind[16];
    char *bytes;
    size_t n, at;
    struct fate__text body;
};

static void begin(struct fate__http_parser *parser, const struct input *input)
{
    if (strcmp(input->kind, "request") == 0)
        fate__http_next_request(parser);
    else if (strcmp(input->kind, "head") == 0)
        fate__http_next_response(parser, FATE__HTTP_HEAD_METHOD);
    else if (strcmp(input->kind, "connect") == 0)
        fate__http_next_response(parser, FATE__HTTP_CONNECT);
    else
        fate__http_next_response(parser, FATE__HTTP_GET);
}

static enum fate__http_step next_step(struct fate__http_parser *parser, struct input *input)
{
    size_t used;
    enum fate__http_step step =
        fate__http_parse(parser, input->bytes + input->at, input->n - input->at, &used);

    input->at += used;
    return step == FATE__HTTP_MORE ? fate__http_eof(parser) : step;
}

static bool leaves_http(const struct fate__http_head *head)
{
    return head->wants_upgrade || head->is_tunnel || head->method == FATE__HTTP_CONNECT;
}

static void print_end(struct fate__http_parser *parser, struct input *input)
{
    printf(",\"body\":");
    print_text((struct fate__http_slice){ input->body.bytes, input->body.len });
    putchar(',');
    print_fields("trailers", &parser->trailers);
    printf(",\"complete\":%s}", parser->problem ? "false" : "true");
    input->body.len = 0;
}

/* One message, or, before a final response, an interim one.  False: nothing follows. */
static bool print_message(struct fate__http_parser *parser, struct input *input, bool is_first)
{
    enum fate__http_step step = next_step(parser, input);

    if (step != FATE__HTTP_HEAD)
        return false;
    const struct fate__http_head *head = &parser->head;
    bool is_last = !head->keeps_alive || leaves_http(head), is_interim = head->is_interim;
    printf("%s{", is_first ? "" : ",");
    print_head(parser);
    printf(",\"upgrade\":%s", leaves_http(head) ? "true" : "false");
    while (!is_interim && (step = next_step(parser, input)) == FATE__HTTP_DATA)
        fate__text_add_n(&input->body, parser->data.at, parser->data.len);
    print_end(parser, input);
    if (step == FATE__HTTP_ERROR || (is_last && !is_interim))
        return false;
    if (!is_interim)
        begin(parser, input);
    return true;
}

static void print_verdict(struct fate__http_parser *parser)
{
    const char *verdict = parser->problem == FATE__HTTP_CUT ? "cut" : parser->problem ? "refused" : "taken";

    printf("],\"verdict\":\"%s\",\"code\":\"%d\",\"said\":", verdict, parser->status);
    print_text((struct fate__http_slice){ parser->said, strlen(parser->said) });
    printf("}\n");
}

static void print_input(struct input *input)
{
    struct fate__http_parser parser;
    bool is_first = true;

    fate__http_parser_init(&parser, NULL);
    begin(&parser, input);
    printf("{\"messages\":[");
    while (print_message(&parser, input, is_first))
        is_first = false;
    print_verdict(&parser);
    fate__http_parser_done(&parser);
}

int main(void)
{
    struct input input = { .bytes = NULL };

    while (scanf("%15s %zu", input.kind, &input.n) == 2) {
        input.at = 0;
        input.bytes = malloc(input.n + 1);
        if (!input.bytes || getchar() != '\n' || fread(input.bytes, 1, input.n, stdin) != input.n)
            return EXIT_FAILURE;
        print_input(&input);
        free(input.bytes);
    }
    fate__text_done(&input.body);
    return EXIT_SUCCESS;
}
