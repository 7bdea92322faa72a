/* Prints the completion of a program with two commands, for completion.py. */
#include <stdio.h>

#include <options.h>

static const char *const formats[] = { "text", "json", NULL };

static const struct fate__option of_all[] = {
    { .name = "verbose", .letter = 'v', .kind = FATE__OPTION_COUNT },
    { .name = "config", .letter = 'c', .kind = FATE__OPTION_FILE, .value = "FILE" },
    { 0 },
};
static const struct fate__option of_get[] = {
    { .name = "output", .letter = 'o', .kind = FATE__OPTION_FILE, .value = "FILE" },
    { .name = "retries", .letter = 'r', .kind = FATE__OPTION_NUMBER, .value = "N" },
    { .name = "format", .letter = 'f', .kind = FATE__OPTION_CHOICE, .value = "FORMAT", .choices = formats },
    { .name = "quiet", .letter = 'q', .kind = FATE__OPTION_FLAG },
    { 0 },
};
static const struct fate__command commands[] = {
    { .name = "get", .options = of_get },
    { .name = "serve" },
    { 0 },
};
static const struct fate__program program = { .name = "prog", .options = of_all, .commands = commands };

int main(void)
{
    struct fate__text text = { 0 };

    fate__options_bash(&text, &program);
    if (!text.has_failed)
        fputs(text.bytes, stdout);
    fate__text_done(&text);
    return 0;
}
