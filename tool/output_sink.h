/* Sinks into what is no plain file. */
#ifndef FATE_TOOL_OUTPUT_SINK_H
#define FATE_TOOL_OUTPUT_SINK_H

#include <fate/stream.h>

/* Writing is done by the reactor's pool, so that a slow reader keeps nobody else. */
fate_value fate__output_sink(void);
/* The same for what fate__is_device: that is there, and neither a plain file nor a folder.  The path must
 * live as long as the sink. */
fate_value fate__device_sink(const char *path);
/* What has not been written yet is not waited for. */
void fate__output_give_up(void);
bool fate__is_device(const char *path);

#endif
