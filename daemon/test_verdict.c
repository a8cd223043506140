// SPDX-License-Identifier: GPL-2.0
/*
 * ftcpctl without a kernel: verdicts, arguments, decoding. Linked with every ctl_*.o; prints TAP.
 */
#include <stdlib.h>
#include <string.h>
#include <netlink/msg.h>
#include <netlink/attr.h>
#include "ctl.h"
#include "ctl_netlink.h"
#include "ctl_verdict.h"

static int tests, failures;

static void ok(bool good, const char *name)
{
	tests++;
	failures += !good;
	printf("%sok %d %s\n", good ? "" : "not ", tests, name);
}

/* ftcpctl.c is not linked. */
void ctl_print_help(FILE *to, const char *prefix)
{
	fprintf(to, "%s", prefix ? prefix : "");
}

static void set(struct ctl_item *item, int attr, uint64_t value)
{
	item->has[attr] = true;
	item->value[attr] = value;
}

static struct ctl_item make(enum ftcp_role role, enum ftcp_sync_state sync)
{
	struct ctl_item group = { .group = "default" };

	set(&group, FTCP_A_ROLE, role);
	set(&group, FTCP_A_SYNC_STATE, sync);
	set(&group, FTCP_A_ROLE_MS, 9000);
	set(&group, FTCP_A_SYNC_MS, 5000);
	set(&group, FTCP_A_ATTACHED, 1);
	set(&group, FTCP_A_LAG_MS, 3);
	set(&group, FTCP_A_CONNS, 10);
	set(&group, FTCP_A_UNSYNCED, 4);
	return group;
}

static void expect(const struct ctl_item *group, enum ctl_verdict_kind kind, int status, const char *name)
{
	struct ctl_verdict verdict;

	ctl_verdict(group, NULL, &verdict);
	ok(verdict.kind == kind && verdict.exit_status == status && *verdict.what &&
	   (status == CTL_EXIT_OK) == !*verdict.advice, name);
}

static void verdicts(void)
{
	struct ctl_item group = make(FTCP_ROLE_PRIMARY, FTCP_SYNC_DONE);

	expect(&group, CTL_VERDICT_PROTECTED, 0, "verdict__primary_done");
	set(&group, FTCP_A_LAG_MS, CTL_LAG_MAX_MS);
	expect(&group, CTL_VERDICT_PROTECTED, 0, "verdict__primary_small_lag");
	set(&group, FTCP_A_LAG_MS, CTL_LAG_MAX_MS + 1);
	expect(&group, CTL_VERDICT_STALLED, 1, "verdict__primary_large_lag");
	set(&group, FTCP_A_LAG_MS, 0);
	set(&group, FTCP_A_ATTACHED, 0);
	expect(&group, CTL_VERDICT_STALLED, 1, "verdict__primary_done_not_attached");
	group = make(FTCP_ROLE_PRIMARY, FTCP_SYNC_NONE);
	expect(&group, CTL_VERDICT_SYNCING, 1, "verdict__primary_attached_not_begun");
	set(&group, FTCP_A_ATTACHED, 0);
	expect(&group, CTL_VERDICT_STALLED, 1, "verdict__primary_not_attached");
	group = make(FTCP_ROLE_PRIMARY, FTCP_SYNC_RUNNING);
	expect(&group, CTL_VERDICT_SYNCING, 1, "verdict__primary_running");
	group = make(FTCP_ROLE_STANDBY, FTCP_SYNC_DONE);
	expect(&group, CTL_VERDICT_READY, 0, "verdict__standby_done");
	group = make(FTCP_ROLE_STANDBY, FTCP_SYNC_RUNNING);
	expect(&group, CTL_VERDICT_STANDBY_SYNCING, 1, "verdict__standby_running");
	group = make(FTCP_ROLE_STANDBY, FTCP_SYNC_NONE);
	expect(&group, CTL_VERDICT_NOT_IN_SYNC, 1, "verdict__standby_none");
	group = make(FTCP_ROLE_DETACHED, FTCP_SYNC_NONE);
	expect(&group, CTL_VERDICT_UNPROTECTED, 1, "verdict__detached");
}

static void cut_off(void)
{
	struct ctl_item group = make(FTCP_ROLE_STANDBY, FTCP_SYNC_DONE);

	set(&group, FTCP_A_LAG_MS, CTL_CUT_OFF_MS);
	expect(&group, CTL_VERDICT_READY, 0, "cut_off__not_yet");
	set(&group, FTCP_A_LAG_MS, CTL_CUT_OFF_MS + 1);
	expect(&group, CTL_VERDICT_CUT_OFF, 1, "cut_off__nothing_has_come_for_long");
	set(&group, FTCP_A_SYNC_STATE, FTCP_SYNC_RUNNING);
	expect(&group, CTL_VERDICT_CUT_OFF, 1, "cut_off__in_the_middle_of_a_resync");
	set(&group, FTCP_A_SYNC_STATE, FTCP_SYNC_NONE);
	expect(&group, CTL_VERDICT_NOT_IN_SYNC, 1, "cut_off__not_what_holds_nothing");
	group = make(FTCP_ROLE_STANDBY, FTCP_SYNC_DONE);
	set(&group, FTCP_A_ATTACHED, 0);
	expect(&group, CTL_VERDICT_READY, 0, "cut_off__batches_by_daemons_need_no_channel");
}

static struct ctl_item service_of(const char *group, uint64_t port, enum ftcp_protection how)
{
	struct ctl_item service = { .group = "" };

	snprintf(service.group, sizeof(service.group), "%s", group);
	set(&service, FTCP_A_SERVICE_PORT, port);
	set(&service, FTCP_A_SERVICE_PROTECTION, how);
	return service;
}

static void expect_of(struct ctl_item *list, size_t n, int status, const char *says, const char *says_not, const char *name)
{
	const struct ctl_items services = { .v = list, .n = n };
	struct ctl_item group = make(FTCP_ROLE_PRIMARY, FTCP_SYNC_DONE);
	struct ctl_verdict verdict;

	ctl_verdict(&group, &services, &verdict);
	ok(verdict.kind == (status ? CTL_VERDICT_UNPROTECTED : CTL_VERDICT_PROTECTED) && verdict.exit_status == status &&
	   strstr(verdict.what, says) && !strstr(verdict.what, says_not) && (status == CTL_EXIT_OK) == !*verdict.advice, name);
}

static void promises(void)
{
	struct ctl_item sync = service_of("default", 80, FTCP_PROTECTION_SYNC), async = service_of("default", 81, FTCP_PROTECTION_ASYNC);
	struct ctl_item none = service_of("default", 82, FTCP_PROTECTION_NONE), other = service_of("other", 83, FTCP_PROTECTION_NONE);
	struct ctl_item all[] = { sync, async, none, none, other }, placed = none;

	expect_of(all, 0, 0, "every connection", "port", "promises__no_service");
	expect_of(all, 1, 0, "every connection", "port", "promises__sync");
	expect_of(all, 2, 0, "port 81 (async)", "every", "promises__async");
	expect_of(all + 1, 1, 0, "port 81 (async)", "every", "promises__async_alone");
	expect_of(all, 5, 0, "port 82 and 1 more (none)", "every", "promises__none_among_others");
	expect_of(all, 5, 0, "port 81 (async)", "83", "promises__and_async_but_not_of_another_group");
	expect_of(all + 2, 2, 1, "no service is protected", "every", "promises__none_alone");
	expect_of(all + 4, 1, 0, "every connection", "83", "promises__of_another_group_alone");
	placed.service = (struct ctl_addr){ .family = AF_INET };
	all[1] = placed;
	expect_of(all, 2, 0, "0.0.0.0:82 (none)", "every", "promises__with_an_address");
	all[1] = service_of("default", 81, 77);
	expect_of(all, 2, 0, "every connection", "81", "promises__of_the_future");
}

static void advice_names_the_group(void)
{
	struct ctl_item group = make(FTCP_ROLE_PRIMARY, FTCP_SYNC_RUNNING);
	struct ctl_verdict verdict;

	strcpy(group.group, "web");
	ctl_verdict(&group, NULL, &verdict);
	ok(strstr(verdict.advice, "ftcpctl -g web wait") != NULL, "advice__syncing_names_the_group");
}

static void strange_verdicts(void)
{
	struct ctl_item group = { .group = "" };

	expect(&group, CTL_VERDICT_UNKNOWN, 1, "verdict__no_attributes");
	set(&group, FTCP_A_ROLE, 77);
	expect(&group, CTL_VERDICT_UNKNOWN, 1, "verdict__role_of_the_future");
	/* Nothing is called protected because something was not said. */
	set(&group, FTCP_A_ROLE, FTCP_ROLE_PRIMARY);
	expect(&group, CTL_VERDICT_SYNCING, 1, "verdict__primary_sync_missing");
	set(&group, FTCP_A_SYNC_STATE, 77);
	expect(&group, CTL_VERDICT_SYNCING, 1, "verdict__primary_sync_of_the_future");
	set(&group, FTCP_A_ROLE, FTCP_ROLE_STANDBY);
	expect(&group, CTL_VERDICT_NOT_IN_SYNC, 1, "verdict__standby_sync_of_the_future");
}

static void details(void)
{
	struct ctl_item group = make(FTCP_ROLE_PRIMARY, FTCP_SYNC_DONE);
	struct ctl_verdict verdict;

	ctl_verdict(&group, NULL, &verdict);
	ok(verdict.has_since && verdict.since_ms == 5000, "since__later_of_two_changes");
	set(&group, FTCP_A_LAG_MS, 7000);
	ctl_verdict(&group, NULL, &verdict);
	ok(verdict.has_since && verdict.since_ms == 7000, "since__lag");
	set(&group, FTCP_A_ATTACHED, 0);
	ctl_verdict(&group, NULL, &verdict);
	ok(!verdict.has_since, "since__daemon_left_unknown_when");
	ok(strstr(verdict.advice, "'ftcpctl detach'"), "advice__default_group");
	strcpy(group.group, "web");
	ctl_verdict(&group, NULL, &verdict);
	ok(strstr(verdict.advice, "'ftcpctl -g web detach'"), "advice__named_group");
	memset(group.group, 'x', sizeof(group.group) - 1);
	ctl_verdict(&group, NULL, &verdict);
	ok(strstr(verdict.advice, "x detach'"), "advice__longest_name_fits");
	ctl_verdict_no_group(group.group, &verdict);
	ok(verdict.exit_status == CTL_EXIT_UNPROTECTED && strstr(verdict.what, "served"), "no_group");
	ctl_verdict_no_module(&verdict);
	ok(verdict.exit_status == CTL_EXIT_NO_MODULE && *verdict.advice, "no_module");
}

static bool endpoint(const char *text)
{
	struct ctl_addr addr;
	char back[CTL_ADDR_LEN];
	uint16_t port;

	return ctl_parse_endpoint(text, &addr, &port) && !strcmp(ctl_endpoint_text(&addr, port, back), text);
}

static void arguments(void)
{
	static const char *const bad_numbers[] = { "", " 1", "1 ", "+1", "-1", "0x1", "1.", "1e3", "99", "0",
						   "18446744073709551617" };
	static const char *const bad_seconds[] = { "", ".", "1.", ".5", "1.2345", "-1", "1s", "99999999999", "1.x" };
	static const char *const bad_endpoints[] = { "", ":", ":1", "1.2.3.4", "1.2.3.4:", "1.2.3.4:0", "1.2.3:4",
		"[1.2.3.4]:5", "::1:4", "[::1:4", "[]:4", "[::1]4", "1.2.3.4:65536", "[fe80::1%lo]:4" };
	uint64_t value = 0;
	bool good = true;

	for (size_t i = 0; i < sizeof(bad_numbers) / sizeof(bad_numbers[0]); i++)
		good &= !ctl_parse_u64(bad_numbers[i], 1, 50, &value);
	ok(good && !value, "number__refused");
	ok(ctl_parse_u64("18446744073709551615", 0, UINT64_MAX, &value) && value == UINT64_MAX, "number__largest");
	good = true;
	for (size_t i = 0; i < sizeof(bad_seconds) / sizeof(bad_seconds[0]); i++)
		good &= !ctl_parse_seconds(bad_seconds[i], &value);
	ok(good, "seconds__refused");
	ok(ctl_parse_seconds("10", &value) && value == 10000, "seconds__whole");
	ok(ctl_parse_seconds("0.5", &value) && value == 500, "seconds__half");
	ok(ctl_parse_seconds("1.007", &value) && value == 1007, "seconds__milliseconds");
	good = true;
	for (size_t i = 0; i < sizeof(bad_endpoints) / sizeof(bad_endpoints[0]); i++)
		good &= !endpoint(bad_endpoints[i]);
	ok(good, "endpoint__refused");
	ok(endpoint("192.0.2.1:80") && endpoint("[2001:db8::1]:65535") && endpoint("[::ffff:1.2.3.4]:1"),
	   "endpoint__there_and_back");
	ok(ctl_valid_group("a.b-c_9") && !ctl_valid_group("") && !ctl_valid_group("a b") &&
	   !ctl_valid_group("x23456789012345678901234567890123"), "group_name");
	ok(ctl_tcp_state_parse("established") == 1 && ctl_tcp_state_parse("closing") == 11 &&
	   !ctl_tcp_state_parse("unknown"), "tcp_state");
}

static void put_counter(struct nl_msg *msg, const char *name, uint64_t value)
{
	struct nlattr *nest = nla_nest_start(msg, FTCP_A_STATS_ENTRY);

	ctl_put_string(msg, FTCP_A_STATS_NAME, name);
	ctl_put_u64(msg, FTCP_A_STATS_VALUE, value);
	nla_nest_end(msg, nest);
}

static void decode(struct nl_msg *msg, struct ctl_item *item)
{
	memset(item, 0, sizeof(*item));
	ctl_item_decode(item, nlmsg_attrdata(nlmsg_hdr(msg), 0), nlmsg_attrlen(nlmsg_hdr(msg), 0));
	nlmsg_free(msg);
}

static bool json_is(const struct ctl_item *item, const char *want)
{
	json_t *object = ctl_item_json(item);
	char *text = json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS);
	bool same = !strcmp(text, want);

	if (!same)
		printf("# have %s\n# want %s\n", text, want);
	free(text);
	json_decref(object);
	return same;
}

static void decoding(void)
{
	struct nl_msg *msg = nlmsg_alloc_simple(0, 0);
	struct ctl_item item;

	ctl_put_string(msg, FTCP_A_GROUP_NAME, "a-name-that-is-longer-than-any-group-name-may-be");
	ctl_put_u64(msg, FTCP_A_ROLE, FTCP_ROLE_PRIMARY);	/* wider than promised */
	ctl_put_u16(msg, FTCP_A_EPOCH, 7);			/* narrower */
	ctl_put_u64(msg, FTCP_A_SYNC_ID, UINT64_MAX);
	ctl_put_flag(msg, FTCP_A_ATTACHED);
	ctl_put_u32(msg, FTCP_A_MAX + 9, 1);			/* from the future */
	nla_put(msg, FTCP_A_LAG_MS, 3, "abc");			/* no number */
	nla_put(msg, FTCP_A_SERVICE_ADDR6, 5, "abcde");		/* no address */
	decode(msg, &item);
	ok(json_is(&item, "{\"attached\":true,\"epoch\":7,\"group\":\"a-name-that-is-longer-than-any-\","
		   "\"role\":\"primary\",\"sync_id\":\"0xffffffffffffffff\"}"), "decode__strange_widths");
	msg = nlmsg_alloc_simple(0, 0);
	ctl_put_u16(msg, FTCP_A_CONN_LPORT, 80);
	nla_put(msg, FTCP_A_CONN_LADDR4, 4, "\300\0\2\1");
	decode(msg, &item);
	ok(json_is(&item, "{\"local_address\":\"192.0.2.1\",\"local_port\":80}"), "decode__address");
	msg = nlmsg_alloc_simple(0, 0);
	decode(msg, &item);
	ok(json_is(&item, "{}"), "decode__nothing");
}

static void counters(void)
{
	struct nl_msg *msg = nlmsg_alloc_simple(0, 0);
	struct ctl_item item;
	char name[16];
	bool good;

	for (int i = 0; i < 70; i++) {
		snprintf(name, sizeof(name), "counter_%d", i);
		put_counter(msg, name, (uint64_t)i << 40);
	}
	decode(msg, &item);
	good = item.n_counters == 70;
	for (size_t i = 0; good && i < 70; i++)
		good = item.counters[i].value == (uint64_t)i << 40;
	ok(good, "decode__counters");
	free(item.counters);
}

static void texts(void)
{
	char text[32];

	ok(!strcmp(ctl_time_text(999, text), "999 ms") && !strcmp(ctl_time_text(59999, text), "59 s") &&
	   !strcmp(ctl_time_text(185000, text), "3 min 5 s") && !strcmp(ctl_time_text(7440000, text), "2 h 4 min") &&
	   !strcmp(ctl_time_text(90000000, text), "1 d 1 h"), "time_text");
	ok(!strcmp(ctl_bytes_text(1023, text), "1023 B") && !strcmp(ctl_bytes_text(1536, text), "1.5 KiB") &&
	   !strcmp(ctl_bytes_text(UINT64_MAX, text), "16.0 EiB"), "bytes_text");
}

int main(void)
{
	printf("TAP version 13\n");
	verdicts();
	cut_off();
	promises();
	advice_names_the_group();
	strange_verdicts();
	details();
	arguments();
	decoding();
	counters();
	texts();
	printf("1..%d\n", tests);
	return failures ? 1 : 0;
}
