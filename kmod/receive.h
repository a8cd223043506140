/* SPDX-License-Identifier: GPL-2.0 */
/* Segments in: from a stolen skb to the core. */
#ifndef FTCP_RECEIVE_H
#define FTCP_RECEIVE_H

#include <linux/skbuff.h>

struct ftcp_net;

struct ftcp_conn;

/**
 * ftcp_receive() - an skb that passed the INPUT firewall, network and transport header set; consumes it. BH.
 * @hint: whose it is, most probably, under RCU; or NULL
 */
void ftcp_receive(struct ftcp_net *fn, struct sk_buff *skb, struct ftcp_conn *hint);

#endif
