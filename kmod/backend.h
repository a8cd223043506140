/* SPDX-License-Identifier: GPL-2.0 */
/* A backend: what serves a service's connections. Looked up by name. */
#ifndef FTCP_BACKEND_H
#define FTCP_BACKEND_H

#include <linux/types.h>
#include "core/reason.h"

struct ftcp_conn;
struct ftcp_env;
struct ftcp_conn_key;
struct ftcp_service;

struct ftcp_backend {
	const char *name;
	/**
	 * @work: there may be something to read or room to write, a FIN may have come, or this host has just taken over
	 *
	 * conn->lock held, BH. Reads by ftcp_tcb_consume() and the stores, writes by ftcp_tcb_append(), closes by ftcp_tcb_shutdown().
	 * Must find its place from the tcb alone: on a takeover nothing else is there. @env is the caller's ftcp_conn_env().
	 */
	void (*work)(struct ftcp_conn *conn, const struct ftcp_env *env);
	/** @closed: the connection is no more for this host, its stores are about to be freed; @error: 0 or a negative errno. conn->lock held. Or NULL */
	void (*closed)(struct ftcp_conn *conn, int error);
	/** @admit: may a connection be opened? FTCP_REASON_NONE, or why not; FTCP_REASON_NO_LISTENER is said to the client. Or NULL: always */
	enum ftcp_reason (*admit)(struct ftcp_service *service, const struct ftcp_conn_key *key);
};

extern const struct ftcp_backend ftcp_echo;
extern const struct ftcp_backend ftcp_discard;
extern const struct ftcp_backend ftcp_chargen;
extern const struct ftcp_backend ftcp_socket;

/** ftcp_backend_find() - by name, NULL if there is none */
const struct ftcp_backend *ftcp_backend_find(const char *name);

#endif
