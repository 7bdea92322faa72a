/* A sink into standard output. */
#ifndef FATE_TOOL_OUTPUT_SINK_H
#define FATE_TOOL_OUTPUT_SINK_H

#include <fate/stream.h>

/* Writing is done by the reactor's pool, so that a slow reader keeps nobody else. */
fate_value fate__output_sink(void);

#endif
