/* Errnos: their names, their words, and the class of failure that each makes.
 *
 * The words are our own, since strerror's depend on the locale, and its thread-safe forms on the C
 * library. */
#include <value/object.h>

#include <errno.h>
#include <stdio.h>

#include <base/site.h>

struct error {
    const char *name, *words;
    const fate_class *class;
};

#define ERROR(id, words, class) [id] = { #id, words, &class }

static const struct error errors[] = {
    ERROR(EPERM, "Operation not permitted", FATE_PERMISSION_ERROR),
    ERROR(ENOENT, "No such file or directory", FATE_FILE_NOT_FOUND),
    ERROR(ESRCH, "No such process", FATE_PROCESS_LOOKUP_ERROR),
    ERROR(EINTR, "Interrupted system call", FATE_INTERRUPTED),
    ERROR(EIO, "Input/output error", FATE_OS_ERROR),
    ERROR(ENXIO, "No such device or address", FATE_OS_ERROR),
    ERROR(E2BIG, "Argument list too long", FATE_OS_ERROR),
    ERROR(ENOEXEC, "Exec format error", FATE_OS_ERROR),
    ERROR(EBADF, "Bad file descriptor", FATE_OS_ERROR),
    ERROR(ECHILD, "No child processes", FATE_CHILD_PROCESS_ERROR),
    ERROR(EAGAIN, "Resource temporarily unavailable", FATE_WOULD_BLOCK),
    ERROR(ENOMEM, "Cannot allocate memory", FATE_NO_MEMORY),
    ERROR(EACCES, "Permission denied", FATE_PERMISSION_ERROR),
    ERROR(EFAULT, "Bad address", FATE_OS_ERROR),
    ERROR(ENOTBLK, "Block device required", FATE_OS_ERROR),
    ERROR(EBUSY, "Device or resource busy", FATE_OS_ERROR),
    ERROR(EEXIST, "File exists", FATE_FILE_EXISTS),
    ERROR(EXDEV, "Invalid cross-device link", FATE_OS_ERROR),
    ERROR(ENODEV, "No such device", FATE_OS_ERROR),
    ERROR(ENOTDIR, "Not a directory", FATE_OS_ERROR),
    ERROR(EISDIR, "Is a directory", FATE_OS_ERROR),
    ERROR(EINVAL, "Invalid argument", FATE_OS_ERROR),
    ERROR(ENFILE, "Too many open files in system", FATE_TOO_MANY_FILES),
    ERROR(EMFILE, "Too many open files", FATE_TOO_MANY_FILES),
    ERROR(ENOTTY, "Inappropriate ioctl for device", FATE_OS_ERROR),
    ERROR(ETXTBSY, "Text file busy", FATE_OS_ERROR),
    ERROR(EFBIG, "File too large", FATE_OS_ERROR),
    ERROR(ENOSPC, "No space left on device", FATE_NO_SPACE),
    ERROR(ESPIPE, "Illegal seek", FATE_OS_ERROR),
    ERROR(EROFS, "Read-only file system", FATE_OS_ERROR),
    ERROR(EMLINK, "Too many links", FATE_OS_ERROR),
    ERROR(EPIPE, "Broken pipe", FATE_BROKEN_PIPE),
    ERROR(EDOM, "Numerical argument out of domain", FATE_OS_ERROR),
    ERROR(ERANGE, "Numerical result out of range", FATE_OS_ERROR),
    ERROR(EDEADLK, "Resource deadlock avoided", FATE_OS_ERROR),
    ERROR(ENAMETOOLONG, "File name too long", FATE_OS_ERROR),
    ERROR(ENOLCK, "No locks available", FATE_OS_ERROR),
    ERROR(ENOSYS, "Function not implemented", FATE_OS_ERROR),
    ERROR(ENOTEMPTY, "Directory not empty", FATE_OS_ERROR),
    ERROR(ELOOP, "Too many levels of symbolic links", FATE_OS_ERROR),
    ERROR(ENOMSG, "No message of desired type", FATE_OS_ERROR),
    ERROR(EIDRM, "Identifier removed", FATE_OS_ERROR),
    ERROR(ECHRNG, "Channel number out of range", FATE_OS_ERROR),
    ERROR(EL2NSYNC, "Level 2 not synchronized", FATE_OS_ERROR),
    ERROR(EL3HLT, "Level 3 halted", FATE_OS_ERROR),
    ERROR(EL3RST, "Level 3 reset", FATE_OS_ERROR),
    ERROR(ELNRNG, "Link number out of range", FATE_OS_ERROR),
    ERROR(EUNATCH, "Protocol driver not attached", FATE_OS_ERROR),
    ERROR(ENOCSI, "No CSI structure available", FATE_OS_ERROR),
    ERROR(EL2HLT, "Level 2 halted", FATE_OS_ERROR),
    ERROR(EBADE, "Invalid exchange", FATE_OS_ERROR),
    ERROR(EBADR, "Invalid request descriptor", FATE_OS_ERROR),
    ERROR(EXFULL, "Exchange full", FATE_OS_ERROR),
    ERROR(ENOANO, "No anode", FATE_OS_ERROR),
    ERROR(EBADRQC, "Invalid request code", FATE_OS_ERROR),
    ERROR(EBADSLT, "Invalid slot", FATE_OS_ERROR),
    ERROR(EBFONT, "Bad font file format", FATE_OS_ERROR),
    ERROR(ENOSTR, "Device not a stream", FATE_OS_ERROR),
    ERROR(ENODATA, "No data available", FATE_OS_ERROR),
    ERROR(ETIME, "Timer expired", FATE_OS_ERROR),
    ERROR(ENOSR, "Out of streams resources", FATE_OS_ERROR),
    ERROR(ENONET, "Machine is not on the network", FATE_OS_ERROR),
    ERROR(ENOPKG, "Package not installed", FATE_OS_ERROR),
    ERROR(EREMOTE, "Object is remote", FATE_OS_ERROR),
    ERROR(ENOLINK, "Link has been severed", FATE_OS_ERROR),
    ERROR(EADV, "Advertise error", FATE_OS_ERROR),
    ERROR(ESRMNT, "Srmount error", FATE_OS_ERROR),
    ERROR(ECOMM, "Communication error on send", FATE_OS_ERROR),
    ERROR(EPROTO, "Protocol error", FATE_OS_ERROR),
    ERROR(EMULTIHOP, "Multihop attempted", FATE_OS_ERROR),
    ERROR(EDOTDOT, "RFS specific error", FATE_OS_ERROR),
    ERROR(EBADMSG, "Bad message", FATE_OS_ERROR),
    ERROR(EOVERFLOW, "Value too large for defined data type", FATE_OS_ERROR),
    ERROR(ENOTUNIQ, "Name not unique on network", FATE_OS_ERROR),
    ERROR(EBADFD, "File descriptor in bad state", FATE_OS_ERROR),
    ERROR(EREMCHG, "Remote address changed", FATE_OS_ERROR),
    ERROR(ELIBACC, "Can not access a needed shared library", FATE_OS_ERROR),
    ERROR(ELIBBAD, "Accessing a corrupted shared library", FATE_OS_ERROR),
    ERROR(ELIBSCN, ".lib section in a.out corrupted", FATE_OS_ERROR),
    ERROR(ELIBMAX, "Attempting to link in too many shared libraries", FATE_OS_ERROR),
    ERROR(ELIBEXEC, "Cannot exec a shared library directly", FATE_OS_ERROR),
    ERROR(EILSEQ, "Invalid or incomplete multibyte or wide character", FATE_OS_ERROR),
    ERROR(ERESTART, "Interrupted system call should be restarted", FATE_OS_ERROR),
    ERROR(ESTRPIPE, "Streams pipe error", FATE_OS_ERROR),
    ERROR(EUSERS, "Too many users", FATE_OS_ERROR),
    ERROR(ENOTSOCK, "Socket operation on non-socket", FATE_OS_ERROR),
    ERROR(EDESTADDRREQ, "Destination address required", FATE_OS_ERROR),
    ERROR(EMSGSIZE, "Message too long", FATE_OS_ERROR),
    ERROR(EPROTOTYPE, "Protocol wrong type for socket", FATE_OS_ERROR),
    ERROR(ENOPROTOOPT, "Protocol not available", FATE_OS_ERROR),
    ERROR(EPROTONOSUPPORT, "Protocol not supported", FATE_OS_ERROR),
    ERROR(ESOCKTNOSUPPORT, "Socket type not supported", FATE_OS_ERROR),
    ERROR(EOPNOTSUPP, "Operation not supported", FATE_OS_ERROR),
    ERROR(EPFNOSUPPORT, "Protocol family not supported", FATE_OS_ERROR),
    ERROR(EAFNOSUPPORT, "Address family not supported by protocol", FATE_OS_ERROR),
    ERROR(EADDRINUSE, "Address already in use", FATE_LISTEN_IN_USE),
    ERROR(EADDRNOTAVAIL, "Cannot assign requested address", FATE_OS_ERROR),
    ERROR(ENETDOWN, "Network is down", FATE_CONNECTION_UNREACHABLE),
    ERROR(ENETUNREACH, "Network is unreachable", FATE_CONNECTION_UNREACHABLE),
    ERROR(ENETRESET, "Network dropped connection on reset", FATE_CONNECTION_RESET),
    ERROR(ECONNABORTED, "Software caused connection abort", FATE_CONNECTION_ABORTED),
    ERROR(ECONNRESET, "Connection reset by peer", FATE_CONNECTION_RESET),
    ERROR(ENOBUFS, "No buffer space available", FATE_OS_ERROR),
    ERROR(EISCONN, "Transport endpoint is already connected", FATE_OS_ERROR),
    ERROR(ENOTCONN, "Transport endpoint is not connected", FATE_OS_ERROR),
    ERROR(ESHUTDOWN, "Cannot send after transport endpoint shutdown", FATE_BROKEN_PIPE),
    ERROR(ETOOMANYREFS, "Too many references: cannot splice", FATE_OS_ERROR),
    ERROR(ETIMEDOUT, "Connection timed out", FATE_TIMEOUT),
    ERROR(ECONNREFUSED, "Connection refused", FATE_CONNECTION_REFUSED),
    ERROR(EHOSTDOWN, "Host is down", FATE_CONNECTION_UNREACHABLE),
    ERROR(EHOSTUNREACH, "No route to host", FATE_CONNECTION_UNREACHABLE),
    ERROR(EALREADY, "Operation already in progress", FATE_WOULD_BLOCK),
    ERROR(EINPROGRESS, "Operation now in progress", FATE_WOULD_BLOCK),
    ERROR(ESTALE, "Stale file handle", FATE_OS_ERROR),
    ERROR(EUCLEAN, "Structure needs cleaning", FATE_OS_ERROR),
    ERROR(ENOTNAM, "Not a XENIX named type file", FATE_OS_ERROR),
    ERROR(ENAVAIL, "No XENIX semaphores available", FATE_OS_ERROR),
    ERROR(EISNAM, "Is a named type file", FATE_OS_ERROR),
    ERROR(EREMOTEIO, "Remote I/O error", FATE_OS_ERROR),
    ERROR(EDQUOT, "Disk quota exceeded", FATE_NO_SPACE),
    ERROR(ENOMEDIUM, "No medium found", FATE_OS_ERROR),
    ERROR(EMEDIUMTYPE, "Wrong medium type", FATE_OS_ERROR),
    ERROR(ECANCELED, "Operation canceled", FATE_CANCELLED),
    ERROR(ENOKEY, "Required key not available", FATE_OS_ERROR),
    ERROR(EKEYEXPIRED, "Key has expired", FATE_OS_ERROR),
    ERROR(EKEYREVOKED, "Key has been revoked", FATE_OS_ERROR),
    ERROR(EKEYREJECTED, "Key was rejected by service", FATE_OS_ERROR),
    ERROR(EOWNERDEAD, "Owner died", FATE_OS_ERROR),
    ERROR(ENOTRECOVERABLE, "State not recoverable", FATE_OS_ERROR),
    ERROR(ERFKILL, "Operation not possible due to RF-kill", FATE_OS_ERROR),
    ERROR(EHWPOISON, "Memory page has hardware error", FATE_OS_ERROR),
};

static const struct error *find(int errnum)
{
    unsigned long n = errnum < 0 ? 0UL - (unsigned long)errnum : (unsigned long)errnum;
    if (n >= sizeof errors / sizeof *errors || !errors[n].name)
        return NULL;
    return &errors[n];
}

/* A number without a name is told by a text that is kept: "errno 999". */
const char *fate_errno_name(int errnum)
{
    const struct error *error = find(errnum);
    char number[32];

    if (error)
        return error->name;
    snprintf(number, sizeof number, "errno %d", errnum < 0 && errnum != INT_MIN ? -errnum : errnum);
    const char *kept = fate__keep_text(number);
    return kept ? kept : "errno without a name";
}

const char *fate__errno_words(int errnum)
{
    const struct error *error = find(errnum);
    return error ? error->words : "Unknown error";
}

const fate_class *fate_errno_class(int errnum)
{
    const struct error *error = find(errnum);
    return error ? error->class : &FATE_OS_ERROR;
}
