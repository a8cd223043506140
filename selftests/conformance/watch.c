// SPDX-License-Identifier: GPL-2.0
/* The rules that every segment of the server's keeps, in every script. */
#include <string.h>
#include "play.h"

#define MSS4_DEFAULT	536	/* RFC 9293, 3.7.1 */
#define MSS6_DEFAULT	1220
#define MSS_LEAST	88	/* who asks for less is not believed */

void watch_reset(struct watch *watch)
{
	memset(watch, 0, sizeof(*watch));
	watch->fin = -1;
	watch->ack = watch->edge = -1;
}

static bool damaged(const struct segment *seg)
{
	return seg->bad_sum || seg->doff || seg->cut || seg->hole || seg->found.malformed;
}

void watch_sent(struct play *play, const struct segment *seg)
{
	struct watch *watch = &play->watch;
	int64_t from = play_our_seq(play, seg->seq), edge;

	if (damaged(seg))
		return;
	if ((seg->flags & SYN) && !watch->syn_sent) {
		watch->syn_sent = true;
		watch->offered = seg->found;
		watch->our_scale = seg->found.wscale_ok ? seg->found.wscale : 0;
		if (watch->our_scale > 14)
			watch->our_scale = 14;		/* RFC 7323, 2.3 */
		watch->tsecr_max = seg->found.tsval;
	}
	if (seg->found.ts_ok && (int32_t)(seg->found.tsval - watch->tsecr_max) > 0)
		watch->tsecr_max = seg->found.tsval;
	from += seg->len + !!(seg->flags & SYN) + !!(seg->flags & FIN);
	if (from > watch->our_max)
		watch->our_max = from;
	if (seg->flags & SYN)
		edge = 1 + (int64_t)seg->win;
	else
		edge = play_their_seq(play, seg->ack) + ((int64_t)seg->win << (watch->agreed.wscale_ok ? watch->our_scale : 0));
	if (edge > watch->our_edge && (seg->flags & (ACK | SYN)) && !(seg->flags & RST) && (play->iss_ok || (seg->flags & SYN)))
		watch->our_edge = edge;
}

static const char *check_options(const struct watch *watch, const struct segment *seg)
{
	const struct options *found = &seg->found, *offered = &watch->offered;
	bool syn = seg->flags & SYN;

	if (found->malformed)
		return "malformed options";
	if (!syn && (found->mss_ok || found->wscale_ok || found->sack_ok))
		return "an option that belongs on a SYN (RFC 9293, 3.2; 7323, 2.2; 2018, 2)";
	if ((found->wscale_ok && !offered->wscale_ok) || (found->sack_ok && !offered->sack_ok) || (found->ts_ok && !offered->ts_ok))
		return "an option that was not offered (RFC 7323, 2.5 and 3.2)";
	if (found->unknown)
		return "an unknown option";
	if (syn)
		return NULL;
	if (watch->agreed.ts_ok && !found->ts_ok && !(seg->flags & RST))
		return "no timestamps though they were agreed on (RFC 7323, 3.2)";
	if (found->ts_ok && !watch->agreed.ts_ok)
		return "timestamps that were not agreed on (RFC 7323, 3.2)";
	if (found->n_sacks && !watch->agreed.sack_ok)
		return "SACK that was not agreed on (RFC 2018, 2)";
	return NULL;
}

static const char *check_timestamps(struct watch *watch, const struct segment *seg)
{
	const struct options *found = &seg->found;

	if (!found->ts_ok || (seg->flags & RST))
		return NULL;
	if (watch->tsval_ok && (int32_t)(found->tsval - watch->tsval) < 0)
		return "timestamps go back (RFC 7323, 4.1)";
	watch->tsval_ok = true;
	watch->tsval = found->tsval;
	if ((seg->flags & ACK) && (int32_t)(found->tsecr - watch->tsecr_max) > 0)
		return "echoes a timestamp that was never sent (RFC 7323, 4.3)";
	return NULL;
}

static const char *check_sacks(struct play *play, const struct segment *seg)
{
	for (unsigned int i = 0; i < seg->found.n_sacks; i++) {
		int64_t from = play_our_seq(play, seg->found.sacks[i].from), to = play_our_seq(play, seg->found.sacks[i].to);

		if (from >= to)
			return "an empty SACK block (RFC 2018, 3)";
		if (to > play->watch.our_max || from < 1)
			return "a SACK block of what was never sent (RFC 2018, 4)";
	}
	return NULL;
}

static const char *check_ack(struct play *play, const struct segment *seg)
{
	struct watch *watch = &play->watch;
	int64_t ack = play_our_seq(play, seg->ack), edge;
	unsigned int scale = watch->agreed.wscale_ok && !(seg->flags & SYN) ? watch->agreed.wscale : 0;

	if (seg->flags & RST)
		return NULL;
	if (!(seg->flags & ACK))
		return "neither ACK nor RST (RFC 9293, 3.10.7.4)";
	if (ack > watch->our_max)
		return "acknowledges what was never sent";
	if (ack < watch->ack)
		return "the acknowledgement goes back (RFC 9293, 3.4)";
	watch->ack = ack;
	edge = ack + ((int64_t)seg->win << scale);
	/* Less by the rounding of a scaled window is allowed: RFC 7323, 2.4 */
	if (edge + (1 << scale) <= watch->edge)
		return "the window shrinks (RFC 9293, 3.8.6)";
	watch->edge = edge;
	return NULL;
}

/* RFC 6691: options count, both our MSS and the smallest there is. */
static unsigned int payload_most(const struct play *play, const struct segment *seg)
{
	const struct watch *watch = &play->watch;
	unsigned int mss = play->flow.v6 ? MSS6_DEFAULT : MSS4_DEFAULT;

	if (watch->offered.mss_ok)
		mss = watch->offered.mss > MSS_LEAST ? watch->offered.mss : MSS_LEAST;
	return mss > seg->options_len ? mss - seg->options_len : 0;
}

static bool echoed(const struct play *play, const struct segment *seg, int64_t from)
{
	const struct watch *watch = &play->watch;

	if (strcmp(play->script->service, "echo"))
		return true;
	for (unsigned int i = 0; i < seg->len; i++)
		if (seg->data[i] != pattern_byte(from + i) && !(from + i >= watch->odd_from && from + i < watch->odd_to))
			return false;
	return true;
}

static const char *check_data(struct play *play, const struct segment *seg)
{
	struct watch *watch = &play->watch;
	int64_t from = play_their_seq(play, seg->seq), to = from + seg->len;
	bool fin = seg->flags & FIN;

	if (seg->flags & (SYN | RST))
		return seg->len ? "data on a SYN or RST" : NULL;
	if (seg->len > payload_most(play, seg))
		return "more data than the MSS allows (RFC 9293, 3.7.1; 6691)";
	if (seg->len && from < 1)
		return "data below the first byte";
	/* A probe of a closed window is one byte beyond it (RFC 9293, 3.8.6.1). */
	if (to > watch->our_edge && to > watch->data_end && !(seg->len == 1 && to == watch->our_edge + 1))
		return "data beyond the window (RFC 9293, 3.8)";
	if (watch->fin >= 0 && (to > watch->fin + !seg->len || (fin && to != watch->fin)))
		return "data behind the FIN, or another FIN (RFC 9293, 3.6)";
	if (fin && to < watch->data_end)
		return "a FIN before the end of the data (RFC 9293, 3.6)";
	if (!echoed(play, seg, from))
		return "not the data that belongs there";
	if (fin)
		watch->fin = to;
	if (to > watch->data_end)
		watch->data_end = to;
	return NULL;
}

static const char *check_synack(struct play *play, const struct segment *seg)
{
	struct watch *watch = &play->watch;

	if (!(seg->flags & SYN))
		return NULL;
	if (!watch->syn_sent || !(seg->flags & ACK))
		return "a SYN without ACK (RFC 9293, 3.5)";
	if (watch->syn_seen && memcmp(&watch->agreed, &seg->found, sizeof(watch->agreed)) && !seg->found.ts_ok)
		return "another SYN-ACK than before";
	if (watch->syn_seen && seg->seq != play->iss)
		return "another initial sequence number than before";
	watch->syn_seen = true;
	watch->agreed = seg->found;
	return NULL;
}

const char *watch_heard(struct play *play, const struct segment *seg)
{
	const char *broken = seg->fault;

	if (!broken && (seg->flags & URG))
		broken = "urgent data of a service that has none";
	if (!broken)
		broken = check_synack(play, seg);
	if (!broken)
		broken = check_options(&play->watch, seg);
	if (!broken)
		broken = check_timestamps(&play->watch, seg);
	if (!broken)
		broken = check_sacks(play, seg);
	if (!broken)
		broken = check_ack(play, seg);
	return broken ? broken : check_data(play, seg);
}
