/* SPDX-License-Identifier: GPL-2.0 */
/* Segments out: from the core's struct ftcp_segment to IP, with GSO and checksum offload. */
#ifndef FTCP_XMIT_H
#define FTCP_XMIT_H

#include <linux/skbuff.h>
#include "core/segment.h"

struct ftcp_conn;
struct ftcp_conn_key;
struct ftcp_group;
struct ftcp_net;

/**
 * ftcp_xmit_queue() - make the skb for @seg (ports are filled in here), payload by reference from conn->snd, and queue it on conn->tx
 *
 * conn->lock held. A failed allocation or a missing route is counted and is a loss like any other.
 */
void ftcp_xmit_queue(struct ftcp_conn *conn, struct ftcp_segment *seg);

/** ftcp_xmit_flush() - hand conn->tx to IP in order. Called with conn->lock held, returns with it released. */
void ftcp_xmit_flush(struct ftcp_conn *conn) __releases(&conn->lock);

/** ftcp_xmit_purge() - throw conn->tx away. conn->lock held, or nobody else knows it */
void ftcp_xmit_purge(struct ftcp_conn *conn);

/** ftcp_xmit_stateless() - a segment without connection: SYN-ACK, RST. No lock held. */
void ftcp_xmit_stateless(struct ftcp_net *fn, const struct ftcp_group *group, const struct ftcp_conn_key *key,
			 struct ftcp_segment *seg);

/** ftcp_xmit_mss() - MTU of the route to the peer less IP header less 20, at least FTCP_MSS_MIN_BYTES; no lock needed */
u32 ftcp_xmit_mss(struct ftcp_net *fn, const struct ftcp_conn_key *key);

#endif
