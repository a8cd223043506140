// SPDX-License-Identifier: GPL-2.0
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <ini.h>
#include <netdb.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include "config.h"

#define HEARTBEATS_UNTIL_DEAD_MIN 3
#define KEYS_MAX 16

struct key;

/* A file being read. */
struct reading {
	struct config *config;
	FILE *file;
	const char *name;
	char *error;
	unsigned int line;
	bool failed;
	unsigned int seen[KEYS_MAX];	/* the line of each key, 0: not met */
};

typedef bool (*parse_fn)(struct reading *reading, const struct key *key, const char *value);

struct key {
	const char *section;
	const char *name;
	parse_fn parse;
	size_t offset;
	uint64_t min, max;
	uint64_t value;		/* unless the file says otherwise */
	const char *allowed;
	bool required;
	bool repeats;
};

/* The first error is the one to tell. */
__attribute__((format(printf, 3, 4)))
static bool fail(struct reading *reading, unsigned int line, const char *fmt, ...)
{
	va_list args;
	int len;

	if (reading->failed)
		return false;
	reading->failed = true;
	if (line)
		len = snprintf(reading->error, CONFIG_ERROR_MAX, "%s:%u: ", reading->name, line);
	else
		len = snprintf(reading->error, CONFIG_ERROR_MAX, "%s: ", reading->name);
	if (len >= CONFIG_ERROR_MAX)
		return false;
	va_start(args, fmt);
	vsnprintf(reading->error + len, CONFIG_ERROR_MAX - len, fmt, args);
	va_end(args);
	return false;
}

static bool fail_value(struct reading *reading, const struct key *key, const char *value)
{
	return fail(reading, reading->line, "[%s] %s = %s: must be %s", key->section, key->name, value, key->allowed);
}

static void *field(struct reading *reading, const struct key *key)
{
	return (char *)reading->config + key->offset;
}

/* ---- values ---- */

static bool parse_number(struct reading *reading, const struct key *key, const char *value)
{
	uint64_t *number = field(reading, key);
	char *end;

	errno = 0;
	*number = strtoull(value, &end, 10);
	if (!isdigit((unsigned char)*value) || *end || errno || *number < key->min || *number > key->max)
		return fail(reading, reading->line, "[%s] %s = %s: must be a number from %llu to %llu%s%s", key->section,
			    key->name, value, (unsigned long long)key->min, (unsigned long long)key->max,
			    key->allowed ? ", " : "", key->allowed ? key->allowed : "");
	return true;
}

static bool parse_name(struct reading *reading, const struct key *key, const char *value)
{
	size_t len = strlen(value);

	if (!len || len >= FTCP_GROUP_NAME_MAX)
		return fail_value(reading, key, value);
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)value[i]) && !strchr("_.-", value[i]))
			return fail_value(reading, key, value);
	memcpy(field(reading, key), value, len + 1);
	return true;
}

/* The process may change to another directory. */
static bool parse_path(struct reading *reading, const struct key *key, const char *value)
{
	size_t len = strlen(value);

	if (*value != '/' || value[len - 1] == '/' || len >= CONFIG_PATH_MAX)
		return fail_value(reading, key, value);
	memcpy(field(reading, key), value, len + 1);
	return true;
}

static bool parse_role(struct reading *reading, const struct key *key, const char *value)
{
	bool *prefers_primary = field(reading, key);

	*prefers_primary = !strcmp(value, "primary");
	return *prefers_primary || !strcmp(value, "standby") || fail_value(reading, key, value);
}

static bool parse_loss(struct reading *reading, const struct key *key, const char *value)
{
	enum config_loss *loss = field(reading, key);

	*loss = !strcmp(value, "detach") ? CONFIG_LOSS_DETACH : CONFIG_LOSS_STALL;
	return *loss == CONFIG_LOSS_DETACH || !strcmp(value, "stall") || fail_value(reading, key, value);
}

static bool parse_batches(struct reading *reading, const struct key *key, const char *value)
{
	enum config_batches *batches = field(reading, key);

	*batches = !strcmp(value, "daemon") ? CONFIG_BATCHES_DAEMON : CONFIG_BATCHES_KERNEL;
	return *batches == CONFIG_BATCHES_DAEMON || !strcmp(value, "kernel") || fail_value(reading, key, value);
}

/* getaddrinfo() takes 65537 for 1. */
static bool is_port(const char *text)
{
	char *end;
	unsigned long port = strtoul(text, &end, 10);

	return isdigit((unsigned char)*text) && !*end && port >= 1 && port <= 65535;
}

/* Splits "10.0.0.1:7789" or "[fe80::1%eth0]:7789" in place. */
static bool split_endpoint(char *text, char **host, char **port)
{
	bool bracket = *text == '[';
	char *end = bracket ? strchr(text, ']') : strchr(text, ':');

	if (!end || (bracket && end[1] != ':') || (!bracket && strchr(end + 1, ':')))
		return false;
	*host = text + bracket;
	*port = end + 1 + bracket;
	*end = '\0';
	return is_port(*port);
}

/* Literal addresses only: asking a name server would block, and it may be what is down. */
static bool parse_endpoint(struct reading *reading, const struct key *key, const char *value)
{
	struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE, .ai_socktype = SOCK_STREAM };
	struct config_endpoint *endpoint = field(reading, key);
	struct addrinfo *found;
	char text[80], *host, *port;

	if (strlen(value) >= sizeof(text))
		return fail_value(reading, key, value);
	strcpy(text, value);
	if (!split_endpoint(text, &host, &port) || getaddrinfo(host, port, &hints, &found))
		return fail_value(reading, key, value);
	memcpy(&endpoint->addr, found->ai_addr, found->ai_addrlen);
	endpoint->len = found->ai_addrlen;
	freeaddrinfo(found);
	strcpy(endpoint->text, value);
	return true;
}

static bool parse_prefix(struct config_address *address, char *text)
{
	char *slash = strchr(text, '/'), *end;
	unsigned long len;

	if (!slash || !isdigit((unsigned char)slash[1]))
		return false;
	*slash = '\0';
	address->family = strchr(text, ':') ? AF_INET6 : AF_INET;
	len = strtoul(slash + 1, &end, 10);
	if (*end || len > (address->family == AF_INET6 ? 128 : 32))
		return false;
	address->prefix_len = len;
	return inet_pton(address->family, text, address->ip) == 1;
}

static bool parse_address(struct reading *reading, const struct key *key, const char *value)
{
	struct config *config = reading->config;
	struct config_address *address = &config->addresses[config->n_addresses];
	char ip[64], dev[IFNAMSIZ], rest;

	if (config->n_addresses == CONFIG_ADDRESSES_MAX)
		return fail(reading, reading->line, "[%s] %s: more than %d addresses", key->section, key->name,
			    CONFIG_ADDRESSES_MAX);
	if (strlen(value) >= sizeof(address->text) || sscanf(value, "%63s dev %15s %c", ip, dev, &rest) != 2 ||
	    !parse_prefix(address, ip))
		return fail_value(reading, key, value);
	strcpy(address->dev, dev);
	strcpy(address->text, value);
	config->n_addresses++;
	return true;
}

/* ---- keys ---- */

#define ENDPOINT_ALLOWED "a literal address and a port: 10.0.0.1:7789 or [2001:db8::1]:7789"
#define HOUR_MS 3600000

#define NUMBER(section_, name_, min_, max_, value_, allowed_) \
	{ .section = section_, .name = #name_, .parse = parse_number, .offset = offsetof(struct config, name_), \
	  .min = min_, .max = max_, .value = value_, .allowed = allowed_ }

static const struct key keys[] = {
	{ .section = "group", .name = "name", .parse = parse_name, .offset = offsetof(struct config, name),
	  .allowed = "1 to 31 of A-Z a-z 0-9 _ . -" },
	{ .section = "group", .name = "role", .parse = parse_role, .offset = offsetof(struct config, prefers_primary),
	  .allowed = "primary or standby", .required = true },
	{ .section = "group", .name = "epoch_file", .parse = parse_path, .offset = offsetof(struct config, epoch_file),
	  .allowed = "a file by its full path" },
	{ .section = "link", .name = "listen", .parse = parse_endpoint, .offset = offsetof(struct config, listen),
	  .allowed = ENDPOINT_ALLOWED, .required = true },
	{ .section = "link", .name = "peer", .parse = parse_endpoint, .offset = offsetof(struct config, peer),
	  .allowed = ENDPOINT_ALLOWED, .required = true },
	NUMBER("link", heartbeat_ms, 10, 10000, 100, NULL),
	NUMBER("link", dead_after_ms, 30, HOUR_MS, 1000, "and at least 3 heartbeat_ms"),
	NUMBER("link", restart_grace_ms, 0, HOUR_MS, 10000, NULL),
	{ .section = "link", .name = "batches", .parse = parse_batches, .offset = offsetof(struct config, batches),
	  .allowed = "kernel or daemon" },
	{ .section = "standby_loss", .name = "policy", .parse = parse_loss, .offset = offsetof(struct config, loss),
	  .allowed = "stall or detach" },
	NUMBER("standby_loss", detach_after_ms, 0, HOUR_MS, 2000, NULL),
	NUMBER("start", alone_after_ms, 0, HOUR_MS, 0, "0 for never"),
	{ .section = "address", .name = "add", .parse = parse_address, .repeats = true,
	  .allowed = "ADDRESS/LENGTH dev INTERFACE: 10.0.0.100/24 dev eth0" },
	NUMBER("address", announce, 0, 100, 5, NULL),
};

#define KEYS (sizeof(keys) / sizeof(keys[0]))
_Static_assert(KEYS <= KEYS_MAX, "seen[] has a place for every key");

/* The line that @name is on, for errors found at the end. */
static unsigned int line_of(const struct reading *reading, const char *section, const char *name)
{
	for (size_t i = 0; i < KEYS; i++)
		if (!strcmp(keys[i].section, section) && !strcmp(keys[i].name, name))
			return reading->seen[i];
	return 0;
}

/* "a, b, c": the sections, or the keys of one of them. */
static const char *list_names(const char *section, char *text, size_t size)
{
	const char *name, *last = "";
	size_t len = 0;

	*text = '\0';
	for (size_t i = 0; i < KEYS; i++) {
		name = section ? keys[i].name : keys[i].section;
		if ((section && strcmp(keys[i].section, section)) || !strcmp(name, last))
			continue;
		len += snprintf(text + len, size - len, "%s%s", len ? ", " : "", name);
		last = name;
	}
	return text;
}

static bool is_section(const char *section)
{
	for (size_t i = 0; i < KEYS; i++)
		if (!strcmp(keys[i].section, section))
			return true;
	return false;
}

static bool fail_section(struct reading *reading, const char *section)
{
	char names[128];

	return fail(reading, reading->line, "there is no section [%s]; there are: %s", section,
		    list_names(NULL, names, sizeof(names)));
}

static bool take_value(struct reading *reading, const struct key *key, const char *value)
{
	unsigned int *seen = &reading->seen[key - keys];

	if (*seen && !key->repeats)
		return fail(reading, reading->line, "[%s] %s is given twice, first on line %u", key->section, key->name,
			    *seen);
	*seen = reading->line;
	if (!*value)
		return fail(reading, reading->line, "[%s] %s has no value", key->section, key->name);
	return key->parse(reading, key, value);
}

/* inih's handler: 0 is an error. */
static int handle(void *arg, const char *section, const char *name, const char *value)
{
	struct reading *reading = arg;
	char names[128];

	if (reading->failed)
		return 0;
	if (!*section)
		return fail(reading, reading->line, "%s stands before the first [section]", name);
	for (size_t i = 0; i < KEYS; i++)
		if (!strcmp(keys[i].section, section) && !strcmp(keys[i].name, name))
			return take_value(reading, &keys[i], value);
	if (!is_section(section))
		return fail_section(reading, section);
	return fail(reading, reading->line, "there is no key %s in [%s]; there are: %s", name, section,
		    list_names(section, names, sizeof(names)));
}

/* ---- lines ---- */

/* inih does not tell of a section without keys, and goes on after half of one. */
static void check_section(struct reading *reading, const char *line)
{
	char section[50] = "";

	while (isspace((unsigned char)*line))
		line++;
	if (*line != '[')
		return;
	if (!strchr(line, ']'))
		fail(reading, reading->line, "a [section] without its ]");
	else if (sscanf(line, "[%49[^]]", section) != 1 || !is_section(section))
		fail_section(reading, section);
}

/* inih's reader: its own count of lines does not reach the handler. */
static char *read_line(char *text, int size, void *arg)
{
	struct reading *reading = arg;

	if (reading->failed || !fgets(text, size, reading->file))
		return NULL;
	reading->line++;
	if (!strchr(text, '\n') && !feof(reading->file)) {
		fail(reading, reading->line, "the line is longer than %d characters", size - 2);
		return NULL;
	}
	check_section(reading, text);
	return reading->failed ? NULL : text;
}

/* ---- the whole ---- */

static void set_defaults(struct config *config)
{
	memset(config, 0, sizeof(*config));
	strcpy(config->name, "default");
	for (size_t i = 0; i < KEYS; i++)
		if (keys[i].parse == parse_number)
			*(uint64_t *)((char *)config + keys[i].offset) = keys[i].value;
}

static bool same_endpoint(const struct config_endpoint *a, const struct config_endpoint *b)
{
	return a->len == b->len && !memcmp(&a->addr, &b->addr, a->len);
}

static bool check(struct reading *reading)
{
	struct config *config = reading->config;
	unsigned int line;

	for (size_t i = 0; i < KEYS; i++)
		if (keys[i].required && !reading->seen[i])
			return fail(reading, 0, "[%s] %s is missing: must be %s", keys[i].section, keys[i].name,
				    keys[i].allowed);
	if (config->dead_after_ms < HEARTBEATS_UNTIL_DEAD_MIN * config->heartbeat_ms) {
		line = line_of(reading, "link", "dead_after_ms");
		return fail(reading, line ? line : line_of(reading, "link", "heartbeat_ms"),
			    "[link] dead_after_ms = %llu: must be at least %d heartbeat_ms, %llu",
			    (unsigned long long)config->dead_after_ms, HEARTBEATS_UNTIL_DEAD_MIN,
			    (unsigned long long)(HEARTBEATS_UNTIL_DEAD_MIN * config->heartbeat_ms));
	}
	line = line_of(reading, "link", "peer");
	if (config->listen.addr.ss_family != config->peer.addr.ss_family)
		return fail(reading, line, "[link] peer and listen must both be IPv4 or both IPv6");
	if (same_endpoint(&config->listen, &config->peer))
		return fail(reading, line, "[link] peer is this host's own listen address: must be the other host's");
	return true;
}

bool config_read(struct config *config, FILE *file, const char *name, char *error)
{
	struct reading reading = { .config = config, .file = file, .name = name, .error = error };
	int line;

	set_defaults(config);
	/* An indented key is a key, not the continuation of the line before. */
	ini_allow_multiline = false;
	ini_stop_on_first_error = true;
	line = ini_parse_stream(read_line, &reading, handle, &reading);
	if (ferror(file))
		return fail(&reading, 0, "cannot be read: %s", strerror(errno));
	if (line)
		return fail(&reading, line > 0 ? line : 0, "must be a [section], KEY = VALUE or a ; comment");
	if (reading.failed || !check(&reading))
		return false;
	if (!*config->epoch_file)
		snprintf(config->epoch_file, sizeof(config->epoch_file), CONFIG_EPOCH_DIR "/%s.epoch", config->name);
	return true;
}
