/* Texts that live as long as the process. */
#ifndef FATE_SRC_BASE_SITE_H
#define FATE_SRC_BASE_SITE_H

#include <fate/base.h>

/* The same text at an address that never goes; NULL when there is no more room for it.  For few, short
 * texts.  Any thread. */
const char *fate__keep_text(const char *text);

#endif
