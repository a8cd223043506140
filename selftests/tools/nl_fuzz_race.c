// SPDX-License-Identifier: GPL-2.0
/* A group is removed at the moment that it is given a service: one of the two must be refused. */
#include <linux/genetlink.h>
#include <sys/wait.h>
#include <unistd.h>
#include "nl_fuzz.h"
#include "nl_talk.h"

#define GROUP "race"

static void ask(struct nl_talk *talk, uint8_t cmd)
{
	struct nlmsghdr *nlh = nl_request(talk, cmd, 0);
	struct nl_answer answer;

	mnl_attr_put_strz(nlh, FTCP_A_GROUP_NAME, GROUP);
	if (cmd == FTCP_CMD_SERVICE_ADD || cmd == FTCP_CMD_SERVICE_DEL)
		mnl_attr_put_u16(nlh, FTCP_A_SERVICE_PORT, FUZZ_PORT);
	nl_send(talk, nlh, &answer, NULL, NULL);
}

static void take_turns(uint8_t make, uint8_t unmake, double until)
{
	struct nl_talk talk;

	if (nl_open(&talk))
		return;
	while (fuzz_now() < until) {
		ask(&talk, make);
		ask(&talk, unmake);
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
