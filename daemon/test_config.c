// SPDX-License-Identifier: GPL-2.0
/* The configuration file: what is taken, and that each mistake is named with its place. Prints TAP. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include "config.h"
#include "tap.h"

#define LINK "[link]\nlisten = 10.9.1.11:7789\npeer = 10.9.1.12:7789\n"
#define GOOD "[group]\nrole = primary\n" LINK

static struct config config;
static char error[CONFIG_ERROR_MAX];

static bool read_text(const char *text)
{
	FILE *file = fmemopen((void *)text, strlen(text), "r");
	bool good;

	*error = '\0';
	good = config_read(&config, file, "x.conf", error);
	fclose(file);
	return good;
}

/* @start: of the error; @part: somewhere in it */
static void refuses(const char *text, const char *start, const char *part, const char *name)
{
	bool refused = !read_text(text);

	tap_ok(refused && !strncmp(error, start, strlen(start)) && strstr(error, part), name);
	printf("# %s\n", error);
}

static void defaults(void)
{
	tap_ok(read_text(GOOD), "good__the_least");
	tap_ok(!strcmp(config.name, "default") && config.prefers_primary && config.heartbeat_ms == 100 &&
	       config.dead_after_ms == 1000 && config.restart_grace_ms == 10000 && config.loss == CONFIG_LOSS_STALL &&
	       config.batches == CONFIG_BATCHES_KERNEL &&
	       config.detach_after_ms == 2000 && !config.alone_after_ms && config.announce == 5 && !config.n_addresses &&
	       !strcmp(config.epoch_file, "/var/lib/ftcp/default.epoch"), "good__defaults");
	tap_ok(read_text("[group]\nname = web\nrole = primary\n" LINK) && !strcmp(config.epoch_file, "/var/lib/ftcp/web.epoch"),
	       "good__each_group_has_its_epoch");
}

static void everything(void)
{
	tap_ok(read_text("; a comment\n# another\n[group]\n  name = web-1.x_y\n\trole = standby ; here too\n"
			 "[link]\r\nlisten = [2001:db8::1]:7789\r\npeer = [fe80::2%lo]:1\n"
			 "heartbeat_ms = 20\ndead_after_ms=60\nrestart_grace_ms = 0\nbatches = daemon\n"
			 "[standby_loss]\npolicy = detach\ndetach_after_ms = 5\n[start]\nalone_after_ms = 7\n"
			 "[address]\nadd = 10.9.0.100/24 dev eth0\nadd = fd09::100/64   dev eth1\nannounce = 0"),
	       "good__everything");
	printf("# %s\n", error);
	tap_ok(!strcmp(config.name, "web-1.x_y") && !config.prefers_primary && config.heartbeat_ms == 20 &&
	       config.dead_after_ms == 60 && !config.restart_grace_ms && config.batches == CONFIG_BATCHES_DAEMON &&
	       config.loss == CONFIG_LOSS_DETACH &&
	       config.detach_after_ms == 5 && config.alone_after_ms == 7 && !config.announce, "good__values");
	tap_ok(config.n_addresses == 2 && config.addresses[0].family == AF_INET && config.addresses[0].prefix_len == 24 &&
	       !memcmp(config.addresses[0].ip, "\x0a\x09\x00\x64", 4) && config.addresses[1].family == AF_INET6 &&
	       config.addresses[1].prefix_len == 64 && !strcmp(config.addresses[1].dev, "eth1"), "good__addresses");
	tap_ok(config.listen.addr.ss_family == AF_INET6 &&
	       ntohs(((struct sockaddr_in6 *)&config.listen.addr)->sin6_port) == 7789 &&
	       ((struct sockaddr_in6 *)&config.peer.addr)->sin6_scope_id, "good__ipv6_endpoints");
}

static void structure(void)
{
	refuses("", "x.conf: [group] role is missing", "primary or standby", "structure__empty");
	refuses("[group]\nrole = primary\n[link]\npeer = 10.9.1.12:7789\n", "x.conf: [link] listen is missing", "literal",
		"structure__missing_key");
	refuses(GOOD "[lunk]\n", "x.conf:6: ", "[lunk]; there are: group, link, standby_loss, start, address",
		"structure__unknown_section");
	refuses(GOOD "[start]\nalone = 1\n", "x.conf:7: ", "no key alone in [start]; there are: alone_after_ms",
		"structure__unknown_key");
	refuses(GOOD "peer = 10.0.0.1:1\n", "x.conf:6: ", "given twice, first on line 5", "structure__twice");
	refuses("role = primary\n", "x.conf:1: ", "before the first [section]", "structure__no_section");
	refuses("[group]\nrole\n" LINK, "x.conf:2: ", "KEY = VALUE", "structure__no_value");
	refuses("[group]\nrole =\n" LINK, "x.conf:2: ", "no value", "structure__empty_value");
	refuses("[group\nrole = primary\n", "x.conf:1: ", "without its ]", "structure__half_a_section");
	refuses("\x01\x02\xff\xfe\n\n", "x.conf:1: ", "", "structure__garbage");
}

static void numbers(void)
{
	static const char *const bad[] = { "-1", "0x10", "9999999999999999999999", "10 s", "1.5", "11000", "9", "", "ten" };
	char text[256];
	bool good = true;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(text, sizeof(text), GOOD "heartbeat_ms = %s\n", bad[i]);
		good &= !read_text(text) && !strncmp(error, "x.conf:6: ", 10);
	}
	tap_ok(good, "numbers__nonsense");
	refuses(GOOD "heartbeat_ms = 9\n", "x.conf:6: [link] heartbeat_ms = 9: ", "from 10 to 10000", "numbers__range");
	refuses(GOOD "dead_after_ms = 299\n", "x.conf:6: [link] dead_after_ms = 299: ", "300", "numbers__three_heartbeats");
	refuses(GOOD "heartbeat_ms = 500\n", "x.conf:6: [link] dead_after_ms = 1000: ", "1500",
		"numbers__three_heartbeats_of_the_default");
	tap_ok(read_text(GOOD "dead_after_ms = 300\n"), "numbers__three_heartbeats_are_enough");
}

static void values(void)
{
	refuses("[group]\nrole = master\n" LINK, "x.conf:2: [group] role = master: ", "primary or standby", "values__role");
	refuses("[group]\nname = a/b\nrole = primary\n" LINK, "x.conf:2: ", "A-Z", "values__name");
	refuses("[group]\nname = 12345678901234567890123456789012\nrole = primary\n" LINK, "x.conf:2: ", "1 to 31",
		"values__long_name");
	refuses(GOOD "[standby_loss]\npolicy = maybe\n", "x.conf:7: ", "stall or detach", "values__policy");
	refuses("[group]\nrole = primary\nepoch_file = web.epoch\n" LINK, "x.conf:3: [group] epoch_file = web.epoch: ", "full path",
		"values__epoch_file");
	tap_ok(read_text("[group]\nrole = primary\nepoch_file = /run/e\n" LINK) && !strcmp(config.epoch_file, "/run/e"),
	       "values__another_epoch_file");
	refuses(GOOD "batches = both\n", "x.conf:6: [link] batches = both: ", "kernel or daemon", "values__batches");
	tap_ok(read_text(GOOD "batches = kernel\n") && config.batches == CONFIG_BATCHES_KERNEL, "values__batches_as_the_default");
}

static void endpoints(void)
{
	static const char *const bad[] = { "10.9.1.12", "10.9.1.12:", "10.9.1.12:0", "10.9.1.12:65536", "10.9.1.12:x",
					   "10.9.1.300:1", "host:7789", "2001:db8::1:7789", "[2001:db8::1]", "[::1]7789",
					   "[::1:7789", ":7789", "10.9.1.12:77:89" };
	char text[256];
	bool good = true;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(text, sizeof(text), "[group]\nrole = primary\n[link]\nlisten = 10.9.1.11:7789\npeer = %s\n", bad[i]);
		good &= !read_text(text) && !strncmp(error, "x.conf:5: ", 10) && strstr(error, "[2001:db8::1]:7789");
		if (!good)
			printf("# %s: %s\n", bad[i], error);
	}
	tap_ok(good, "endpoints__nonsense");
	refuses("[group]\nrole = primary\n[link]\nlisten = [::1]:1\npeer = 127.0.0.1:1\n", "x.conf:5: ", "both",
		"endpoints__two_families");
	refuses("[group]\nrole = primary\n[link]\nlisten = 127.0.0.1:1\npeer = 127.0.0.1:1\n", "x.conf:5: ", "other host",
		"endpoints__itself");
}

static void addresses(void)
{
	static const char *const bad[] = { "10.0.0.1", "10.0.0.1/24", "10.0.0.1/24 eth0", "10.0.0.1/33 dev eth0",
					   "10.0.0.1/-1 dev eth0", "10.0.0.1/x dev eth0", "fd00::1/129 dev eth0",
					   "10.0.0.1/24 dev", "10.0.0.1/24 dev eth0 more", "x/24 dev eth0",
					   "10.0.0.1/24 dev a-name-that-is-too-long" };
	char text[4096] = GOOD "[address]\n";
	bool good = true;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(text, sizeof(text), GOOD "[address]\nadd = %s\n", bad[i]);
		good &= !read_text(text) && !strncmp(error, "x.conf:7: ", 10);
		if (!good)
			printf("# %s: %s\n", bad[i], error);
	}
	tap_ok(good, "addresses__nonsense");
	strcpy(text, GOOD "[address]\n");
	for (int i = 0; i < CONFIG_ADDRESSES_MAX; i++)
		strcat(text, "add = 10.0.0.1/24 dev eth0\n");
	tap_ok(read_text(text) && config.n_addresses == CONFIG_ADDRESSES_MAX, "addresses__as_many_as_allowed");
	strcat(text, "add = 10.0.0.1/24 dev eth0\n");
	refuses(text, "x.conf:39: ", "more than 32", "addresses__too_many");
}

static void long_lines(void)
{
	char text[1024] = GOOD "; ";

	memset(text + strlen(text), 'x', 500);
	strcat(text, "\n");
	refuses(text, "x.conf:6: ", "longer", "long_lines__refused");
}

/* Whatever comes, an answer and no crash; an error always names the file. */
static void garbage(void)
{
	static const char *const pieces[] = { "[group]", "\n", "role", " = ", "primary", "[link]", "listen", "10.0.0.1:1",
					      "peer", "[", "]", ";", ":", "\xff", "add", "1.1.1.1/1 dev x", " ", "=" };
	char text[512];
	bool good = true;

	srand(2);
	for (int i = 0; i < 20000; i++) {
		*text = '\0';
		for (int n = 1 + rand() % 20; n; n--)
			strcat(text, pieces[rand() % (sizeof(pieces) / sizeof(pieces[0]))]);
		good &= read_text(text) || !strncmp(error, "x.conf:", 7);
	}
	tap_ok(good, "garbage__always_an_answer");
}

int main(void)
{
	printf("TAP version 13\n");
	defaults();
	everything();
	structure();
	numbers();
	values();
	endpoints();
	addresses();
	long_lines();
	garbage();
	return tap_end();
}
