// SPDX-License-Identifier: GPL-2.0
#include <linux/ktime.h>
#include <linux/net.h>
#include <linux/siphash.h>
#include <ftcp/limits.h>
#include "aborted.h"
#include "conn.h"
#include "net.h"

/* An entry: half of the hash, and the second in which it was made. 0: none. The other half says where it is. */
static u64 *entry_of(struct ftcp_net *fn, const struct ftcp_conn_key *key, u32 *mark)
{
	static siphash_key_t secret __read_mostly;
	u64 hash;

	net_get_random_once(&secret, sizeof(secret));
	hash = siphash(key, sizeof(*key), &secret);
	*mark = hash >> 32;
	return &fn->aborted[hash % FTCP_ABORTED_MAX];
}

static u32 now_s(void)
{
	return ktime_get_boottime_seconds();
}

void ftcp_aborted_note(struct ftcp_net *fn, const struct ftcp_conn_key *key)
{
	u64 *entry;
	u32 mark;

	entry = entry_of(fn, key, &mark);
	WRITE_ONCE(*entry, (u64)mark << 32 | now_s());
}

bool ftcp_aborted_find(struct ftcp_net *fn, const struct ftcp_conn_key *key)
{
	u64 *entry, found;
	u32 mark;

	entry = entry_of(fn, key, &mark);
	found = READ_ONCE(*entry);
	return found && found >> 32 == mark && now_s() - (u32)found <= FTCP_COOKIE_LIFE_MS / 1000;
}

void ftcp_aborted_clear(struct ftcp_net *fn, const struct ftcp_conn_key *key)
{
	u64 *entry;
	u32 mark;

	entry = entry_of(fn, key, &mark);
	if (READ_ONCE(*entry) >> 32 == mark)
		WRITE_ONCE(*entry, 0);
}
