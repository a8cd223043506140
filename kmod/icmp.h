/* SPDX-License-Identifier: GPL-2.0 */
/* ICMP errors that speak of our connections. */
#ifndef FTCP_ICMP_H
#define FTCP_ICMP_H

#include <linux/skbuff.h>

struct ftcp_net;

/** ftcp_icmp4() - true: it was about a connection of ours and is done with; network header set */
bool ftcp_icmp4(struct ftcp_net *fn, struct sk_buff *skb);
/** ftcp_icmp6() - the same; the ICMPv6 header stands at @at */
bool ftcp_icmp6(struct ftcp_net *fn, struct sk_buff *skb, u32 at);

#endif
