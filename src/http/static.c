/* Files of a folder, as a resource: which one is asked for. */
#include <http/static.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include <base/alloc.h>
#include <base/options.h>
#include <base/stop.h>
#include <base/sys.h>
#include <http/etag.h>
#include <http/list.h>
#include <http/mime.h>
#include <http/percent.h>

/* ---- Answers that are no file ---- */

static fate_value not_opened(fate_request *request, int why)
{
    switch (-why) {
    case ENOENT:
        return fate_http_raise(404, "%s", "");
    case EACCES:
        return fate_http_raise(403, "%s", "");
    default:
        return fate_raise_errno(-why, "open %.200s", fate_request_path(request));
    }
}

/* A folder is asked for with a slash behind it, so that what its pages refer to is found. */
static fate_value redirect(fate_request *request)
{
    struct fate__text to = { 0 };
    const char *target = fate_request_target(request);
    struct fate__http_slice path = fate__http_target_path(request);
    const char *query = strchr(target, '?');
    const char *from = path.at;
    size_t len = path.len;

    while (len > 1 && from[0] == '/' && from[1] == '/') { /* "//host" would lead elsewhere */
        from++;
        len--;
    }
    fate__text_add_n(&to, from, len);
    fate__text_add(&to, "/");
    fate__text_add(&to, query ? query : "");
    int why = to.has_failed ? -ENOMEM : fate_set_header(request, "Location", to.bytes);
    fate__text_done(&to);
    if (why < 0)
        return why == -ENOMEM ? fate_raise(&FATE_NO_MEMORY, "no memory for a redirect")
                              : fate_http_raise(404, "%s", "");
    fate_set_status(request, 301);
    return fate_str("");
}

/* ---- Files ---- */

static bool accepts_gzip(fate_request *request)
{
    const char *accept = fate_request_header(request, "accept-encoding");
    struct fate__http_slice list = { accept, accept ? strlen(accept) : 0 };

    return accept && fate__http_accepts_coding(list, FATE__HTTP_SLICE("gzip")) > 0;
}

/* The compressed one beside it, unless it is older. */
static void look_for_gz(struct fate__static *files, fate_request *request, const char *path,
                        struct fate__static_file *file)
{
    struct fate__text sibling = { 0 };
    struct stat about;
    int fd = -1;

    if (!fate__add_gz_sibling(&sibling, path, strlen(path)) || sibling.has_failed) {
        fate__text_done(&sibling);
        return;
    }
    if (accepts_gzip(request))
        fd = fate__static_open(files, sibling.bytes, &about);
    fate__http_add_field(request, "Vary", "Accept-Encoding");
    fate__text_done(&sibling);
    if (fd < 0)
        return;
    if (!S_ISREG(about.st_mode) || about.st_mtime < file->about.st_mtime) {
        fate__close(fd);
        return;
    }
    fate__close(file->fd);
    file->fd = fd;
    file->about = about;
    file->is_gzipped = true;
}

static fate_value send_file(struct fate__static *files, fate_request *request, const char *path, int fd,
                            const struct stat *about)
{
    struct fate__static_file file = {
        .fd = fd, .about = *about, .name = path, .cache_control = files->cache_control
    };

    look_for_gz(files, request, path, &file);
    fate__static_send(request, &file);
    return fate_none(); /* the answer has begun */
}

/* Its index.html, else what lies in it. */
static fate_value show_folder(struct fate__static *files, fate_request *request, const char *path, int fd)
{
    struct fate__text index = { 0 };
    struct stat about;
    fate_value v = fate_none();

    fate__text_add(&index, path);
    fate__text_add(&index, "index.html");
    int file = index.has_failed ? -ENOMEM : fate__static_open(files, index.bytes, &about);
    const char *name = file >= 0 ? fate__http_copy(request, index.bytes, index.len) : NULL;
    fate__text_done(&index);
    if (file >= 0 && S_ISREG(about.st_mode) && name) {
        fate__close(fd);
        return send_file(files, request, name, file, &about);
    }
    if (file >= 0)
        fate__close(file);
    bool is_missing = file == -ENOENT || file >= 0;
    if (is_missing && !files->hides_folders)
        return fate__static_list(request, fd, fate_request_path(request));
    fate__close(fd);
    v = not_opened(request, is_missing ? -ENOENT : file);
    return v;
}

static fate_value show(struct fate__static *files, fate_request *request, const char *path)
{
    size_t len = strlen(path);
    bool asks_for_folder = len == 0 || path[len - 1] == '/';
    struct stat about;
    int fd = fate__static_may_show(path) ? fate__static_open(files, path, &about) : -ENOENT;

    if (fd < 0)
        return not_opened(request, fd);
    if (S_ISREG(about.st_mode) && !asks_for_folder)
        return send_file(files, request, path, fd, &about);
    /* The prefix itself has no slash where it was asked for without one. */
    const char *whole = fate_request_path(request);
    bool has_slash = whole[strlen(whole) - 1] == '/';
    if (S_ISDIR(about.st_mode) && asks_for_folder && has_slash)
        return show_folder(files, request, path, fd);
    fate__close(fd);
    return S_ISDIR(about.st_mode) ? redirect(request) : fate_http_raise(404, "%s", "");
}

/* %2F stays as it is in what is left of a path: it is no slash, and no name of a file has one. */
static fate_value serve(fate_request *request, fate_value *arg)
{
    const struct fate__http_head *head = &request->parser.head;
    struct fate__static *files = fate_unbox(struct fate__static, arg);

    if (head->method != FATE__HTTP_GET && head->method != FATE__HTTP_HEAD_METHOD) {
        fate_set_header(request, "Allow", "GET, HEAD, OPTIONS");
        if (head->method == FATE__HTTP_OPTIONS)
            return fate_none();
        return fate_http_raise(405, "%s", "");
    }
    return show(files, request, fate_request_param(request, FATE__HTTP_REST));
}

/* ---- The resource ---- */

static void has_gone(void *data)
{
    struct fate__static *files = data;

    fate__close(files->root);
    fate__free(files->cache_control);
}

static fate_value begin(struct fate__static *files, const char *directory, const fate_static_options *options)
{
    const char *control = options->cache_control;
    size_t n = control ? strlen(control) : 0;

    files->root = fate__sys->open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
    if (files->root < 0)
        return fate_raise_errno(errno, "open the folder %s", directory);
    files->hides_folders = options->hides_folders;
    if (!control)
        return fate_none();
    if (!fate__http_all((struct fate__http_slice){ control, n }, FATE__HTTP_VALUE))
        return fate_raise(&FATE_VALUE_ERROR, "cache_control of the files of %s has control characters",
                          directory);
    files->cache_control = fate__alloc(n + 1);
    if (!files->cache_control)
        return fate_raise(&FATE_NO_MEMORY, "no memory for files");
    memcpy(files->cache_control, control, n + 1);
    return fate_none();
}

fate_resource *fate_static_new_at(fate_reactor *reactor, const char *directory,
                                  const fate_static_options *options, const char *where)
{
    struct fate__static files = { .root = -1, .has_beneath = true };
    fate_static_options ours = { 0 };

    fate__take_options(&ours, sizeof ours, options, "fate_static_new", where);
    fate_value trouble = begin(&files, directory, &ours);
    fate_value box = fate_box_new("struct fate__static", sizeof files, &files, has_gone);
    fate_resource *resource = fate__resource_new(reactor, serve, box, where);

    if (!resource) {
        fate_drop(trouble);
        return fate__http_nothing(reactor);
    }
    resource->trouble = trouble;
    return resource;
}

fate_resource *(fate_static_new)(fate_reactor *reactor, const char *directory)
{
    return fate_static_new_at(reactor, directory, NULL, "fate_static_new");
}

fate_resource *(fate_static_new_with)(fate_reactor *reactor, const char *directory,
                                      const fate_static_options *options)
{
    return fate_static_new_at(reactor, directory, options, "fate_static_new_with");
}
