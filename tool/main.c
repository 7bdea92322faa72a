/* The `fate` command. */
#include <commands.h>

#include <fcntl.h>
#include <locale.h>

/* A standard descriptor that is closed would be a connection's or a file's, and what is said would go there.
 * Opened like this, standard output and error say that they cannot be written. */
static bool keep_standard_descriptors_taken(void)
{
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd ? O_RDONLY : O_WRONLY) != fd)
            return false;
    return true;
}

int main(int argc, char **argv)
{
    if (!keep_standard_descriptors_taken())
        return FATE__STATUS_USAGE;
    /* For what the terminal can show; nothing else of the locale is of interest here. */
    setlocale(LC_CTYPE, "");
    return fate__tool((const char *const *)argv);
}
