// SPDX-License-Identifier: GPL-2.0
/*
 * Says to the kernel, over the netlink family ftcp, what no sane program would, and expects refusals that say why.
 *
 *	nl_garbage [-S SEED] [-r ROUNDS]
 *
 * All of it happens to a group of its own, "garbage", with a service of its own: connections of other groups must not
 * notice. Needs CAP_NET_ADMIN. Prints TAP.
 */
#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/genetlink.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/ftcp.h>
#include "nl_batch.h"
#include "nl_talk.h"
#include "pattern.h"

#define GROUP		"garbage"
#define PORT		4711
#define NOBODY		65534
#define ATTRS_MAX	10
#define BATCHES_A_ROUND	60
#define COUNT(array)	(sizeof(array) / sizeof((array)[0]))

static struct nl_talk talk;
static uint64_t seed, rnd;
static unsigned int rounds = 10;

/* ---- results ---- */

static unsigned int n_results, n_failed, n_trouble;

/* Something that must not be, within the present case. */
__attribute__((format(printf, 1, 2)))
static void trouble(const char *fmt, ...)
{
	va_list args;

	if (n_trouble++ >= 10)
		return;
	printf("# ");
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n");
}

__attribute__((format(printf, 1, 2)))
static void result(const char *fmt, ...)
{
	va_list args;

	n_failed += !!n_trouble;
	printf("%sok %u ", n_trouble ? "not " : "", ++n_results);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n");
	fflush(stdout);
	n_trouble = 0;
}

/* ---- the commands, as the header describes them ---- */

enum kind { KIND_NAME, KIND_STRING, KIND_FLAG, KIND_U8, KIND_U16, KIND_U32, KIND_U64, KIND_ADDR4, KIND_ADDR6, KIND_BATCH, KIND_FD };

struct attr {
	uint16_t type;
	enum kind kind;
	bool optional;
};

struct command {
	uint8_t cmd;
	const char *name;
	struct attr attrs[ATTRS_MAX];
	bool dumps_only;
};

#define A_GROUP		{ FTCP_A_GROUP_NAME, KIND_NAME, false }
#define A_OPT_EPOCH	{ FTCP_A_EPOCH, KIND_U64, true }
#define A_OPT_FORCE	{ FTCP_A_FORCE, KIND_FLAG, true }
#define A_PORT		{ FTCP_A_SERVICE_PORT, KIND_U16, false }
#define A_OPT_ADDR	{ FTCP_A_SERVICE_ADDR4, KIND_ADDR4, true }

static const struct command commands[] = {
	{ FTCP_CMD_GROUP_NEW, "group-new", { A_GROUP }, false },
	{ FTCP_CMD_GROUP_DEL, "group-del", { A_GROUP }, false },
	{ FTCP_CMD_GROUP_GET, "group-get", { A_GROUP }, false },
	{ FTCP_CMD_SERVICE_ADD, "service-add", { A_GROUP, A_PORT, A_OPT_ADDR, { FTCP_A_SERVICE_BACKEND, KIND_STRING, true },
		{ FTCP_A_SERVICE_RCV_BUF, KIND_U32, true }, { FTCP_A_SERVICE_SND_BUF, KIND_U32, true },
		{ FTCP_A_SERVICE_USER_TIMEOUT_MS, KIND_U32, true }, { FTCP_A_SERVICE_KEEPALIVE_MS, KIND_U32, true },
		{ FTCP_A_SERVICE_NAGLE, KIND_U8, true }, { FTCP_A_SERVICE_PROTECTION, KIND_U8, true } },
		false },
	{ FTCP_CMD_SERVICE_DEL, "service-del", { A_GROUP, A_PORT, A_OPT_ADDR }, false },
	{ FTCP_CMD_SERVICE_GET, "service-get", { { FTCP_A_GROUP_NAME, KIND_NAME, true } }, true },
	{ FTCP_CMD_CONN_GET, "conn-get", { { FTCP_A_GROUP_NAME, KIND_NAME, true } }, true },
	{ FTCP_CMD_CONN_KILL, "conn-kill", { { FTCP_A_CONN_LADDR6, KIND_ADDR6, false },
		{ FTCP_A_CONN_LPORT, KIND_U16, false }, { FTCP_A_CONN_RADDR6, KIND_ADDR6, false },
		{ FTCP_A_CONN_RPORT, KIND_U16, false } }, false },
	{ FTCP_CMD_STATS_GET, "stats-get", { { } }, false },
	{ FTCP_CMD_PROMOTE, "promote", { A_GROUP, A_OPT_EPOCH, A_OPT_FORCE, { FTCP_A_FRESH, KIND_FLAG, true } }, false },
	{ FTCP_CMD_DEMOTE, "demote", { A_GROUP, A_OPT_EPOCH }, false },
	{ FTCP_CMD_DETACH, "detach", { A_GROUP }, false },
	{ FTCP_CMD_KICK, "kick", { A_GROUP }, false },
	{ FTCP_CMD_SYNC_ATTACH, "sync-attach", { A_GROUP, { FTCP_A_PEER_SYNC_ID, KIND_U64, false },
		{ FTCP_A_PEER_BATCH_NO, KIND_U64, false } }, false },
	{ FTCP_CMD_SYNC_DETACH, "sync-detach", { A_GROUP }, false },
	{ FTCP_CMD_SYNC_APPLY, "sync-apply", { A_GROUP, { FTCP_A_BATCH, KIND_BATCH, false } }, false },
	{ FTCP_CMD_SYNC_ACK, "sync-ack", { A_GROUP, { FTCP_A_SYNC_ID, KIND_U64, false },
		{ FTCP_A_BATCH_NO, KIND_U64, false } }, false },
	{ FTCP_CMD_SYNC_FOLLOW, "sync-follow", { A_GROUP, { FTCP_A_CHANNEL_FD, KIND_FD, false } }, false },
	{ FTCP_CMD_SYNC_OUTDATE, "sync-outdate", { A_GROUP, { FTCP_A_SYNC_ID, KIND_U64, false } }, false },
};

static unsigned int count_attrs(const struct command *command)
{
	unsigned int n = 0;

	while (n < ATTRS_MAX && command->attrs[n].type)
		n++;
	return n;
}

static void put_good(struct nlmsghdr *nlh, const struct attr *attr)
{
	const struct in6_addr addr6 = { .s6_addr = { 0xfd, 0x09, [15] = 0x77 } };
	unsigned char batch[NL_BATCH_MAX];
	size_t len;

	switch (attr->kind) {
	case KIND_NAME: mnl_attr_put_strz(nlh, attr->type, GROUP); break;
	case KIND_STRING: mnl_attr_put_strz(nlh, attr->type, "echo"); break;
	case KIND_FLAG: mnl_attr_put(nlh, attr->type, 0, NULL); break;
	case KIND_U8: mnl_attr_put_u8(nlh, attr->type, 1); break;
	case KIND_U16: mnl_attr_put_u16(nlh, attr->type, PORT); break;
	case KIND_U32: mnl_attr_put_u32(nlh, attr->type, 65536); break;
	case KIND_U64: mnl_attr_put_u64(nlh, attr->type, 1); break;
	case KIND_FD: mnl_attr_put_u32(nlh, attr->type, 0); break;	/* good as a number; there is no connection behind it */
	case KIND_ADDR4: mnl_attr_put_u32(nlh, attr->type, inet_addr("10.9.0.77")); break;
	case KIND_ADDR6: mnl_attr_put(nlh, attr->type, sizeof(addr6), &addr6); break;
	case KIND_BATCH:
		len = nl_batch_make(&(struct nl_batch){ .epoch = 1, .sync_id = 1, .no = 99, .port = PORT }, batch);
		mnl_attr_put(nlh, attr->type, len, batch);
		break;
	}
}

/* ---- malformed requests ---- */

static struct nlmsghdr *request(const struct command *command)
{
	return nl_request(&talk, command->cmd, command->dumps_only ? NLM_F_DUMP : 0);
}

/* A request with every attribute but attrs[@without]. */
static struct nlmsghdr *request_without(const struct command *command, unsigned int without)
{
	struct nlmsghdr *nlh = request(command);

	for (unsigned int i = 0; i < count_attrs(command); i++)
		if (i != without)
			put_good(nlh, &command->attrs[i]);
	return nlh;
}

static void expect_refusal(struct nlmsghdr *nlh, const struct command *command, const char *what, int attr)
{
	struct nl_answer answer;

	nl_send(&talk, nlh, &answer, NULL, NULL);
	if (!answer.error)
		trouble("%s: %s (attribute %d) was accepted", command->name, what, attr);
	else if (answer.error == -ETIMEDOUT)
		trouble("%s: %s (attribute %d): no answer", command->name, what, attr);
}

/* The last attribute of a message. */
static struct nlattr *last_attr(struct nlmsghdr *nlh)
{
	struct nlattr *attr, *last = NULL;

	mnl_attr_for_each(attr, nlh, sizeof(struct genlmsghdr))
		last = attr;
	return last;
}

static void spoil_attr(const struct command *command, unsigned int i)
{
	const struct attr *attr = &command->attrs[i];
	static const char noise[256];
	struct nlmsghdr *nlh;
	struct nlattr *last;

	if (!attr->optional && !command->dumps_only)
		expect_refusal(request_without(command, i), command, "a missing attribute", attr->type);

	nlh = request_without(command, i);
	mnl_attr_put(nlh, attr->type, attr->kind == KIND_FLAG ? 1 : 0, noise);
	expect_refusal(nlh, command, "an attribute with the wrong length", attr->type);

	nlh = request_without(command, i);
	mnl_attr_put(nlh, attr->type, 1, "\xff");
	expect_refusal(nlh, command, "an attribute of one byte", attr->type);

	nlh = request_without(command, i);
	mnl_attr_put(nlh, attr->type, sizeof(noise), memset((char[sizeof(noise)]){ }, 'x', sizeof(noise)));
	expect_refusal(nlh, command, "an attribute of 256 bytes", attr->type);

	nlh = request_without(command, i);
	put_good(nlh, attr);
	last = last_attr(nlh);
	last->nla_len += 64;
	expect_refusal(nlh, command, "an attribute longer than the message", attr->type);

	nlh = request_without(command, i);
	put_good(nlh, attr);
	last = last_attr(nlh);
	last->nla_len = 2;
	expect_refusal(nlh, command, "an attribute shorter than its header", attr->type);
}

static void spoil_message(const struct command *command)
{
	struct nlmsghdr *nlh = request_without(command, ATTRS_MAX);

	mnl_attr_put_u32(nlh, FTCP_A_MAX + 1, 1);
	expect_refusal(nlh, command, "an unknown attribute", FTCP_A_MAX + 1);

	nlh = request_without(command, ATTRS_MAX);
	mnl_attr_put_u32(nlh, 0x3fff, 1);
	expect_refusal(nlh, command, "an unknown attribute", 0x3fff);

	nlh = request_without(command, ATTRS_MAX);
	mnl_attr_put_u32(nlh, FTCP_A_EVENT, 1);
	expect_refusal(nlh, command, "an attribute that is no business of it", FTCP_A_EVENT);

	nlh = request_without(command, ATTRS_MAX);
	memset(mnl_nlmsg_get_payload_tail(nlh), 0xff, 3);
	nlh->nlmsg_len += 3;
	expect_refusal(nlh, command, "bytes behind the last attribute", 0);

	nlh = request(command);
	nlh->nlmsg_len = NLMSG_HDRLEN + 2;
	expect_refusal(nlh, command, "half a header", 0);

	nlh = request_without(command, ATTRS_MAX);
	nlh->nlmsg_flags ^= NLM_F_DUMP;
	if (command->cmd != FTCP_CMD_GROUP_GET)
		expect_refusal(nlh, command, "a dump of what cannot be dumped, or the other way round", 0);
}

static void test_malformed(void)
{
	for (unsigned int i = 0; i < COUNT(commands); i++) {
		for (unsigned int j = 0; j < count_attrs(&commands[i]); j++)
			spoil_attr(&commands[i], j);
		spoil_message(&commands[i]);
		result("%s: malformed requests are refused", commands[i].name);
	}
}

static void test_no_command(void)
{
	static const int none[] = { FTCP_CMD_UNSPEC, FTCP_CMD_SYNC_BATCH, FTCP_CMD_EVENT, FTCP_CMD_SYNC_REFUSED, FTCP_CMD_MAX + 1, 255 };
	static const struct command unknown = { .name = "no command" };

	for (unsigned int i = 0; i < COUNT(none); i++) {
		struct nlmsghdr *nlh = nl_request(&talk, none[i], 0);

		mnl_attr_put_strz(nlh, FTCP_A_GROUP_NAME, GROUP);
		expect_refusal(nlh, &unknown, "command", none[i]);
		expect_refusal(nl_request(&talk, none[i], NLM_F_DUMP), &unknown, "dump", none[i]);
	}
	result("what is not a command is refused");
}

/* ---- well-formed requests that cannot be granted: the refusal says why ---- */

static struct nl_answer last;

static int ask(struct nlmsghdr *nlh)
{
	nl_send(&talk, nlh, &last, NULL, NULL);
	return last.error;
}

static struct nlmsghdr *for_group(uint8_t cmd, const char *name)
{
	struct nlmsghdr *nlh = nl_request(&talk, cmd, 0);

	mnl_attr_put_strz(nlh, FTCP_A_GROUP_NAME, name);
	return nlh;
}

static struct nlmsghdr *for_service(uint8_t cmd, uint16_t port)
{
	struct nlmsghdr *nlh = for_group(cmd, GROUP);

	mnl_attr_put_u16(nlh, FTCP_A_SERVICE_PORT, port);
	return nlh;
}

static void expect_why(struct nlmsghdr *nlh, const char *what)
{
	int error = ask(nlh);

	if (!error)
		trouble("%s was granted", what);
	else if (!*last.text)
		trouble("%s: refused (%s) without a word why", what, strerror(-error));
	else
		printf("# %s: %s: %s\n", what, strerror(-error), last.text);
}

static void test_group_refusals(void)
{
	static const char *const bad[] = { "", "a b", "a/b", "gr\xc3\xbcppe", "a\nb", "0123456789012345678901234567890123456789" };

	for (unsigned int i = 0; i < COUNT(bad); i++)
		expect_why(for_group(FTCP_CMD_GROUP_NEW, bad[i]), "a group's name that is none");
	expect_why(for_group(FTCP_CMD_GROUP_NEW, GROUP), "a group that exists");
	expect_why(for_group(FTCP_CMD_GROUP_DEL, GROUP), "removing a group that has services");
	expect_why(for_group(FTCP_CMD_GROUP_DEL, "nosuch"), "removing a group that does not exist");
	expect_why(for_group(FTCP_CMD_GROUP_GET, "nosuch"), "looking at a group that does not exist");
	expect_why(for_group(FTCP_CMD_PROMOTE, "nosuch"), "promoting a group that does not exist");
	expect_why(nl_request(&talk, FTCP_CMD_PROMOTE, 0), "promoting nobody");
	result("groups: every refusal says why");
}

static void test_service_refusals(void)
{
	struct nlmsghdr *nlh;

	expect_why(for_service(FTCP_CMD_SERVICE_ADD, PORT), "a service that exists");
	expect_why(for_service(FTCP_CMD_SERVICE_ADD, 0), "port 0");
	expect_why(for_service(FTCP_CMD_SERVICE_DEL, PORT + 1), "removing a service that does not exist");
	nlh = for_service(FTCP_CMD_SERVICE_ADD, PORT + 1);
	mnl_attr_put_strz(nlh, FTCP_A_SERVICE_BACKEND, "nonsense");
	expect_why(nlh, "a backend that does not exist");
	nlh = for_service(FTCP_CMD_SERVICE_ADD, PORT + 1);
	mnl_attr_put_u32(nlh, FTCP_A_SERVICE_RCV_BUF, 1);
	expect_why(nlh, "a receive buffer of one byte");
	nlh = for_service(FTCP_CMD_SERVICE_ADD, PORT + 1);
	mnl_attr_put_u32(nlh, FTCP_A_SERVICE_SND_BUF, UINT32_MAX);
	expect_why(nlh, "a send buffer of 4 GiB");
	nlh = for_service(FTCP_CMD_SERVICE_ADD, PORT + 1);
	mnl_attr_put_u32(nlh, FTCP_A_SERVICE_ADDR4, inet_addr("10.9.0.77"));
	mnl_attr_put(nlh, FTCP_A_SERVICE_ADDR6, 16, "0123456789abcde");
	expect_why(nlh, "a service of two families");
	result("services: every refusal says why");
}

static struct nlmsghdr *kill_request(const char *laddr, const char *raddr6)
{
	struct nlmsghdr *nlh = nl_request(&talk, FTCP_CMD_CONN_KILL, 0);
	struct in6_addr addr6;

	inet_pton(AF_INET6, raddr6, &addr6);
	mnl_attr_put_u32(nlh, FTCP_A_CONN_LADDR4, inet_addr(laddr));
	mnl_attr_put_u16(nlh, FTCP_A_CONN_LPORT, PORT);
	if (*raddr6)
		mnl_attr_put(nlh, FTCP_A_CONN_RADDR6, sizeof(addr6), &addr6);
	else
		mnl_attr_put_u32(nlh, FTCP_A_CONN_RADDR4, inet_addr("10.9.0.2"));
	mnl_attr_put_u16(nlh, FTCP_A_CONN_RPORT, 1);
	return nlh;
}

static void test_role_refusals(void)
{
	struct nlmsghdr *nlh;

	expect_why(kill_request("10.9.0.100", ""), "killing a connection that does not exist");
	expect_why(kill_request("10.9.0.100", "fd09::2"), "killing a connection of two families");
	expect_why(for_group(FTCP_CMD_PROMOTE, GROUP), "promoting a standby that holds nothing");
	expect_why(for_group(FTCP_CMD_DETACH, GROUP), "detaching a standby");
	expect_why(for_group(FTCP_CMD_KICK, GROUP), "kicking a standby");
	nlh = for_group(FTCP_CMD_SYNC_ATTACH, GROUP);
	mnl_attr_put_u64(nlh, FTCP_A_PEER_SYNC_ID, 0);
	mnl_attr_put_u64(nlh, FTCP_A_PEER_BATCH_NO, 0);
	expect_why(nlh, "attaching to a standby");
	nlh = for_group(FTCP_CMD_SYNC_ACK, GROUP);
	mnl_attr_put_u64(nlh, FTCP_A_SYNC_ID, 1);
	mnl_attr_put_u64(nlh, FTCP_A_BATCH_NO, 1);
	expect_why(nlh, "acknowledging to a standby");
	result("roles: every refusal says why");
}

/* ---- how the group stands ---- */

struct view {
	uint32_t role;
	uint64_t epoch;
	uint32_t conns;
};

static void read_view(const struct nlmsghdr *reply, void *arg)
{
	struct view *view = arg;
	const struct nlattr *attr;

	mnl_attr_for_each(attr, reply, sizeof(struct genlmsghdr)) {
		if (mnl_attr_get_type(attr) == FTCP_A_ROLE)
			view->role = mnl_attr_get_u32(attr);
		else if (mnl_attr_get_type(attr) == FTCP_A_EPOCH)
			view->epoch = mnl_attr_get_u64(attr);
		else if (mnl_attr_get_type(attr) == FTCP_A_CONNS)
			view->conns = mnl_attr_get_u32(attr);
	}
}

static struct view look(void)
{
	struct view view = { };

	nl_send(&talk, for_group(FTCP_CMD_GROUP_GET, GROUP), &last, read_view, &view);
	if (last.error)
		trouble("group-get: %s %s", strerror(-last.error), last.text);
	return view;
}

static void set_role(uint8_t cmd)
{
	struct nlmsghdr *nlh = for_group(cmd, GROUP);

	mnl_attr_put(nlh, FTCP_A_FORCE, 0, NULL);
	if (ask(nlh))
		trouble("%s --force: %s %s", cmd == FTCP_CMD_PROMOTE ? "promote" : "demote", strerror(-last.error),
			last.text);
}

/* ---- the group that all of it happens to ---- */

struct services {
	unsigned int n;
	struct {
		uint16_t port;
		unsigned int len;
		uint8_t addr[16];
	} at[64];
};

static void read_service(const struct nlmsghdr *reply, void *arg)
{
	struct services *services = arg;
	const struct nlattr *attr;

	if (services->n == COUNT(services->at))
		return;
	memset(&services->at[services->n], 0, sizeof(services->at[0]));
	mnl_attr_for_each(attr, reply, sizeof(struct genlmsghdr)) {
		uint16_t type = mnl_attr_get_type(attr);

		if (type == FTCP_A_SERVICE_PORT)
			services->at[services->n].port = mnl_attr_get_u16(attr);
		if (type != FTCP_A_SERVICE_ADDR4 && type != FTCP_A_SERVICE_ADDR6)
			continue;
		services->at[services->n].len = type == FTCP_A_SERVICE_ADDR4 ? 4 : 16;
		memcpy(services->at[services->n].addr, mnl_attr_get_payload(attr), services->at[services->n].len);
	}
	services->n++;
}

static void remove_group(void)
{
	struct nlmsghdr *nlh = nl_request(&talk, FTCP_CMD_SERVICE_GET, NLM_F_DUMP);
	struct services services = { };

	mnl_attr_put_strz(nlh, FTCP_A_GROUP_NAME, GROUP);
	nl_send(&talk, nlh, &last, read_service, &services);
	for (unsigned int i = 0; i < services.n; i++) {
		nlh = for_service(FTCP_CMD_SERVICE_DEL, services.at[i].port);
		if (services.at[i].len)
			mnl_attr_put(nlh, services.at[i].len == 4 ? FTCP_A_SERVICE_ADDR4 : FTCP_A_SERVICE_ADDR6,
				     services.at[i].len, services.at[i].addr);
		if (ask(nlh))
			trouble("service-del %u: %s", services.at[i].port, last.text);
	}
	if (ask(for_group(FTCP_CMD_GROUP_DEL, GROUP)))
		trouble("group-del: %s", last.text);
}

static void make_group(void)
{
	if (ask(for_group(FTCP_CMD_GROUP_NEW, GROUP)))
		trouble("group-new: %s %s", strerror(-last.error), last.text);
	if (ask(for_service(FTCP_CMD_SERVICE_ADD, PORT)))
		trouble("service-add: %s %s", strerror(-last.error), last.text);
}

/* ---- batches ---- */

static int apply(const unsigned char *batch, size_t len)
{
	struct nlmsghdr *nlh = for_group(FTCP_CMD_SYNC_APPLY, GROUP);

	mnl_attr_put(nlh, FTCP_A_BATCH, len, batch);
	return ask(nlh);
}

static struct nl_batch first_batch(const struct view *view)
{
	return (struct nl_batch){
		.epoch = view->epoch ? view->epoch : 1,
		.sync_id = pattern_next(&rnd) | 1,
		.no = 1,
		.flags = FTCP_BATCH_RESET | FTCP_BATCH_SYNCED,
		.port = PORT,
		.records = 3,
		.received = 1000,
		.fresh = 500,
	};
}

/* The next of the same connections, a little later. */
static void next_batch(struct nl_batch *batch)
{
	batch->no++;
	batch->flags = 0;
	batch->received += batch->fresh;
}

static void must_apply(const struct nl_batch *batch, const char *what)
{
	unsigned char bytes[NL_BATCH_MAX];

	if (apply(bytes, nl_batch_make(batch, bytes)))
		trouble("%s: %s: %s", what, strerror(-last.error), last.text);
}

static void test_good_batches(void)
{
	struct view view = look();
	struct nl_batch batch = first_batch(&view);

	must_apply(&batch, "the first batch");
	must_apply(&batch, "the same once more");
	next_batch(&batch);
	must_apply(&batch, "the second batch");
	view = look();
	if (view.conns != batch.records)
		trouble("%u connections, should be %u", view.conns, batch.records);
	result("a batch made by hand is applied, once");
}

static void expect_batch_refused(struct nl_batch *batch, const char *what)
{
	unsigned char bytes[NL_BATCH_MAX];

	if (!apply(bytes, nl_batch_make(batch, bytes)))
		trouble("%s was applied", what);
	else if (!*last.text)
		trouble("%s: refused (%s) without a word why", what, strerror(-last.error));
	else
		printf("# %s: %s: %s\n", what, strerror(-last.error), last.text);
}

static void test_wrong_batches(void)
{
	struct view view = look();
	struct nl_batch batch = first_batch(&view), wrong;

	batch.epoch += 2;
	must_apply(&batch, "the first batch");
	wrong = batch;
	next_batch(&wrong);
	wrong.no++;
	expect_batch_refused(&wrong, "a batch after a gap");
	next_batch(&wrong);
	wrong.sync_id++;
	expect_batch_refused(&wrong, "a batch of another resync");
	wrong = batch;
	wrong.epoch--;
	wrong.sync_id++;
	expect_batch_refused(&wrong, "a batch of a lower epoch");
	wrong = batch;
	wrong.port++;
	wrong.sync_id++;
	expect_batch_refused(&wrong, "a connection of a port that is not served");
	result("batches out of place are refused, with the reason");
}

/* ---- what is in sync, and what is not any more ---- */

static struct nlmsghdr *outdate_request(uint64_t sync_id)
{
	struct nlmsghdr *nlh = for_group(FTCP_CMD_SYNC_OUTDATE, GROUP);

	mnl_attr_put_u64(nlh, FTCP_A_SYNC_ID, sync_id);
	return nlh;
}

static uint64_t hold_batch(void)
{
	struct view view = look();
	struct nl_batch batch = first_batch(&view);

	must_apply(&batch, "the first batch");
	return batch.sync_id;
}

static void promote_fresh(void)
{
	struct nlmsghdr *nlh = for_group(FTCP_CMD_PROMOTE, GROUP);

	mnl_attr_put(nlh, FTCP_A_FRESH, 0, NULL);
	if (ask(nlh))
		trouble("promote, fresh: %s %s", strerror(-last.error), last.text);
}

static void test_fresh(void)
{
	struct nlmsghdr *nlh;
	uint64_t sync_id;

	hold_batch();
	promote_fresh();
	expect_why(outdate_request(1), "outdating a host that speaks");
	set_role(FTCP_CMD_DEMOTE);
	sync_id = hold_batch();
	expect_why(outdate_request(sync_id + 1), "outdating a resync that is not held");
	expect_why(outdate_request(0), "outdating nothing");
	if (ask(outdate_request(sync_id)))
		trouble("sync-outdate: %s %s", strerror(-last.error), last.text);
	if (look().conns != 3)
		trouble("what is old was forgotten, and not kept for a promotion by force");
	expect_why(outdate_request(sync_id), "outdating it twice");
	expect_why(for_group(FTCP_CMD_PROMOTE, GROUP), "promoting what is old");
	nlh = for_group(FTCP_CMD_PROMOTE, GROUP);
	mnl_attr_put(nlh, FTCP_A_FRESH, 0, NULL);
	mnl_attr_put(nlh, FTCP_A_FORCE, 0, NULL);
	expect_why(nlh, "promoting with what is held, and without");
	promote_fresh();
	if (look().conns)
		trouble("promoted fresh, and speaks for %u connections that are old", look().conns);
	set_role(FTCP_CMD_DEMOTE);
	result("fresh: what is old is kept until somebody is promoted without it");
}

/* One that is refused may be one too many: then the standby must be told everything again. */
static void feed_spoilt(const struct view *view)
{
	unsigned char bytes[NL_BATCH_MAX];
	struct nl_batch batch = first_batch(view);
	size_t len;

	for (unsigned int i = 0; i < BATCHES_A_ROUND; i++) {
		len = nl_batch_make(&batch, bytes);
		if (i % 3 || i == 0)
			len = nl_batch_spoil(bytes, len, &rnd, i % 8);
		if (!apply(bytes, len)) {
			next_batch(&batch);
		} else {
			if (last.error == -ETIMEDOUT)
				trouble("no answer to a batch");
			batch = first_batch(view);
		}
	}
}

/* A batch of the highest epoch there is was obeyed: nobody can be promoted beyond it. */
static void renew(void)
{
	remove_group();
	make_group();
}

/* What was accepted of it has to be stood by: speak for those connections, and fall silent again. */
static void test_spoilt_batches(void)
{
	struct view view;

	for (unsigned int i = 0; i < rounds && !n_trouble; i++) {
		view = look();
		feed_spoilt(&view);
		if (look().epoch > UINT64_MAX / 2)
			renew();
		ask(nl_request(&talk, FTCP_CMD_CONN_GET, NLM_F_DUMP));
		set_role(FTCP_CMD_PROMOTE);
		ask(for_group(FTCP_CMD_KICK, GROUP));
		ask(nl_request(&talk, FTCP_CMD_CONN_GET, NLM_F_DUMP));
		set_role(FTCP_CMD_DEMOTE);
	}
	result("%u rounds of spoilt batches, and takeovers with what was accepted of them", rounds);
}

/* ---- the sync channel, as whoever has attached ---- */

static void test_attached(void)
{
	struct nlmsghdr *nlh;

	set_role(FTCP_CMD_PROMOTE);
	nlh = for_group(FTCP_CMD_SYNC_ATTACH, GROUP);
	mnl_attr_put_u64(nlh, FTCP_A_PEER_SYNC_ID, 0xabad1dea);
	mnl_attr_put_u64(nlh, FTCP_A_PEER_BATCH_NO, UINT64_MAX);
	if (ask(nlh))
		trouble("sync-attach: %s %s", strerror(-last.error), last.text);
	nlh = for_group(FTCP_CMD_SYNC_ACK, GROUP);
	mnl_attr_put_u64(nlh, FTCP_A_SYNC_ID, 0xabad1dea);
	mnl_attr_put_u64(nlh, FTCP_A_BATCH_NO, 1);
	expect_why(nlh, "acknowledging another resync");
	nlh = for_group(FTCP_CMD_SYNC_APPLY, GROUP);
	put_good(nlh, &(struct attr){ FTCP_A_BATCH, KIND_BATCH, false });
	expect_why(nlh, "applying a batch where this host speaks");
	expect_why(for_group(FTCP_CMD_PROMOTE, GROUP), "promoting who speaks already");
	if (ask(for_group(FTCP_CMD_SYNC_DETACH, GROUP)))
		trouble("sync-detach: %s %s", strerror(-last.error), last.text);
	expect_why(for_group(FTCP_CMD_SYNC_DETACH, GROUP), "detaching a socket that is not attached");
	set_role(FTCP_CMD_DEMOTE);
	result("sync channel: what is out of place is refused, with the reason");
}

/* ---- noise ---- */

static void put_noise(struct nlmsghdr *nlh, const struct command *command)
{
	unsigned int n = count_attrs(command), which = pattern_next(&rnd) % (ATTRS_MAX + 2);
	unsigned char noise[64];
	size_t len = pattern_next(&rnd) % sizeof(noise);

	pattern_fill(pattern_next(&rnd), 0, noise, sizeof(noise));
	noise[0] |= 0x80;	/* never a group's name */
	if (which < n)
		put_good(nlh, &command->attrs[which]);
	else if (which < 2 * n)
		mnl_attr_put(nlh, command->attrs[which - n].type, len, noise);
	else
		mnl_attr_put(nlh, pattern_next(&rnd) % (FTCP_A_MAX + 3), len, noise);
}

/* Among the noise is, now and then, a good request: it may have removed the service, and then the group. */
static void restore_group(void)
{
	int err = ask(for_group(FTCP_CMD_GROUP_NEW, GROUP));

	if (err && err != -EEXIST)
		trouble("group-new: %s %s", strerror(-err), last.text);
}

static void make_noise(unsigned int i)
{
	const struct command *command = &commands[pattern_next(&rnd) % COUNT(commands)];
	uint16_t flags = pattern_next(&rnd) % 4 ? 0 : NLM_F_DUMP;
	struct nlmsghdr *nlh = nl_request(&talk, command->cmd, flags);
	unsigned int n = pattern_next(&rnd) % 6;
	struct nl_answer answer;
	struct nlattr *tail;

	while (n--)
		put_noise(nlh, command);
	tail = last_attr(nlh);
	if (tail && pattern_next(&rnd) % 4 == 0)
		tail->nla_len = pattern_next(&rnd) % 80;
	nl_send(&talk, nlh, &answer, NULL, NULL);
	if (answer.error == -ETIMEDOUT)
		trouble("request %u (%s): no answer", i, command->name);
}

static void test_noise(void)
{
	for (unsigned int i = 0; i < rounds * 100 && !n_trouble; i++)
		make_noise(i);
	restore_group();
	result("%u random requests are answered", rounds * 100);
}

/* What is not even a message is nobody's to answer. */
static void test_no_messages(void)
{
	unsigned char noise[512];
	struct nlmsghdr *nlh = (struct nlmsghdr *)noise;

	for (unsigned int i = 0; i < rounds * 10; i++) {
		pattern_fill(pattern_next(&rnd), 0, noise, sizeof(noise));
		nlh->nlmsg_type = talk.family;
		nlh->nlmsg_flags |= NLM_F_REQUEST;
		if (i % 2)
			nlh->nlmsg_len = pattern_next(&rnd) % (NLMSG_HDRLEN + GENL_HDRLEN);
		nl_send_only(&talk, noise, pattern_next(&rnd) % sizeof(noise));
	}
	nl_close(&talk);
	if (nl_open(&talk))
		trouble("the family does not answer any more");
	result("what is not a message at all does no harm");
}

/* ---- without privilege ---- */

/* Not one of them may come as far as to look at its attributes. */
static void ask_unprivileged(void)
{
	if (setgid(NOBODY) || setuid(NOBODY) || nl_open(&talk)) {
		trouble("cannot ask as nobody: %s", strerror(errno));
		return;
	}
	for (unsigned int i = 0; i < COUNT(commands); i++) {
		int error = ask(request_without(&commands[i], ATTRS_MAX));

		if (error != -EPERM)
			trouble("%s: %s, should be EPERM", commands[i].name, error ? strerror(-error) : "granted");
	}
}

static void test_unprivileged(void)
{
	int status = 1;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		ask_unprivileged();
		fflush(stdout);
		_exit(!!n_trouble);
	}
	waitpid(pid, &status, 0);
	if (status)
		trouble("the child's status is %#x", status);
	result("without CAP_NET_ADMIN nothing is granted");
}

static void parse(int argc, char **argv)
{
	int option;

	if (getrandom(&seed, sizeof(seed), 0) < 0)
		seed = getpid();
	seed &= 0xffffffff;
	while ((option = getopt(argc, argv, "S:r:")) != -1) {
		switch (option) {
		case 'S': seed = strtoull(optarg, NULL, 0); break;
		case 'r': rounds = atoi(optarg); break;
		default: fprintf(stderr, "usage: nl_garbage [-S SEED] [-r ROUNDS]\n"); exit(2);
		}
	}
	rnd = seed;
}

int main(int argc, char **argv)
{
	int err;

	parse(argc, argv);
	printf("TAP version 13\n# seed %" PRIu64 "\n", seed);
	err = nl_open(&talk);
	if (err) {
		printf("1..0 # SKIP no netlink family ftcp: %s\n", strerror(-err));
		return 4;
	}
	make_group();
	result("a group and a service to be mistreated");
	test_malformed();
	test_no_command();
	test_group_refusals();
	test_service_refusals();
	test_role_refusals();
	test_good_batches();
	test_wrong_batches();
	test_fresh();
	test_spoilt_batches();
	test_attached();
	test_noise();
	test_no_messages();
	test_unprivileged();
	remove_group();
	result("all of it can be removed again");
	printf("1..%u\n", n_results);
	return n_failed ? 1 : 0;
}
