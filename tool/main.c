/* The `fate` command. */
#include <commands.h>

#include <locale.h>

int main(int argc, char **argv)
{
    /* For what the terminal can show; nothing else of the locale is of interest here. */
    setlocale(LC_CTYPE, "");
    return fate__tool((const char *const *)argv);
}
