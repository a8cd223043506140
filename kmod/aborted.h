/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which connections this host has reset a short time ago.
 *
 * The peer may answer a reset instead of obeying it (RFC 5961, 3.2: it was not at RCV.NXT, which after a takeover nobody here knows exactly), or not have
 * got it. Where this host must not deny connections that it does not know, since their handshake may be under way, of these it does.
 * A small table in which a newer one may take an older one's place: no promise, and no harm.
 */
#ifndef FTCP_ABORTED_H
#define FTCP_ABORTED_H

#include <linux/types.h>

struct ftcp_conn_key;
struct ftcp_net;

/** ftcp_aborted_note() - this one was reset now. Any context. */
void ftcp_aborted_note(struct ftcp_net *fn, const struct ftcp_conn_key *key);

/** ftcp_aborted_clear() - its addresses and ports begin another one */
void ftcp_aborted_clear(struct ftcp_net *fn, const struct ftcp_conn_key *key);

/** ftcp_aborted_find() - was it reset by this host, not longer ago than a handshake may take? */
bool ftcp_aborted_find(struct ftcp_net *fn, const struct ftcp_conn_key *key);

#endif
