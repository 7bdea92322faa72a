/* Content types by the names of files: a sorted table of the common ones. */
#include <http/mime.h>

#include <stdlib.h>
#include <strings.h>

#define SUFFIX_MAX 15 /* bytes; the table has none that is longer */

static const struct fate__mime unknown = { "", "application/octet-stream", false };

/* Names and types as IANA has registered them, where it has. */
const struct fate__mime fate__mimes[] = {
    { "7z", "application/x-7z-compressed", false },
    { "aac", "audio/aac", false },
    { "apk", "application/vnd.android.package-archive", false },
    { "apng", "image/apng", false },
    { "atom", "application/atom+xml", true },
    { "avi", "video/x-msvideo", false },
    { "avif", "image/avif", false },
    { "bin", "application/octet-stream", false },
    { "bmp", "image/bmp", true },
    { "bz2", "application/x-bzip2", false },
    { "c", "text/x-c; charset=utf-8", true },
    { "cc", "text/x-c++; charset=utf-8", true },
    { "conf", "text/plain; charset=utf-8", true },
    { "cpp", "text/x-c++; charset=utf-8", true },
    { "css", "text/css; charset=utf-8", true },
    { "csv", "text/csv; charset=utf-8", true },
    { "cxx", "text/x-c++; charset=utf-8", true },
    { "deb", "application/vnd.debian.binary-package", false },
    { "diff", "text/x-diff; charset=utf-8", true },
    { "djvu", "image/vnd.djvu", false },
    { "dmg", "application/x-apple-diskimage", false },
    { "doc", "application/msword", true },
    { "docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", false },
    { "dtd", "application/xml-dtd", true },
    { "eml", "message/rfc822", true },
    { "eot", "application/vnd.ms-fontobject", true },
    { "eps", "application/postscript", true },
    { "epub", "application/epub+zip", false },
    { "exe", "application/vnd.microsoft.portable-executable", false },
    { "flac", "audio/flac", false },
    { "gif", "image/gif", false },
    { "go", "text/x-go; charset=utf-8", true },
    { "gz", "application/gzip", false },
    { "h", "text/x-c; charset=utf-8", true },
    { "heic", "image/heic", false },
    { "heif", "image/heif", false },
    { "hpp", "text/x-c++; charset=utf-8", true },
    { "htm", "text/html; charset=utf-8", true },
    { "html", "text/html; charset=utf-8", true },
    { "ico", "image/vnd.microsoft.icon", true },
    { "ics", "text/calendar; charset=utf-8", true },
    { "ini", "text/plain; charset=utf-8", true },
    { "iso", "application/x-iso9660-image", false },
    { "jar", "application/java-archive", false },
    { "java", "text/x-java; charset=utf-8", true },
    { "jpeg", "image/jpeg", false },
    { "jpg", "image/jpeg", false },
    { "js", "text/javascript; charset=utf-8", true },
    { "json", "application/json", true },
    { "jsonl", "application/jsonl", true },
    { "jsonld", "application/ld+json", true },
    { "jxl", "image/jxl", false },
    { "log", "text/plain; charset=utf-8", true },
    { "lz", "application/lzip", false },
    { "m3u8", "application/vnd.apple.mpegurl", true },
    { "m4a", "audio/mp4", false },
    { "m4v", "video/mp4", false },
    { "map", "application/json", true },
    { "markdown", "text/markdown; charset=utf-8", true },
    { "md", "text/markdown; charset=utf-8", true },
    { "mid", "audio/midi", true },
    { "midi", "audio/midi", true },
    { "mjs", "text/javascript; charset=utf-8", true },
    { "mkv", "video/matroska", false },
    { "mov", "video/quicktime", false },
    { "mp3", "audio/mpeg", false },
    { "mp4", "video/mp4", false },
    { "mpd", "application/dash+xml", true },
    { "mpeg", "video/mpeg", false },
    { "mpg", "video/mpeg", false },
    { "odp", "application/vnd.oasis.opendocument.presentation", false },
    { "ods", "application/vnd.oasis.opendocument.spreadsheet", false },
    { "odt", "application/vnd.oasis.opendocument.text", false },
    { "oga", "audio/ogg", false },
    { "ogg", "audio/ogg", false },
    { "ogv", "video/ogg", false },
    { "opus", "audio/ogg", false },
    { "otf", "font/otf", true },
    { "patch", "text/x-diff; charset=utf-8", true },
    { "pdf", "application/pdf", false },
    { "pem", "application/x-pem-file", true },
    { "png", "image/png", false },
    { "ppt", "application/vnd.ms-powerpoint", true },
    { "pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation", false },
    { "ps", "application/postscript", true },
    { "py", "text/x-python; charset=utf-8", true },
    { "rar", "application/vnd.rar", false },
    { "rpm", "application/x-rpm", false },
    { "rs", "text/x-rust; charset=utf-8", true },
    { "rss", "application/rss+xml", true },
    { "rst", "text/x-rst; charset=utf-8", true },
    { "rtf", "application/rtf", true },
    { "sh", "text/x-shellscript; charset=utf-8", true },
    { "sql", "application/sql", true },
    { "sqlite", "application/vnd.sqlite3", true },
    { "svg", "image/svg+xml", true },
    { "tar", "application/x-tar", true },
    { "tex", "text/x-tex; charset=utf-8", true },
    { "tgz", "application/gzip", false },
    { "tif", "image/tiff", false },
    { "tiff", "image/tiff", false },
    { "toml", "application/toml", true },
    { "torrent", "application/x-bittorrent", false },
    { "ts", "video/mp2t", false },
    { "tsv", "text/tab-separated-values; charset=utf-8", true },
    { "ttc", "font/collection", true },
    { "ttf", "font/ttf", true },
    { "txt", "text/plain; charset=utf-8", true },
    { "vcf", "text/vcard; charset=utf-8", true },
    { "vtt", "text/vtt; charset=utf-8", true },
    { "wasm", "application/wasm", true },
    { "wav", "audio/wav", false },
    { "weba", "audio/webm", false },
    { "webm", "video/webm", false },
    { "webmanifest", "application/manifest+json", true },
    { "webp", "image/webp", false },
    { "woff", "font/woff", false },
    { "woff2", "font/woff2", false },
    { "xhtml", "application/xhtml+xml", true },
    { "xls", "application/vnd.ms-excel", true },
    { "xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", false },
    { "xml", "application/xml", true },
    { "xsl", "application/xslt+xml", true },
    { "xz", "application/x-xz", false },
    { "yaml", "application/yaml", true },
    { "yml", "application/yaml", true },
    { "zip", "application/zip", false },
    { "zst", "application/zstd", false },
};
const size_t fate__n_mimes = sizeof fate__mimes / sizeof *fate__mimes;

static int compare(const void *key, const void *entry)
{
    return strcasecmp(key, ((const struct fate__mime *)entry)->suffix);
}

const struct fate__mime *fate__mime_of(const char *file_name, size_t len)
{
    char suffix[SUFFIX_MAX + 1];
    const char *dot = len ? memrchr(file_name, '.', len) : NULL;
    size_t before = dot ? (size_t)(dot - file_name) : 0;

    if (before == 0 || dot[-1] == '/' || len - before - 1 > SUFFIX_MAX || memchr(dot, '\0', len - before))
        return &unknown;
    memcpy(suffix, dot + 1, len - before - 1);
    suffix[len - before - 1] = '\0';
    const struct fate__mime *found =
        bsearch(suffix, fate__mimes, fate__n_mimes, sizeof *fate__mimes, compare);
    return found ? found : &unknown;
}

bool fate__add_gz_sibling(struct fate__text *to, const char *file_name, size_t len)
{
    if (!fate__mime_of(file_name, len)->is_compressible)
        return false;
    fate__text_add_n(to, file_name, len);
    fate__text_add(to, ".gz");
    return true;
}
