// SPDX-License-Identifier: GPL-2.0
/*
 * A worker: some sockets, and requests on them, each judged by its answer. The kernel works on a request within sendmsg(),
 * and on a dump within recvmsg(): when nothing is to be read any more, everything has been answered.
 */
#include <errno.h>
#include <linux/genetlink.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "nl_fuzz.h"

#define CHANNELS	4
#define PENDING_MAX	32
#define BURST_MAX	6
#define BURST_BYTES	60000	/* no message is begun beyond */
#define NOBODY		65534

struct channel {
	int fd;
	struct fuzz_request pending[PENDING_MAX];
	unsigned int n;
	bool overrun;
};

struct work {
	struct fuzz_worker conf;
	struct channel channels[CHANNELS];
	struct fuzz_memory memory;
	struct fuzz_maker maker;
	uint64_t rnd;
	uint32_t seq;
};

static _Alignas(8) char out[4 * FUZZ_MESSAGE_MAX], in[262144];

double fuzz_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

/* ---- answers ---- */

static void complain(struct work *work, const struct fuzz_request *request, uint64_t so_far, const char *what, int error)
{
	if (so_far > 5)
		return;
	printf("# worker %u, step %llu: command %u, flags %#x, group " FUZZ_GROUP "%u: %s%s%s\n", work->conf.no,
	       (unsigned long long)work->conf.report->steps, request->cmd, request->flags, request->group, what,
	       error ? ": " : "", error ? strerror(-error) : "");
	fflush(stdout);
}

static bool is_dump(const struct fuzz_request *request)
{
	return (request->flags & NLM_F_DUMP) == NLM_F_DUMP;
}

/* Does the kernel refuse this before the module is asked, without saying why? */
static bool is_generic(const struct work *work, const struct fuzz_request *request, int error)
{
	const struct fuzz_command *command = &work->conf.family->commands[request->cmd];

	if (request->headless)
		return error == -EINVAL;
	if (work->conf.place == FUZZ_NOBODY && error == -EPERM)
		return true;
	if (request->cmd > FTCP_CMD_MAX || !(is_dump(request) ? command->dumps : command->does))
		return error == -EOPNOTSUPP;
	return (error == -EBUSY && request->crowded) || error == -ENOMEM || error == -ENOBUFS;
}

static const char *text_of(const struct nlmsghdr *nlh)
{
	const struct nlmsgerr *error = mnl_nlmsg_get_payload(nlh);
	size_t skip = nlh->nlmsg_type == NLMSG_DONE ? sizeof(int) : sizeof(*error);
	const struct nlattr *attr;

	if (nlh->nlmsg_type == NLMSG_ERROR && !(nlh->nlmsg_flags & NLM_F_CAPPED))
		skip += error->msg.nlmsg_len - sizeof(error->msg);
	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS))
		return NULL;
	mnl_attr_for_each(attr, nlh, skip)
		if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_MSG)
			return mnl_attr_get_str(attr);
	return NULL;
}

static void judge(struct work *work, const struct fuzz_request *request, const struct nlmsghdr *nlh)
{
	int error = *(const int *)mnl_nlmsg_get_payload(nlh);	/* of NLMSG_ERROR and NLMSG_DONE alike */
	struct fuzz_report *report = work->conf.report;
	const char *text = text_of(nlh);

	if (error < 0) {
		report->refused[request->cmd]++;
		if (!(text && *text) && !is_generic(work, request, error))
			complain(work, request, ++report->silent, "refused without a word why", error);
	} else {
		report->granted[request->cmd]++;
		if (work->conf.place == FUZZ_NOBODY)
			complain(work, request, report->granted[request->cmd], "granted to nobody", 0);
	}
	if (error < 0 && request->batch_applies)
		work->memory.views[request->group].batch.no = 0;
}

static void take(struct work *work, struct channel *channel, const struct nlmsghdr *nlh)
{
	if (nlh->nlmsg_type == work->conf.family->id) {
		work->conf.report->batches += ((const struct genlmsghdr *)mnl_nlmsg_get_payload(nlh))->cmd == FTCP_CMD_SYNC_BATCH;
		fuzz_learn(&work->memory, nlh);
	}
	if (nlh->nlmsg_type != NLMSG_ERROR && nlh->nlmsg_type != NLMSG_DONE)
		return;
	for (unsigned int i = 0; i < channel->n; i++) {
		if (channel->pending[i].seq != nlh->nlmsg_seq)
			continue;
		judge(work, &channel->pending[i], nlh);
		channel->pending[i] = channel->pending[--channel->n];
		return;
	}
}

/* Read what there is, but no more than @max times. */
static void drain(struct work *work, struct channel *channel, unsigned int max)
{
	const struct nlmsghdr *nlh;
	ssize_t got;
	int len;

	while (max--) {
		got = recv(channel->fd, in, sizeof(in), MSG_DONTWAIT);
		if (got < 0 && errno == ENOBUFS) {
			channel->overrun = true;
			continue;
		}
		if (got < 0)
			break;
		nlh = (const struct nlmsghdr *)in;
		for (len = got; mnl_nlmsg_ok(nlh, len); nlh = mnl_nlmsg_next(nlh, &len))
			take(work, channel, nlh);
	}
}

static void settle(struct work *work, struct channel *channel)
{
	drain(work, channel, 100000);
	for (; channel->n; channel->n--) {
		if (channel->overrun)
			work->conf.report->overruns++;
		else
			complain(work, &channel->pending[channel->n - 1], ++work->conf.report->unanswered, "no answer", 0);
	}
	channel->overrun = false;
}

/* ---- sockets ---- */

static void channel_open(struct channel *channel)
{
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK };
	int on = 1;

	*channel = (struct channel){ .fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC) };
	if (channel->fd < 0 || bind(channel->fd, (struct sockaddr *)&addr, sizeof(addr))) {
		perror("nl_fuzz: socket");
		_exit(1);
	}
	setsockopt(channel->fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
	setsockopt(channel->fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
}

static void channel_renew(struct channel *channel)
{
	close(channel->fd);
	channel_open(channel);
}

static void channels_renew(struct work *work)
{
	for (unsigned int i = 0; i < CHANNELS; i++)
		channel_renew(&work->channels[i]);
}

static struct channel *any_channel(struct work *work)
{
	return &work->channels[fuzz_range(&work->maker.rnd, CHANNELS)];
}

/* ---- requests ---- */

static bool dumping(const struct channel *channel)
{
	for (unsigned int i = 0; i < channel->n; i++)
		if (is_dump(&channel->pending[i]))
			return true;
	return false;
}

/* Returns where the next may stand. */
static char *add(struct work *work, struct channel *channel, int cmd, bool spoilt, char *to)
{
	struct fuzz_request *request = &channel->pending[channel->n];

	fuzz_request_make(&work->maker, cmd, spoilt, to, request);
	request->seq = request->nlh->nlmsg_seq = ++work->seq;
	request->crowded = dumping(channel);
	channel->n++;
	work->conf.report->requests++;
	return to + MNL_ALIGN(request->nlh->nlmsg_len);
}

static void dispatch(struct channel *channel, size_t len)
{
	/* What is too large for the socket has not been asked. */
	if (send(channel->fd, out, len, 0) < 0)
		channel->n = 0;
}

static void one_request(struct work *work, struct channel *channel, int cmd, bool spoilt)
{
	settle(work, channel);
	dispatch(channel, add(work, channel, cmd, spoilt, out) - out);
}

static void burst(struct work *work, struct channel *channel)
{
	unsigned int n = 2 + fuzz_range(&work->maker.rnd, BURST_MAX - 1);
	bool spoilt, headless = false;
	char *to = out;

	settle(work, channel);
	while (n-- && to - out < BURST_BYTES && !headless) {
		spoilt = !fuzz_range(&work->maker.rnd, 4);
		to = add(work, channel, -1, spoilt, to);
		headless = channel->pending[channel->n - 1].headless;
	}
	dispatch(channel, to - out);
	settle(work, channel);
}

/* A dump that is read once or not at all, and goes on when its socket is used again, or never. */
static void half_a_dump(struct work *work, struct channel *channel)
{
	static const uint8_t cmds[] = { FTCP_CMD_GROUP_GET, FTCP_CMD_SERVICE_GET, FTCP_CMD_CONN_GET };

	one_request(work, channel, cmds[fuzz_range(&work->maker.rnd, COUNT(cmds))], false);
	drain(work, channel, fuzz_range(&work->maker.rnd, 2));
	work->conf.report->broken_dumps++;
	if (fuzz_range(&work->maker.rnd, 2))
		channel_renew(channel);
}

/* Bytes that claim to be messages of the family. Whoever answers is not heard. */
static void noise(struct work *work, struct channel *channel)
{
	struct nlmsghdr *nlh = (struct nlmsghdr *)out;
	size_t len = 1 + fuzz_range(&work->maker.rnd, 512);

	settle(work, channel);
	pattern_fill(pattern_next(&work->maker.rnd), 0, out, len > sizeof(*nlh) ? len : sizeof(*nlh));
	nlh->nlmsg_type = work->conf.family->id;
	nlh->nlmsg_flags |= NLM_F_REQUEST;
	nlh->nlmsg_seq = 0;
	if (fuzz_range(&work->maker.rnd, 2))
		nlh->nlmsg_len = fuzz_range(&work->maker.rnd, 2 * len);
	dispatch(channel, len);
	drain(work, channel, 100);
}

static void listen_to_events(struct work *work, struct channel *channel)
{
	bool leave = fuzz_range(&work->maker.rnd, 2);

	setsockopt(channel->fd, SOL_NETLINK, leave ? NETLINK_DROP_MEMBERSHIP : NETLINK_ADD_MEMBERSHIP,
		   &work->conf.family->events, sizeof(work->conf.family->events));
}

/* What daemons do, more or less: without it only luck leads to the states that matter. */
static void session(struct work *work, struct channel *channel)
{
	static const uint8_t primary[] = { FTCP_CMD_GROUP_NEW, FTCP_CMD_SERVICE_ADD, FTCP_CMD_PROMOTE, FTCP_CMD_CONN_GET,
		FTCP_CMD_SYNC_ATTACH, FTCP_CMD_GROUP_GET, FTCP_CMD_SYNC_ACK, FTCP_CMD_KICK, FTCP_CMD_SYNC_ACK, FTCP_CMD_CONN_GET,
		FTCP_CMD_CONN_KILL, FTCP_CMD_SYNC_ACK, FTCP_CMD_SYNC_DETACH, FTCP_CMD_SYNC_ATTACH, FTCP_CMD_SYNC_ACK };
	static const uint8_t standby[] = { FTCP_CMD_GROUP_NEW, FTCP_CMD_SERVICE_ADD, FTCP_CMD_DEMOTE, FTCP_CMD_GROUP_GET,
		FTCP_CMD_SYNC_APPLY, FTCP_CMD_SYNC_APPLY, FTCP_CMD_SYNC_FOLLOW, FTCP_CMD_SYNC_APPLY, FTCP_CMD_CONN_GET, FTCP_CMD_PROMOTE,
		FTCP_CMD_KICK };
	bool speaks = fuzz_range(&work->maker.rnd, 2);
	size_t n = speaks ? COUNT(primary) : COUNT(standby);

	for (size_t i = 0; i < n; i++) {
		one_request(work, channel, (speaks ? primary : standby)[i], !fuzz_range(&work->maker.rnd, 20));
		usleep(fuzz_range(&work->maker.rnd, 4000));
		settle(work, channel);
	}
}

/* ---- places ---- */

static int go_elsewhere(struct work *work)
{
	if (unshare(CLONE_NEWNET))
		return -1;
	work->conf.report->namespaces++;
	return 0;
}

static int go(struct work *work)
{
	enum fuzz_place place = work->conf.place;

	if (place == FUZZ_NOBODY || place == FUZZ_NOBODY_ELSEWHERE)
		if (setgid(NOBODY) || setuid(NOBODY))
			return -1;
	if (place == FUZZ_NOBODY_ELSEWHERE && unshare(CLONE_NEWUSER))
		return -1;
	return place == FUZZ_ELSEWHERE || place == FUZZ_NOBODY_ELSEWHERE ? go_elsewhere(work) : 0;
}

/* Begin anew: with other names, epochs and services, or with another namespace, and with nobody left in the old one. */
static void renew(struct work *work)
{
	static char *const keep[] = { "default", NULL };

	if (work->conf.place == FUZZ_ELSEWHERE || work->conf.place == FUZZ_NOBODY_ELSEWHERE) {
		go_elsewhere(work);
		channels_renew(work);
	} else if (work->conf.place == FUZZ_HERE && !work->conf.no) {
		fuzz_clean(keep);
	}
}

/* ---- the whole ---- */

static void step(struct work *work)
{
	struct channel *channel;
	uint32_t what;

	/* Every step has numbers of its own, however many the steps before have used. */
	work->maker.rnd = pattern_next(&work->rnd);
	work->maker.group = (fuzz_range(&work->maker.rnd, 4) ? work->conf.no : fuzz_range(&work->maker.rnd, FUZZ_GROUPS)) % FUZZ_GROUPS;
	channel = any_channel(work);
	what = fuzz_range(&work->maker.rnd, 1000);
	if (what < 650)
		one_request(work, channel, -1, fuzz_range(&work->maker.rnd, 2));
	else if (what < 800)
		burst(work, channel);
	else if (what < 860)
		half_a_dump(work, channel);
	else if (what < 900)
		channel_renew(channel), work->conf.report->closed++;
	else if (what < 920)
		listen_to_events(work, channel);
	else if (what < 950)
		noise(work, channel);
	else if (what < 997)
		session(work, channel);
	else
		renew(work);
}

void fuzz_work(const struct fuzz_worker *conf)
{
	struct work *work = calloc(1, sizeof(*work));

	work->conf = *conf;
	work->rnd = conf->seed;
	work->maker = (struct fuzz_maker){ .family = conf->family, .memory = &work->memory, .sent = conf->report->sent };
	if (go(work)) {
		conf->report->skipped = true;
		return;
	}
	for (unsigned int i = 0; i < CHANNELS; i++)
		channel_open(&work->channels[i]);
	while (fuzz_now() < conf->until && conf->report->requests < conf->requests_max) {
		step(work);
		conf->report->steps++;
	}
	for (unsigned int i = 0; i < CHANNELS; i++)
		settle(work, &work->channels[i]);
}
