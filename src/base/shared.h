/* What libfate exports for libfate-web and its like, and for nobody else. */
#ifndef FATE_SRC_BASE_SHARED_H
#define FATE_SRC_BASE_SHARED_H

#include <fate/base.h>

/* Stands before the functions of the inside that the libraries beyond the core may use.  They come with the
 * version FATE_PRIVATE_x.y.z, so that a library of another version does not start. */
#define FATE__SHARED FATE_API

#endif
