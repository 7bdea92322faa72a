/* Sinks for pages: files, and standard output. */
#ifndef FATE_TOOL_FILE_SINK_H
#define FATE_TOOL_FILE_SINK_H

#include <fate/stream.h>

/* A sink into a file, which is there under its name when all has been written, and not before: until then it
 * is called ".NAME.XXXXXX" and goes when something fails.  What was there before is replaced.  "-" is
 * standard output.  Writing is done by the reactor's pool, so that a slow disk or reader keeps nobody else.
 */
fate_value fate__file_sink(const char *path);

#endif
