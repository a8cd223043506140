// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <linux/ftcp.h>
#include "nl_talk.h"

#define PATIENCE_S	20

/* A message that lies about its length, or claims more than it brings, is a request all the same. */
static _Alignas(8) char message[NL_MESSAGE_MAX];

struct nlmsghdr *nl_request(struct nl_talk *talk, uint8_t cmd, uint16_t flags)
{
	struct genlmsghdr *genl;
	struct nlmsghdr *nlh;

	memset(message, 0, sizeof(message));
	nlh = mnl_nlmsg_put_header(message);
	nlh->nlmsg_type = talk->family;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
	nlh->nlmsg_seq = ++talk->seq;
	genl = mnl_nlmsg_put_extra_header(nlh, sizeof(*genl));
	genl->cmd = cmd;
	genl->version = FTCP_FAMILY_VERSION;
	return nlh;
}

/* The text of an extended acknowledgement stands behind the request it answers (which is left out, by NETLINK_CAP_ACK). */
static void read_error(const struct nlmsghdr *nlh, struct nl_answer *answer)
{
	const struct nlmsgerr *error = mnl_nlmsg_get_payload(nlh);
	size_t skip = sizeof(*error);
	const struct nlattr *attr;

	answer->error = nlh->nlmsg_type == NLMSG_DONE ? *(const int *)error : error->error;
	if (nlh->nlmsg_type == NLMSG_DONE)
		skip = sizeof(int);
	else if (!(nlh->nlmsg_flags & NLM_F_CAPPED))
		skip += error->msg.nlmsg_len - sizeof(error->msg);
	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	mnl_attr_for_each(attr, nlh, skip)
		if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_MSG)
			snprintf(answer->text, sizeof(answer->text), "%s", mnl_attr_get_str(attr));
}

/* True when the answer is complete. */
static bool take(struct nl_talk *talk, const struct nlmsghdr *nlh, struct nl_answer *answer, nl_reply_fn fn, void *arg)
{
	if (nlh->nlmsg_seq != talk->seq)
		return false;
	if (nlh->nlmsg_type == NLMSG_ERROR || nlh->nlmsg_type == NLMSG_DONE) {
		read_error(nlh, answer);
		return true;
	}
	answer->replies++;
	if (fn)
		fn(nlh, arg);
	return false;
}

static bool receive(struct nl_talk *talk, struct nl_answer *answer, nl_reply_fn fn, void *arg)
{
	static char buffer[NL_MESSAGE_MAX];
	ssize_t got = mnl_socket_recvfrom(talk->socket, buffer, sizeof(buffer));
	const struct nlmsghdr *nlh = (const void *)buffer;
	int len = got;

	if (got < 0 && errno == ENOBUFS)
		return false;
	if (got <= 0) {
		answer->error = -ETIMEDOUT;
		return true;
	}
	for (; mnl_nlmsg_ok(nlh, len); nlh = mnl_nlmsg_next(nlh, &len))
		if (take(talk, nlh, answer, fn, arg))
			return true;
	return false;
}

void nl_send(struct nl_talk *talk, struct nlmsghdr *request, struct nl_answer *answer, nl_reply_fn fn, void *arg)
{
	*answer = (struct nl_answer){ };
	if (mnl_socket_sendto(talk->socket, request, request->nlmsg_len) < 0) {
		answer->error = -errno;
		return;
	}
	while (!receive(talk, answer, fn, arg))
		;
}

void nl_send_only(struct nl_talk *talk, const void *bytes, size_t len)
{
	mnl_socket_sendto(talk->socket, bytes, len);
	talk->seq++;
}

static void read_family(const struct nlmsghdr *reply, void *arg)
{
	struct nl_talk *talk = arg;
	const struct nlattr *attr;

	mnl_attr_for_each(attr, reply, sizeof(struct genlmsghdr))
		if (mnl_attr_get_type(attr) == CTRL_ATTR_FAMILY_ID)
			talk->family = mnl_attr_get_u16(attr);
}

static int find_family(struct nl_talk *talk)
{
	struct nl_answer answer;
	struct nlmsghdr *nlh;

	talk->family = GENL_ID_CTRL;
	nlh = nl_request(talk, CTRL_CMD_GETFAMILY, 0);
	mnl_attr_put_strz(nlh, CTRL_ATTR_FAMILY_NAME, FTCP_FAMILY_NAME);
	nl_send(talk, nlh, &answer, read_family, talk);
	return answer.error;
}

int nl_open(struct nl_talk *talk)
{
	const struct timeval patience = { .tv_sec = PATIENCE_S };
	int on = 1;

	talk->seq = 0;
	talk->socket = mnl_socket_open2(NETLINK_GENERIC, SOCK_CLOEXEC);
	if (!talk->socket)
		return -errno;
	if (mnl_socket_bind(talk->socket, 0, MNL_SOCKET_AUTOPID) < 0)
		return -errno;
	mnl_socket_setsockopt(talk->socket, NETLINK_EXT_ACK, &on, sizeof(on));
	mnl_socket_setsockopt(talk->socket, NETLINK_CAP_ACK, &on, sizeof(on));
	setsockopt(mnl_socket_get_fd(talk->socket), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return find_family(talk);
}

void nl_close(struct nl_talk *talk)
{
	mnl_socket_close(talk->socket);
}
