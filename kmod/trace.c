// SPDX-License-Identifier: GPL-2.0
/* The bodies of the tracepoints. */
#ifndef __CHECKER__	/* sparse has no eye for what these macros make */
#define CREATE_TRACE_POINTS
#endif
#include "trace.h"
