/* All of libfate's core. */
#ifndef FATE_FATE_H
#define FATE_FATE_H

#include <fate/address.h>
#include <fate/base.h>
#include <fate/combine.h>
#include <fate/cooperate.h>
#include <fate/coro.h>
#include <fate/datagram.h>
#include <fate/deferred.h>
#include <fate/diagram.h>
#include <fate/endpoint.h>
#include <fate/failure.h>
#include <fate/fuse.h>
#include <fate/log.h>
#include <fate/process.h>
#include <fate/protocol.h>
#include <fate/reactor.h>
#include <fate/report.h>
#include <fate/resolve.h>
#include <fate/retry.h>
#include <fate/stream.h>
#include <fate/sync.h>
#include <fate/thread.h>
#include <fate/value.h>
#include <fate/workers.h>

#endif
