/* SPDX-License-Identifier: GPL-2.0 */
/* A backend: what serves a service's connections. Looked up by name. */
#ifndef FTCP_BACKEND_H
#define FTCP_BACKEND_H

#include <linux/types.h>

struct ftcp_conn;

struct ftcp_backend {
	const char *name;
	/**
	 * @work: there may be something to read or room to write, a FIN may have come, or this host has just taken over
	 *
	 * conn->lock held, BH. Reads by ftcp_tcb_consume() and the stores, writes by ftcp_tcb_append(), closes by ftcp_tcb_shutdown().
	 * Must find its place from the tcb alone: on a takeover nothing else is there.
	 */
	void (*work)(struct ftcp_conn *conn);
};

extern const struct ftcp_backend ftcp_echo;
extern const struct ftcp_backend ftcp_discard;
extern const struct ftcp_backend ftcp_chargen;

/** ftcp_backend_find() - by name, NULL if there is none */
const struct ftcp_backend *ftcp_backend_find(const char *name);

#endif
