/* SPDX-License-Identifier: GPL-2.0 */
/* Options that every command has, and strict reading of arguments. */
#ifndef FTCPCTL_OPT_H
#define FTCPCTL_OPT_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define CTL_GLOBAL_HELP \
	"Options:\n" \
	"  -g, --group NAME       the group that is meant; default: \"default\"\n" \
	"  -j, --json             JSON for programs instead of text for people\n" \
	"  -h, --help             this text\n" \
	"  -V, --version          print the version\n"

/** ctl_print_help() - every command, or those that begin with the word @prefix */
void ctl_print_help(FILE *to, const char *prefix);

/* family 0: any address */
struct ctl_addr {
	int family;
	union {
		struct in_addr v4;
		struct in6_addr v6;
	};
};

/* All of them: the whole string must be what is asked for. No blanks, no signs, no rest. */
bool ctl_parse_u64(const char *text, uint64_t min, uint64_t max, uint64_t *value);
bool ctl_parse_u32(const char *text, uint32_t min, uint32_t max, uint32_t *value);
bool ctl_parse_port(const char *text, uint16_t *port);
/** ctl_parse_seconds() - "10", "0.25": milliseconds, at most three digits behind the point */
bool ctl_parse_seconds(const char *text, uint64_t *ms);
bool ctl_parse_addr(const char *text, struct ctl_addr *addr);
/** ctl_parse_endpoint() - "192.0.2.1:80", "[2001:db8::1]:80" */
bool ctl_parse_endpoint(const char *text, struct ctl_addr *addr, uint16_t *port);
/** ctl_valid_group() - 1 to 31 of [A-Za-z0-9_.-], as the kernel wants it */
bool ctl_valid_group(const char *name);

#define CTL_ADDR_LEN 64
/** ctl_addr_text() - "192.0.2.1", "2001:db8::1", "any" */
const char *ctl_addr_text(const struct ctl_addr *addr, char text[CTL_ADDR_LEN]);
/** ctl_endpoint_text() - the form ctl_parse_endpoint() reads; "*:80" for any address */
const char *ctl_endpoint_text(const struct ctl_addr *addr, uint16_t port, char text[CTL_ADDR_LEN]);

#endif
