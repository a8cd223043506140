/* SPDX-License-Identifier: GPL-2.0 */
/* Reassembly before our hook. The kernel's modules for it are looked up when needed, so that a plain insmod works. */
#ifndef FTCP_DEFRAG_H
#define FTCP_DEFRAG_H

struct net;

/** ftcp_defrag_enable() - reassemble both families in @net; -ENOENT if the kernel cannot */
int ftcp_defrag_enable(struct net *net);
void ftcp_defrag_disable(struct net *net);

#endif
