// SPDX-License-Identifier: GPL-2.0
/* Transmission times in runs. */
#include <linux/kernel.h>
#include <linux/string.h>
#include "sent.h"

static void remove_run(struct ftcp_sent *sent, u32 i)
{
	sent->n--;
	memmove(&sent->r[i], &sent->r[i + 1], (sent->n - i) * sizeof(sent->r[0]));
}

/* The two neighbours that were sent the shortest time from one another become one. */
static void make_room(struct ftcp_sent *sent)
{
	u32 i, at = 0, least = U32_MAX;

	for (i = 0; i + 1 < sent->n; i++) {
		u32 span = sent->r[i + 1].last_us - sent->r[i].first_us;

		if (span < least) {
			least = span;
			at = i;
		}
	}
	sent->r[at].to = sent->r[at + 1].to;
	sent->r[at].last_us = sent->r[at + 1].last_us;
	remove_run(sent, at + 1);
}

void ftcp_sent_add(struct ftcp_sent *sent, u64 from, u64 to, u64 now_us)
{
	struct ftcp_run *last = sent->n ? &sent->r[sent->n - 1] : NULL;

	if (!sent->r)
		return;
	if (last && last->to == (u32)from && last->first_us == (u32)now_us) {
		last->to = to;
		return;
	}
	if (sent->n == FTCP_RUNS_MAX)
		make_room(sent);
	sent->r[sent->n++] = (struct ftcp_run){ from, to, now_us, now_us };
}

void ftcp_sent_trim(struct ftcp_sent *sent, u64 off)
{
	u32 gone = 0;

	if (!sent->n)
		return;
	while (gone < sent->n && (s32)(sent->r[gone].to - (u32)off) <= 0)
		gone++;
	sent->n -= gone;
	memmove(sent->r, &sent->r[gone], sent->n * sizeof(sent->r[0]));
	if (sent->n && (s32)(sent->r[0].from - (u32)off) < 0)
		sent->r[0].from = off;
}

void ftcp_sent_cut(struct ftcp_sent *sent, const struct ftcp_run *first)
{
	sent->n = first - sent->r;
}

void ftcp_sent_touch(struct ftcp_sent *sent, u64 now_us)
{
	u32 i;

	for (i = 0; i < sent->n; i++)
		sent->r[i].last_us = now_us;
}

const struct ftcp_run *ftcp_sent_find(const struct ftcp_sent *sent, u64 off)
{
	u32 i;

	for (i = sent->n; i-- > 0;)
		if ((s32)((u32)off - sent->r[i].from) >= 0 && (s32)((u32)off - sent->r[i].to) < 0)
			return &sent->r[i];
	return NULL;
}
