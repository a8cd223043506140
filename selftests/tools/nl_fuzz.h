/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of the netlink fuzzer share among themselves. */
#ifndef NL_FUZZ_H
#define NL_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <libmnl/libmnl.h>
#include <linux/ftcp.h>
#include "nl_batch.h"
#include "pattern.h"

#define FUZZ_GROUPS		3
#define FUZZ_GROUP		"fuzz"		/* and its number */
#define FUZZ_PORT		4711		/* of the first group's service; that of the next is the next */
#define FUZZ_ATTRS		(FTCP_A_MAX + 1)
#define FUZZ_CONNS		16
#define FUZZ_MESSAGE_MAX	200000
#define COUNT(array)		(sizeof(array) / sizeof((array)[0]))

/* ---- nl_fuzz_family.c: what the kernel says that it takes ---- */

struct fuzz_attr {
	uint16_t type;
	uint32_t kind;		/* enum netlink_attribute_type; 0: this command does not take it */
	uint64_t min, max;	/* numbers: of the value; all others: of the length */
};

struct fuzz_command {
	bool does, dumps;
	struct fuzz_attr attrs[FUZZ_ATTRS];
};

struct fuzz_family {
	uint16_t id;
	uint32_t events;	/* the multicast group */
	struct fuzz_command commands[FTCP_CMD_MAX + 1];
};

/** fuzz_family_read() - ask; 0 or -errno */
int fuzz_family_read(struct fuzz_family *family);

/* ---- nl_fuzz_memory.c: what the answers told, so that requests can be to the point ---- */

struct fuzz_conn {
	uint16_t family;
	uint8_t laddr[16], raddr[16];
	uint16_t lport, rport;
};

struct fuzz_view {
	uint64_t epoch, sync_id, held_no, sent_no;
	struct nl_batch batch;	/* the last that was applied, or would be the next first one */
};

struct fuzz_memory {
	struct fuzz_view views[FUZZ_GROUPS];
	struct fuzz_conn conns[FUZZ_CONNS];
	unsigned int n_conns;
	unsigned char batch[65536];
	size_t batch_len;
};

/** fuzz_learn() - from a reply or an event */
void fuzz_learn(struct fuzz_memory *memory, const struct nlmsghdr *nlh);

/* ---- nl_fuzz_message.c: requests, right or almost right ---- */

struct fuzz_request {
	struct nlmsghdr *nlh;
	uint32_t seq;
	uint8_t cmd;		/* as it stands in the message */
	uint16_t flags;
	unsigned int group;
	bool headless;		/* too short for a command */
	bool batch_applies;	/* it has the batch that views[group] has noted as the next */
	bool crowded;		/* a dump, while another one was under way on its socket */
};

struct fuzz_maker {
	const struct fuzz_family *family;
	struct fuzz_memory *memory;
	uint64_t rnd;
	unsigned int group;	/* that the message is about */
	const struct fuzz_conn *conn;
	bool batch_applies;
	uint64_t *sent;		/* counts attributes by type */
};

/** fuzz_range() - a number below @n */
static inline uint32_t fuzz_range(uint64_t *rnd, uint32_t n)
{
	return (pattern_next(rnd) >> 16) % n;
}

/** fuzz_request_make() - a random request for command @cmd (-1: any), into @to */
void fuzz_request_make(struct fuzz_maker *maker, int cmd, bool spoilt, void *to, struct fuzz_request *request);

/* ---- nl_fuzz_value.c ---- */

/** fuzz_put_value() - the attribute with a value that may do, mostly */
void fuzz_put_value(struct fuzz_maker *maker, struct nlmsghdr *nlh, const struct fuzz_attr *attr);
/** fuzz_batch_make() - a batch that may be applied, or not, into 65536 bytes; returns its length */
size_t fuzz_batch_make(struct fuzz_maker *maker, unsigned char *to);

/* ---- nl_fuzz_channel.c ---- */

/** fuzz_channel() - a descriptor that may be handed to the kernel as a channel; valid until the next call */
int fuzz_channel(struct fuzz_maker *maker);

/* ---- nl_fuzz_worker.c: a process of many sockets ---- */

enum fuzz_place {
	FUZZ_HERE,		/* the network namespace of the test */
	FUZZ_ELSEWHERE,		/* one of its own, and another every now and then */
	FUZZ_NOBODY,		/* here, without privilege */
	FUZZ_NOBODY_ELSEWHERE,	/* without privilege, but for a user and network namespace of its own */
};

/* What a worker tells the others, in shared memory. */
struct fuzz_report {
	uint64_t steps, requests, closed, broken_dumps, namespaces;
	uint64_t granted[256], refused[256];	/* by command */
	uint64_t sent[FUZZ_ATTRS];		/* by attribute; those no command takes count as 0 */
	uint64_t batches;			/* that came from the kernel */
	uint64_t silent;			/* refusals that do not say why, and should */
	uint64_t unanswered;
	uint64_t overruns;			/* answers that did not fit into the socket: not heard, but given */
	bool skipped;				/* there is no such place on this machine */
};

struct fuzz_worker {
	const struct fuzz_family *family;
	struct fuzz_report *report;
	unsigned int no;
	enum fuzz_place place;
	uint64_t seed;
	double until;		/* by fuzz_now(), which need not go on while somebody is busy: */
	uint64_t requests_max;
};

double fuzz_now(void);

/** fuzz_work() - in a process of its own, until the time is over, or enough was said */
void fuzz_work(const struct fuzz_worker *conf);

/* ---- nl_fuzz_found.c ---- */

/** fuzz_race() - a group is removed while it is given a service; afterwards all of it can be removed, or not */
void fuzz_race(double seconds);
/** fuzz_same_connection() - applied to two groups: is the second refusal told why? */
bool fuzz_same_connection(void);

/* ---- nl_fuzz_clean.c ---- */

/** fuzz_clean() - remove the groups of the network namespace, with their services; but for @keep, if given (NULL-terminated) */
int fuzz_clean(char *const *keep);

/** fuzz_groups() - the names of all groups, NULL-terminated, never given back */
char **fuzz_groups(void);

#endif
