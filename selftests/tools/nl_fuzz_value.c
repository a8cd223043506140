// SPDX-License-Identifier: GPL-2.0
/* Values: those a command can do something with, those at the edge of what it takes, and noise. */
#include <arpa/inet.h>
#include <endian.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>
#include "nl_fuzz.h"

static bool one_in(struct fuzz_maker *maker, uint32_t n)
{
	return !fuzz_range(&maker->rnd, n);
}

/* ---- numbers ---- */

static uint64_t edge(struct fuzz_maker *maker, uint64_t min, uint64_t max)
{
	static const uint64_t values[] = { 0, 1, 2, 0x7f, 0x80, 0xff, 0x100, 4095, 4096, 0x7fff, 0x8000, 0xffff, 0x10000,
		0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, 0x7fffffffffffffff, 0x8000000000000000,
		0xfffffffffffffffe };
	uint32_t which = fuzz_range(&maker->rnd, COUNT(values) + 6);

	if (which < COUNT(values))
		return values[which];
	switch (which - COUNT(values)) {
	case 0: return min;
	case 1: return min - 1;
	case 2: return max;
	case 3: return max + 1;
	case 4: return pattern_next(&maker->rnd);
	default: return UINT64_MAX;
	}
}

static uint64_t within(struct fuzz_maker *maker, uint64_t min, uint64_t max)
{
	return max > min ? min + pattern_next(&maker->rnd) % (max - min) : min;
}

/* What is near to what the group has been told. */
static uint64_t near(struct fuzz_maker *maker, uint64_t value)
{
	static const int8_t steps[] = { 0, 0, 0, 0, 0, 1, 1, 1, -1, 2 };

	return value + steps[fuzz_range(&maker->rnd, COUNT(steps))];
}

static uint16_t port(struct fuzz_maker *maker)
{
	return FUZZ_PORT + (one_in(maker, 4) ? fuzz_range(&maker->rnd, FUZZ_GROUPS + 1) : maker->group);
}

static uint64_t good_number(struct fuzz_maker *maker, const struct fuzz_attr *attr)
{
	const struct fuzz_view *view = &maker->memory->views[maker->group];

	switch (attr->type) {
	case FTCP_A_EPOCH: return near(maker, view->epoch + 1);
	case FTCP_A_SYNC_ID:
	case FTCP_A_PEER_SYNC_ID: return view->sync_id;
	case FTCP_A_BATCH_NO: return near(maker, view->sent_no);
	case FTCP_A_PEER_BATCH_NO: return near(maker, one_in(maker, 2) ? view->sent_no : view->held_no);
	case FTCP_A_SERVICE_PORT: return port(maker);
	case FTCP_A_SERVICE_ADDR4: return inet_addr("10.9.0.100");
	case FTCP_A_CONN_LPORT: return maker->conn ? maker->conn->lport : port(maker);
	case FTCP_A_CONN_RPORT: return maker->conn ? maker->conn->rport : 40000 + fuzz_range(&maker->rnd, 4);
	case FTCP_A_CONN_LADDR4: return inet_addr("10.9.0.100");
	case FTCP_A_CONN_RADDR4: return inet_addr("10.9.0.2");
	case FTCP_A_CHANNEL_FD: return fuzz_channel(maker);
	default: return within(maker, attr->min, attr->max);
	}
}

static void put_number(struct fuzz_maker *maker, struct nlmsghdr *nlh, const struct fuzz_attr *attr)
{
	uint64_t value = one_in(maker, 10) ? edge(maker, attr->min, attr->max) : good_number(maker, attr);

	switch (attr->kind) {
	case NL_ATTR_TYPE_U8: mnl_attr_put_u8(nlh, attr->type, value); break;
	case NL_ATTR_TYPE_U16: mnl_attr_put_u16(nlh, attr->type, value); break;
	case NL_ATTR_TYPE_U32: mnl_attr_put_u32(nlh, attr->type, value); break;
	default: mnl_attr_put_u64(nlh, attr->type, value); break;
	}
}

/* ---- strings ---- */

static void put_string(struct fuzz_maker *maker, struct nlmsghdr *nlh, const struct fuzz_attr *attr)
{
	static const char *const odd[] = { "", "nosuch", "a b", "a/b", "gr\xc3\xbcppe", "%s%n", "-",
		"1234567890123456789012345678901", "12345678901234567890123456789012", "echo\n", "fuzz" };
	char name[16];

	snprintf(name, sizeof(name), FUZZ_GROUP "%u", maker->group % FUZZ_GROUPS);
	if (one_in(maker, 12))
		mnl_attr_put_strz(nlh, attr->type, odd[fuzz_range(&maker->rnd, COUNT(odd))]);
	else if (one_in(maker, 12))
		mnl_attr_put(nlh, attr->type, strlen(name), name);	/* without its NUL */
	else
		mnl_attr_put_strz(nlh, attr->type, attr->type == FTCP_A_SERVICE_BACKEND ? "echo" :
				   attr->type == FTCP_A_SERVICE_CONGESTION ? "reno" : name);
}

/* ---- batches ---- */

static struct nl_batch first_batch(struct fuzz_maker *maker, const struct fuzz_view *view)
{
	return (struct nl_batch){
		.epoch = view->epoch + one_in(maker, 8),
		.sync_id = pattern_next(&maker->rnd) | 1,
		.no = 1,
		.flags = FTCP_BATCH_RESET | (one_in(maker, 2) ? FTCP_BATCH_SYNCED : 0),
		.port = FUZZ_PORT + maker->group,
		.records = fuzz_range(&maker->rnd, 8),
		.received = 1000,
		.fresh = fuzz_range(&maker->rnd, 1000),
	};
}

static size_t made_batch(struct fuzz_maker *maker, unsigned char *to)
{
	struct fuzz_view *view = &maker->memory->views[maker->group];

	if (!view->batch.no || one_in(maker, 4)) {
		view->batch = first_batch(maker, view);
	} else {
		view->batch.no++;
		view->batch.flags = one_in(maker, 4) ? FTCP_BATCH_SYNCED : 0;
		view->batch.received += view->batch.fresh;
	}
	maker->batch_applies = true;
	return nl_batch_make(&view->batch, to);
}

/* One that this kernel has made, for another group perhaps: as the first of a resync of this one. */
static size_t heard_batch(struct fuzz_maker *maker, unsigned char *to)
{
	const struct fuzz_memory *memory = maker->memory;
	struct ftcp_batch_header header;

	memcpy(to, memory->batch, memory->batch_len);
	memcpy(&header, to, sizeof(header));
	header.epoch = htobe64(memory->views[maker->group].epoch);
	header.sync_id = pattern_next(&maker->rnd) | 1;
	header.no = htobe64(1);
	header.flags = htobe16(FTCP_BATCH_RESET | FTCP_BATCH_SYNCED);
	memcpy(to, &header, sizeof(header));
	return memory->batch_len;
}

size_t fuzz_batch_make(struct fuzz_maker *maker, unsigned char *bytes)
{
	bool heard = one_in(maker, 3), spoilt = one_in(maker, 2), deep = !one_in(maker, 4);
	size_t len;

	if (heard && maker->memory->batch_len > sizeof(struct ftcp_batch_header))
		len = heard_batch(maker, bytes);
	else
		len = made_batch(maker, bytes);
	/* What is spoilt below the header has to have something there. */
	if (spoilt && len > sizeof(struct ftcp_batch_header))
		len = nl_batch_spoil(bytes, len, &maker->rnd, deep);
	return len;
}

static void put_batch(struct fuzz_maker *maker, struct nlmsghdr *nlh, const struct fuzz_attr *attr)
{
	static unsigned char bytes[65536];

	mnl_attr_put(nlh, attr->type, fuzz_batch_make(maker, bytes), bytes);
}

/* ---- bytes ---- */

static void put_bytes(struct fuzz_maker *maker, struct nlmsghdr *nlh, const struct fuzz_attr *attr)
{
	size_t len = attr->max ? attr->max : fuzz_range(&maker->rnd, 64);
	unsigned char bytes[64];

	len = len < sizeof(bytes) ? len : sizeof(bytes);
	pattern_fill(pattern_next(&maker->rnd), 0, bytes, sizeof(bytes));
	mnl_attr_put(nlh, attr->type, len, bytes);
}

static void put_addr6(struct fuzz_maker *maker, struct nlmsghdr *nlh, const struct fuzz_attr *attr)
{
	static const char *const odd[] = { "::", "::1", "::ffff:10.9.0.100", "ff02::1", "fe80::1" };
	bool remote = attr->type == FTCP_A_CONN_RADDR6;
	struct in6_addr addr;

	inet_pton(AF_INET6, one_in(maker, 8) ? odd[fuzz_range(&maker->rnd, COUNT(odd))] : remote ? "fd09::2" : "fd09::100",
		  &addr);
	mnl_attr_put(nlh, attr->type, sizeof(addr), &addr);
}

void fuzz_put_value(struct fuzz_maker *maker, struct nlmsghdr *nlh, const struct fuzz_attr *attr)
{
	maker->sent[attr->type < FUZZ_ATTRS ? attr->type : 0]++;
	switch (attr->kind) {
	case NL_ATTR_TYPE_FLAG: mnl_attr_put(nlh, attr->type, 0, NULL); break;
	case NL_ATTR_TYPE_U8:
	case NL_ATTR_TYPE_U16:
	case NL_ATTR_TYPE_U32:
	case NL_ATTR_TYPE_U64: put_number(maker, nlh, attr); break;
	case NL_ATTR_TYPE_STRING:
	case NL_ATTR_TYPE_NUL_STRING: put_string(maker, nlh, attr); break;
	default:
		if (attr->type == FTCP_A_BATCH)
			put_batch(maker, nlh, attr);
		else if (attr->kind == NL_ATTR_TYPE_BINARY && attr->max == sizeof(struct in6_addr))
			put_addr6(maker, nlh, attr);
		else
			put_bytes(maker, nlh, attr);
	}
}
