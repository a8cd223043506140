// SPDX-License-Identifier: GPL-2.0
/* Strict reading of arguments: the whole string or nothing. */
#include <arpa/inet.h>
#include <string.h>
#include <ftcp/limits.h>
#include "ctl_opt.h"

/* By hand, since strtoull takes blanks, signs and, for a negative number, wraps around. */
bool ctl_parse_u64(const char *text, uint64_t min, uint64_t max, uint64_t *value)
{
	uint64_t sum = 0;

	if (!*text)
		return false;
	for (; *text; text++) {
		unsigned int digit = (unsigned char)*text - '0';

		if (digit > 9 || sum > (UINT64_MAX - digit) / 10)
			return false;
		sum = sum * 10 + digit;
	}
	if (sum < min || sum > max)
		return false;
	*value = sum;
	return true;
}

bool ctl_parse_u32(const char *text, uint32_t min, uint32_t max, uint32_t *value)
{
	uint64_t wide;

	if (!ctl_parse_u64(text, min, max, &wide))
		return false;
	*value = (uint32_t)wide;
	return true;
}

bool ctl_parse_port(const char *text, uint16_t *port)
{
	uint64_t wide;

	if (!ctl_parse_u64(text, 1, 65535, &wide))
		return false;
	*port = (uint16_t)wide;
	return true;
}

bool ctl_parse_seconds(const char *text, uint64_t *ms)
{
	const uint64_t seconds_max = 10ull * 365 * 86400;
	const char *point = strchr(text, '.');
	char whole[16], fraction[4] = "000";
	uint64_t s, rest;
	size_t len = point ? (size_t)(point - text) : strlen(text);

	if (len >= sizeof(whole))
		return false;
	memcpy(whole, text, len);
	whole[len] = '\0';
	if (point) {
		len = strlen(++point);
		if (!len || len > 3)
			return false;
		memcpy(fraction, point, len);
	}
	if (!ctl_parse_u64(whole, 0, seconds_max, &s) || !ctl_parse_u64(fraction, 0, 999, &rest))
		return false;
	*ms = s * 1000 + rest;
	return true;
}

bool ctl_parse_addr(const char *text, struct ctl_addr *addr)
{
	memset(addr, 0, sizeof(*addr));
	if (inet_pton(AF_INET, text, &addr->v4) == 1)
		addr->family = AF_INET;
	else if (inet_pton(AF_INET6, text, &addr->v6) == 1)
		addr->family = AF_INET6;
	return addr->family;
}

bool ctl_parse_endpoint(const char *text, struct ctl_addr *addr, uint16_t *port)
{
	const char *colon = strrchr(text, ':');
	char host[CTL_ADDR_LEN];
	bool brackets = *text == '[';
	size_t len;

	if (!colon || !ctl_parse_port(colon + 1, port))
		return false;
	len = (size_t)(colon - text);
	if (brackets) {
		if (len < 3 || text[len - 1] != ']')
			return false;
		text++;
		len -= 2;
	}
	if (len >= sizeof(host))
		return false;
	memcpy(host, text, len);
	host[len] = '\0';
	/* Without brackets 2001:db8::1:80 could be read in two ways. */
	return ctl_parse_addr(host, addr) && (addr->family == AF_INET6) == brackets;
}

bool ctl_valid_group(const char *name)
{
	size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-");

	return len && !name[len] && len < FTCP_GROUP_NAME_MAX;
}

const char *ctl_addr_text(const struct ctl_addr *addr, char text[CTL_ADDR_LEN])
{
	if (!addr->family || !inet_ntop(addr->family, &addr->v4, text, CTL_ADDR_LEN))
		strcpy(text, "any");
	return text;
}

const char *ctl_endpoint_text(const struct ctl_addr *addr, uint16_t port, char text[CTL_ADDR_LEN])
{
	char host[INET6_ADDRSTRLEN];

	if (!addr->family || !inet_ntop(addr->family, &addr->v4, host, sizeof(host)))
		strcpy(host, "*");
	snprintf(text, CTL_ADDR_LEN, addr->family == AF_INET6 ? "[%s]:%u" : "%s:%u", host, port);
	return text;
}
