/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a connection has in the host's queues, below IP: in a qdisc, in a device. Little, so that others need not wait behind it, and its own
 * retransmissions neither (as TCP small queues do).
 *
 * Each packet with payload holds a reference to its connection until it has left the host.
 */
#ifndef FTCP_QUEUE_H
#define FTCP_QUEUE_H

#include <linux/skbuff.h>

struct ftcp_conn;

/** ftcp_queue_full() - conn->lock held: may it make no more for now? Then it is called back (ftcp_conn_unlock) when something has left */
bool ftcp_queue_full(struct ftcp_conn *conn);

/** ftcp_queue_enter() - conn->lock held: @skb, taken off conn->tx, is about to be handed to IP */
void ftcp_queue_enter(struct ftcp_conn *conn, struct sk_buff *skb);

/**
 * ftcp_queue_burst() - conn->lock held, in a softirq: a full segment has come, and perhaps more are behind it in this round
 *
 * Until that is over there is one ACK for many (soft.burst); then ftcp_conn_unlock() is called, and where the ACK is held back (soft.held) once more.
 */
void ftcp_queue_burst(struct ftcp_conn *conn);

void ftcp_queue_init(void);

/** ftcp_queue_exit() - module unload, when there are no connections any more */
void ftcp_queue_exit(void);

#endif
