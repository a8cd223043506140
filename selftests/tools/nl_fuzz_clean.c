// SPDX-License-Identifier: GPL-2.0
/* Taking away whatever has come to be. */
#include <linux/genetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "nl_fuzz.h"
#include "nl_talk.h"

#define GROUPS_MAX	256	/* more than there can be */
#define SERVICES_MAX	512

struct service {
	char *group;
	uint16_t port;
	uint16_t addr_type;	/* 0: none */
	uint16_t addr_len;
	uint8_t addr[16];
};

struct services {
	unsigned int n;
	struct service at[SERVICES_MAX];
};

struct groups {
	unsigned int n;
	char *names[GROUPS_MAX + 1];
};

static void read_group(const struct nlmsghdr *reply, void *arg)
{
	struct groups *groups = arg;
	const struct nlattr *attr;

	mnl_attr_for_each(attr, reply, sizeof(struct genlmsghdr))
		if (mnl_attr_get_type(attr) == FTCP_A_GROUP_NAME && groups->n < GROUPS_MAX)
			groups->names[groups->n++] = strdup(mnl_attr_get_str(attr));
}

static void read_service(const struct nlmsghdr *reply, void *arg)
{
	struct services *services = arg;
	const struct nlattr *attr;
	struct service *service;

	if (services->n == SERVICES_MAX)
		return;
	service = &services->at[services->n++];
	mnl_attr_for_each(attr, reply, sizeof(struct genlmsghdr)) {
		switch (mnl_attr_get_type(attr)) {
		case FTCP_A_GROUP_NAME: service->group = strdup(mnl_attr_get_str(attr)); break;
		case FTCP_A_SERVICE_PORT: service->port = mnl_attr_get_u16(attr); break;
		case FTCP_A_SERVICE_ADDR4:
		case FTCP_A_SERVICE_ADDR6:
			service->addr_type = mnl_attr_get_type(attr);
			service->addr_len = mnl_attr_get_payload_len(attr);
			memcpy(service->addr, mnl_attr_get_payload(attr), service->addr_len);
		}
	}
}

static bool listed(char *const *names, const char *name)
{
	for (; names && *names; names++)
		if (!strcmp(*names, name))
			return true;
	return false;
}

static int remove_service(struct nl_talk *talk, const struct service *service)
{
	struct nlmsghdr *nlh = nl_request(talk, FTCP_CMD_SERVICE_DEL, 0);
	struct nl_answer answer;

	mnl_attr_put_strz(nlh, FTCP_A_GROUP_NAME, service->group);
	mnl_attr_put_u16(nlh, FTCP_A_SERVICE_PORT, service->port);
	if (service->addr_type)
		mnl_attr_put(nlh, service->addr_type, service->addr_len, service->addr);
	nl_send(talk, nlh, &answer, NULL, NULL);
	return answer.error;
}

static int remove_group(struct nl_talk *talk, const char *name)
{
	struct nlmsghdr *nlh = nl_request(talk, FTCP_CMD_GROUP_DEL, 0);
	struct nl_answer answer;

	mnl_attr_put_strz(nlh, FTCP_A_GROUP_NAME, name);
	nl_send(talk, nlh, &answer, NULL, NULL);
	return answer.error;
}

static int remove_services(struct nl_talk *talk, char *const *keep)
{
	struct services *services = calloc(1, sizeof(*services));
	struct nl_answer answer;
	int err;

	nl_send(talk, nl_request(talk, FTCP_CMD_SERVICE_GET, NLM_F_DUMP), &answer, read_service, services);
	err = answer.error;
	for (unsigned int i = 0; i < services->n; i++) {
		if (services->at[i].group && !listed(keep, services->at[i].group) && remove_service(talk, &services->at[i]))
			err = -1;
		free(services->at[i].group);
	}
	free(services);
	return err;
}

static void list_groups(struct nl_talk *talk, struct groups *groups)
{
	struct nl_answer answer;

	nl_send(talk, nl_request(talk, FTCP_CMD_GROUP_GET, NLM_F_DUMP), &answer, read_group, groups);
}

int fuzz_clean(char *const *keep)
{
	struct groups groups = { };
	struct nl_talk talk;
	int err;

	if (nl_open(&talk))
		return -1;
	err = remove_services(&talk, keep);
	list_groups(&talk, &groups);
	for (unsigned int i = 0; i < groups.n; i++) {
		if (!listed(keep, groups.names[i]) && remove_group(&talk, groups.names[i]))
			err = -1;
		free(groups.names[i]);
	}
	nl_close(&talk);
	return err;
}

char **fuzz_groups(void)
{
	struct groups *groups = calloc(1, sizeof(*groups));
	struct nl_talk talk;

	if (!nl_open(&talk)) {
		list_groups(&talk, groups);
		nl_close(&talk);
	}
	return groups->names;
}
