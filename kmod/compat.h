/* SPDX-License-Identifier: GPL-2.0 */
/* Differences between kernels, 6.1 to 6.12: the only place that asks for a version. */
#ifndef FTCP_COMPAT_H
#define FTCP_COMPAT_H

#include <linux/version.h>
#include <net/genetlink.h>

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
#define ftcp_compat_genl_ops genl_split_ops	/* what pre_doit and post_doit are given */
#else
#define ftcp_compat_genl_ops genl_ops
#endif

static inline struct nlattr **ftcp_compat_dump_attrs(struct netlink_callback *cb)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 7, 0)
	return genl_dumpit_info(cb)->info.attrs;
#else
	return genl_dumpit_info(cb)->attrs;
#endif
}

#endif
