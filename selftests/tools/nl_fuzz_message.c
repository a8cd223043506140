// SPDX-License-Identifier: GPL-2.0
/* Requests: made as the kernel says that it takes them, then spoilt, mostly in one place. */
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>
#include "nl_fuzz.h"

enum spoiling {
	SPOIL_DROP, SPOIL_DUPLICATE, SPOIL_LENGTH, SPOIL_LIE, SPOIL_NEST, SPOIL_TYPE_FLAGS, SPOIL_FOREIGN, SPOIL_UNKNOWN,
	SPOIL_TAIL, SPOIL_TRUNCATE, SPOIL_FLIP, SPOIL_HEADER, SPOIL_FLAGS, SPOIL_MAX
};

static bool one_in(struct fuzz_maker *maker, uint32_t n)
{
	return !fuzz_range(&maker->rnd, n);
}

/* ---- right ---- */

static bool wanted(struct fuzz_maker *maker, const struct fuzz_attr *attr)
{
	uint16_t family = maker->conn ? maker->conn->family : AF_INET;

	if (!attr->kind)
		return false;
	switch (attr->type) {
	case FTCP_A_CONN_LADDR4:
	case FTCP_A_CONN_RADDR4: return family == AF_INET;
	case FTCP_A_CONN_LADDR6:
	case FTCP_A_CONN_RADDR6: return family == AF_INET6;
	case FTCP_A_SERVICE_ADDR4:
	case FTCP_A_SERVICE_ADDR6: return one_in(maker, 4);
	case FTCP_A_FORCE:
	case FTCP_A_SERVICE_BACKEND: return !one_in(maker, 3);
	case FTCP_A_EPOCH: return one_in(maker, 4);
	case FTCP_A_SERVICE_RCV_BUF:
	case FTCP_A_SERVICE_SND_BUF:
	case FTCP_A_SERVICE_USER_TIMEOUT_MS:
	case FTCP_A_SERVICE_KEEPALIVE_MS:
	case FTCP_A_SERVICE_CONGESTION:
	case FTCP_A_SERVICE_NAGLE:
	case FTCP_A_SERVICE_PROTECTION: return one_in(maker, 4);
	case FTCP_A_CHANNEL_FD: return one_in(maker, 2);
	default: return !one_in(maker, 25);
	}
}

static void put_known_addr(struct fuzz_maker *maker, struct nlmsghdr *nlh, const struct fuzz_attr *attr)
{
	bool local = attr->type == FTCP_A_CONN_LADDR4 || attr->type == FTCP_A_CONN_LADDR6;

	maker->sent[attr->type]++;
	mnl_attr_put(nlh, attr->type, maker->conn->family == AF_INET ? 4 : 16, local ? maker->conn->laddr : maker->conn->raddr);
}

static void put_attr(struct fuzz_maker *maker, struct nlmsghdr *nlh, const struct fuzz_attr *attr)
{
	bool addr = attr->type >= FTCP_A_CONN_LADDR4 && attr->type <= FTCP_A_CONN_RADDR6;

	if (addr && maker->conn && !one_in(maker, 10))
		put_known_addr(maker, nlh, attr);
	else
		fuzz_put_value(maker, nlh, attr);
}

static void put_right(struct fuzz_maker *maker, struct nlmsghdr *nlh, uint8_t cmd)
{
	const struct fuzz_command *command = &maker->family->commands[cmd];

	for (unsigned int i = 1; i < FUZZ_ATTRS; i++)
		if (wanted(maker, &command->attrs[i]))
			put_attr(maker, nlh, &command->attrs[i]);
}

/* ---- wrong ---- */

static struct nlattr *pick(struct fuzz_maker *maker, struct nlmsghdr *nlh)
{
	struct nlattr *attr, *picked = NULL;
	uint32_t n = 0;

	mnl_attr_for_each(attr, nlh, sizeof(struct genlmsghdr))
		if (one_in(maker, ++n))
			picked = attr;
	return picked;
}

/* Cut @attr out, or, with a new length of its payload, make room or take it away. */
static void resize(struct nlmsghdr *nlh, struct nlattr *attr, size_t len)
{
	char *from = (char *)attr + MNL_ALIGN(attr->nla_len), *to = (char *)attr + MNL_ALIGN(len);
	char *end = (char *)nlh + nlh->nlmsg_len;

	if (from > end)
		from = end;
	memmove(to, from, end - from);
	if (to > from)
		memset(from, 0, to - from);
	nlh->nlmsg_len += to - from;
	if (len)
		attr->nla_len = len;
}

static void spoil_length(struct fuzz_maker *maker, struct nlmsghdr *nlh, struct nlattr *attr)
{
	static const uint32_t lengths[] = { 0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 255, 256, 4096, 61440, 61441, 65531 };

	resize(nlh, attr, MNL_ATTR_HDRLEN + lengths[fuzz_range(&maker->rnd, COUNT(lengths))]);
}

/* A claim that the bytes do not keep. */
static void spoil_lie(struct fuzz_maker *maker, struct nlattr *attr)
{
	static const uint16_t lies[] = { 0, 1, 3, 4, 5, 8, 12, 20, 0x7fff, 0xffff };
	uint32_t which = fuzz_range(&maker->rnd, COUNT(lies) + 4);

	attr->nla_len = which < COUNT(lies) ? lies[which] : attr->nla_len + which - COUNT(lies) - 2;
}

static uint16_t any_type(struct fuzz_maker *maker)
{
	uint16_t type = fuzz_range(&maker->rnd, FUZZ_ATTRS);

	maker->sent[type]++;
	return type;
}

/* All attributes, in an attribute; perhaps in one within that, many times. */
static void spoil_nest(struct fuzz_maker *maker, struct nlmsghdr *nlh)
{
	size_t len = nlh->nlmsg_len - NLMSG_HDRLEN - GENL_HDRLEN, depth = one_in(maker, 4) ? 100 : 1;
	char *first = mnl_nlmsg_get_payload_offset(nlh, sizeof(struct genlmsghdr));
	struct nlattr *outer = (struct nlattr *)first;

	for (; depth && len < 60000; depth--, len += MNL_ATTR_HDRLEN) {
		memmove(first + MNL_ATTR_HDRLEN, first, len);
		outer->nla_type = any_type(maker) | (one_in(maker, 2) ? NLA_F_NESTED : 0);
		outer->nla_len = MNL_ATTR_HDRLEN + len;
		nlh->nlmsg_len += MNL_ATTR_HDRLEN;
	}
}

/* An attribute of the family that this command has no use for, or one more that it has. */
static void put_foreign(struct fuzz_maker *maker, struct nlmsghdr *nlh)
{
	static const uint32_t kinds[] = { NL_ATTR_TYPE_FLAG, NL_ATTR_TYPE_U8, NL_ATTR_TYPE_U16, NL_ATTR_TYPE_U32, NL_ATTR_TYPE_U64,
		NL_ATTR_TYPE_NUL_STRING, NL_ATTR_TYPE_BINARY };
	struct fuzz_attr attr = { .type = any_type(maker), .kind = kinds[fuzz_range(&maker->rnd, COUNT(kinds))] };

	fuzz_put_value(maker, nlh, &attr);
}

static void put_unknown(struct fuzz_maker *maker, struct nlmsghdr *nlh)
{
	static const uint16_t types[] = { 0, FTCP_A_MAX + 1, FTCP_A_MAX + 2, 0xff, 0x100, 0x3fff };

	mnl_attr_put_u32(nlh, types[fuzz_range(&maker->rnd, COUNT(types))], 1);
}

static void flip(struct fuzz_maker *maker, struct nlmsghdr *nlh)
{
	size_t from = NLMSG_HDRLEN + GENL_HDRLEN, room = nlh->nlmsg_len - from;
	unsigned int n = 1 + fuzz_range(&maker->rnd, 3);

	while (room && n--)
		((unsigned char *)nlh)[from + fuzz_range(&maker->rnd, room)] ^= 1 << fuzz_range(&maker->rnd, 8);
}

static void spoil_header(struct fuzz_maker *maker, struct nlmsghdr *nlh)
{
	struct genlmsghdr *genl = mnl_nlmsg_get_payload(nlh);

	switch (fuzz_range(&maker->rnd, 3)) {
	case 0: genl->cmd = one_in(maker, 2) ? fuzz_range(&maker->rnd, FTCP_CMD_MAX + 3) : pattern_next(&maker->rnd); break;
	case 1: genl->version = pattern_next(&maker->rnd); break;
	case 2: genl->reserved = 1 << fuzz_range(&maker->rnd, 16); break;
	}
}

static void spoil_attr(struct fuzz_maker *maker, struct nlmsghdr *nlh, enum spoiling how)
{
	struct nlattr *attr = pick(maker, nlh);

	if (!attr)
		return;
	switch (how) {
	case SPOIL_DROP: resize(nlh, attr, 0); break;
	case SPOIL_DUPLICATE:
		mnl_attr_put(nlh, attr->nla_type, mnl_attr_get_payload_len(attr), mnl_attr_get_payload(attr));
		break;
	case SPOIL_LENGTH: spoil_length(maker, nlh, attr); break;
	case SPOIL_LIE: spoil_lie(maker, attr); break;
	default: attr->nla_type |= one_in(maker, 2) ? NLA_F_NESTED : NLA_F_NET_BYTEORDER;
	}
}

static void spoil(struct fuzz_maker *maker, struct nlmsghdr *nlh)
{
	enum spoiling how = fuzz_range(&maker->rnd, SPOIL_MAX);

	switch (how) {
	case SPOIL_NEST: spoil_nest(maker, nlh); break;
	case SPOIL_FOREIGN: put_foreign(maker, nlh); break;
	case SPOIL_UNKNOWN: put_unknown(maker, nlh); break;
	case SPOIL_TAIL: nlh->nlmsg_len += 1 + fuzz_range(&maker->rnd, 3); break;
	case SPOIL_TRUNCATE: nlh->nlmsg_len = NLMSG_HDRLEN + fuzz_range(&maker->rnd, nlh->nlmsg_len - NLMSG_HDRLEN); break;
	case SPOIL_FLIP: flip(maker, nlh); break;
	case SPOIL_HEADER: spoil_header(maker, nlh); break;
	case SPOIL_FLAGS: nlh->nlmsg_flags ^= one_in(maker, 2) ? NLM_F_DUMP : 0x100 << fuzz_range(&maker->rnd, 8); break;
	default: spoil_attr(maker, nlh, how);
	}
}

/* ---- all of it ---- */

/* What takes everything down is less often asked for than what builds it up. */
static uint8_t any_command(struct fuzz_maker *maker)
{
	const struct fuzz_command *command;
	uint8_t cmd;

	do {
		cmd = fuzz_range(&maker->rnd, FTCP_CMD_MAX + 1);
		command = &maker->family->commands[cmd];
	} while (!(command->does || command->dumps) ||
		 ((cmd == FTCP_CMD_GROUP_DEL || cmd == FTCP_CMD_SERVICE_DEL || cmd == FTCP_CMD_DEMOTE) && !one_in(maker, 4)));
	return cmd;
}

static void pick_conn(struct fuzz_maker *maker)
{
	uint32_t which = fuzz_range(&maker->rnd, FUZZ_CONNS);

	maker->conn = which < maker->memory->n_conns && maker->memory->conns[which].family ? &maker->memory->conns[which] : NULL;
}

void fuzz_request_make(struct fuzz_maker *maker, int cmd, bool spoilt, void *to, struct fuzz_request *request)
{
	const struct fuzz_command *command;
	struct genlmsghdr *genl;
	struct nlmsghdr *nlh;

	cmd = cmd < 0 ? any_command(maker) : cmd;
	command = &maker->family->commands[cmd];
	pick_conn(maker);
	maker->batch_applies = false;
	nlh = mnl_nlmsg_put_header(to);
	nlh->nlmsg_type = maker->family->id;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	if (!command->does || (command->dumps && one_in(maker, 2)))
		nlh->nlmsg_flags |= NLM_F_DUMP;
	genl = mnl_nlmsg_put_extra_header(nlh, sizeof(*genl));
	genl->cmd = cmd;
	genl->version = FTCP_FAMILY_VERSION;
	put_right(maker, nlh, cmd);
	while (spoilt) {
		spoil(maker, nlh);
		spoilt = one_in(maker, 4) && nlh->nlmsg_len >= NLMSG_HDRLEN + GENL_HDRLEN && nlh->nlmsg_len < 65536;
	}
	request->nlh = nlh;
	request->cmd = genl->cmd;
	request->flags = nlh->nlmsg_flags;
	request->group = maker->group;
	request->headless = nlh->nlmsg_len < NLMSG_HDRLEN + GENL_HDRLEN;
	request->batch_applies = maker->batch_applies;
}
