/* SPDX-License-Identifier: GPL-2.0 */
/* Requests to the netlink family ftcp, well-formed or not, and what the kernel answers. */
#ifndef NL_TALK_H
#define NL_TALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <libmnl/libmnl.h>

#define NL_MESSAGE_MAX	131072

struct nl_talk {
	struct mnl_socket *socket;
	uint16_t family;
	uint32_t seq;
};

struct nl_answer {
	int error;		/* 0 or -errno; -ETIMEDOUT: the kernel did not answer */
	unsigned int replies;	/* messages before that */
	char text[256];		/* the extended acknowledgement's, "" if none */
};

typedef void (*nl_reply_fn)(const struct nlmsghdr *reply, void *arg);

/** nl_open() - a socket, and the family's number; 0 or -errno (-ENOENT: the module is not loaded) */
int nl_open(struct nl_talk *talk);
void nl_close(struct nl_talk *talk);

/** nl_request() - the beginning of a request in a buffer of its own, valid until the next; add attributes by mnl_attr_put*() */
struct nlmsghdr *nl_request(struct nl_talk *talk, uint8_t cmd, uint16_t flags);

/** nl_send() - send it, wait for the end of the answer; @fn gets each reply, if given */
void nl_send(struct nl_talk *talk, struct nlmsghdr *request, struct nl_answer *answer, nl_reply_fn fn, void *arg);

/** nl_send_only() - send @len bytes, whatever they are; nobody answers, or somebody does and is not heard */
void nl_send_only(struct nl_talk *talk, const void *bytes, size_t len);

#endif
