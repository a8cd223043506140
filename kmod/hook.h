/* SPDX-License-Identifier: GPL-2.0 */
/* The netfilter hook: which packets are stolen, and their way through the INPUT firewall. */
#ifndef FTCP_HOOK_H
#define FTCP_HOOK_H

struct ftcp_net;

int ftcp_hook_register(struct ftcp_net *fn);
/** ftcp_hook_unregister() - when it returns no stolen packet is on its way any more */
void ftcp_hook_unregister(struct ftcp_net *fn);

#endif
