/* SPDX-License-Identifier: GPL-2.0 */
/* Requests to the module and what comes back: one reply, a dump, or a refusal with the kernel's words. */
#ifndef FTCPCTL_NETLINK_H
#define FTCPCTL_NETLINK_H

#include <linux/types.h>
#include <linux/ftcp.h>
#include "ctl.h"
#include "ctl_item.h"

struct nl_msg;

/** ctl_connect() - 0; -ENOENT: the module is not loaded; other -errno. Silent. */
int ctl_connect(struct ctl *ctl);
/** ctl_open() - ctl_connect() that tells the person; an exit status */
int ctl_open(struct ctl *ctl);
void ctl_close(struct ctl *ctl);
/** ctl_no_module() - tells the person so; returns CTL_EXIT_NO_MODULE */
int ctl_no_module(const struct ctl *ctl);

/** ctl_msg() - a request for @cmd, with the group's name unless @group is NULL */
struct nl_msg *ctl_msg(const struct ctl *ctl, enum ftcp_cmd cmd, const char *group);
void ctl_put_flag(struct nl_msg *msg, int attr);
void ctl_put_u8(struct nl_msg *msg, int attr, uint8_t value);
void ctl_put_u16(struct nl_msg *msg, int attr, uint16_t value);
void ctl_put_u32(struct nl_msg *msg, int attr, uint32_t value);
void ctl_put_u64(struct nl_msg *msg, int attr, uint64_t value);
void ctl_put_string(struct nl_msg *msg, int attr, const char *value);
/** ctl_put_addr() - the attribute of its family; nothing for any address */
void ctl_put_addr(struct nl_msg *msg, int attr4, int attr6, const struct ctl_addr *addr);

/**
 * ctl_do() - send @msg, which is consumed, and wait for the kernel's word; 0 or -errno
 * @items: replies are appended to it; or NULL
 */
int ctl_do(struct ctl *ctl, struct nl_msg *msg, struct ctl_items *items);
/** ctl_dump() - everything @cmd has, of one group or (NULL) all, as it was at one moment; 0 or -errno */
int ctl_dump(struct ctl *ctl, enum ftcp_cmd cmd, const char *group, struct ctl_items *items);
/** ctl_refused() - tells the person that the kernel refused with @err; @hint NULL: by the error's kind */
int ctl_refused(struct ctl *ctl, int err, const char *hint);

/* Subscription to the module's events, on a socket of its own. */
struct ctl_events {
	struct nl_sock *sock;
	struct ctl_items got;	/* filled by ctl_events_read() */
	bool lost;		/* the kernel had more than the socket held */
};

/** ctl_events_open() - 0 or -errno */
int ctl_events_open(struct ctl_events *events);
void ctl_events_close(struct ctl_events *events);
/** ctl_events_read() - wait at most @timeout_ms, then take all there is into got and lost; 0 or -errno */
int ctl_events_read(struct ctl_events *events, int timeout_ms);
/** ctl_module_present() - is the family that @ctl was connected to still there? */
bool ctl_module_present(struct ctl *ctl);

#endif
