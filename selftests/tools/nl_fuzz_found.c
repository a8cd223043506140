// SPDX-License-Identifier: GPL-2.0
/* What the fuzzer has found before, on purpose. */
#include <arpa/inet.h>
#include <linux/genetlink.h>
#include <sys/wait.h>
#include <unistd.h>
#include "nl_fuzz.h"
#include "nl_talk.h"

#define TURNS_MAX 1000	/* for a clock that stands still while somebody is busy */

static struct nlmsghdr *request(struct nl_talk *talk, uint8_t cmd, const char *group)
{
	struct nlmsghdr *nlh = nl_request(talk, cmd, 0);

	mnl_attr_put_strz(nlh, FTCP_A_GROUP_NAME, group);
	if (cmd == FTCP_CMD_SERVICE_ADD || cmd == FTCP_CMD_SERVICE_DEL)
		mnl_attr_put_u16(nlh, FTCP_A_SERVICE_PORT, FUZZ_PORT);
	return nlh;
}

static struct nl_answer ask(struct nl_talk *talk, struct nlmsghdr *nlh)
{
	struct nl_answer answer;

	nl_send(talk, nlh, &answer, NULL, NULL);
	return answer;
}

/* ---- a group is removed at the moment that it is given a service: one of the two must be refused ---- */

static void take_turns(uint8_t make, uint8_t unmake, double until)
{
	unsigned int turns = TURNS_MAX;
	struct nl_talk talk;

	if (nl_open(&talk))
		return;
	while (fuzz_now() < until && turns--) {
		ask(&talk, request(&talk, make, "race"));
		ask(&talk, request(&talk, unmake, "race"));
	}
	nl_close(&talk);
}

void fuzz_race(double seconds)
{
	double until = fuzz_now() + seconds;
	pid_t pid = fork();

	if (!pid) {
		take_turns(FTCP_CMD_GROUP_NEW, FTCP_CMD_GROUP_DEL, until);
		_exit(0);
	}
	take_turns(FTCP_CMD_SERVICE_ADD, FTCP_CMD_SERVICE_DEL, until);
	waitpid(pid, NULL, 0);
}

/* ---- two groups are told of the same connection: the second is not only refused, but hears why ---- */

static struct nl_answer apply(struct nl_talk *talk, const char *group)
{
	const struct nl_batch batch = { .epoch = 1, .sync_id = 1, .no = 1, .flags = FTCP_BATCH_RESET, .port = FUZZ_PORT, .records = 1 };
	struct nlmsghdr *nlh = request(talk, FTCP_CMD_SYNC_APPLY, group);
	unsigned char bytes[NL_BATCH_MAX];

	mnl_attr_put(nlh, FTCP_A_BATCH, nl_batch_make(&batch, bytes), bytes);
	return ask(talk, nlh);
}

bool fuzz_same_connection(void)
{
	struct nl_answer first, second;
	struct nlmsghdr *nlh;
	struct nl_talk talk;

	if (nl_open(&talk))
		return false;
	ask(&talk, request(&talk, FTCP_CMD_GROUP_NEW, "any"));
	ask(&talk, request(&talk, FTCP_CMD_GROUP_NEW, "one"));
	ask(&talk, request(&talk, FTCP_CMD_SERVICE_ADD, "any"));
	first = apply(&talk, "any");
	nlh = request(&talk, FTCP_CMD_SERVICE_ADD, "one");
	mnl_attr_put_u32(nlh, FTCP_A_SERVICE_ADDR4, inet_addr("10.9.0.100"));
	ask(&talk, nlh);
	second = apply(&talk, "one");
	nl_close(&talk);
	return !first.error && second.error && *second.text;
}
