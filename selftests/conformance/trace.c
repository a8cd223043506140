// SPDX-License-Identifier: GPL-2.0
/* What was sent and heard, for whoever has to find out why a script failed. */
#include "play.h"

static void trace_options(struct play *play, const struct segment *seg, bool ours)
{
	const struct options *found = &seg->found;
	FILE *to = play->trace;

	if (found->mss_ok)
		fprintf(to, " mss %u", found->mss);
	if (found->wscale_ok)
		fprintf(to, " wscale %u", found->wscale);
	if (found->sack_ok)
		fprintf(to, " sackok");
	if (found->ts_ok)
		fprintf(to, " ts %ld %ld", (long)(int32_t)(found->tsval - (ours ? play->ts_base : 0)),
			(long)(int32_t)(found->tsecr - (ours ? 0 : play->ts_base)));
	for (unsigned int i = 0; i < found->n_sacks; i++) {
		long from = ours ? play_their_seq(play, found->sacks[i].from) : play_our_seq(play, found->sacks[i].from);
		long end = ours ? play_their_seq(play, found->sacks[i].to) : play_our_seq(play, found->sacks[i].to);

		fprintf(to, " sack %ld:%ld", from, end);
	}
	if (found->malformed)
		fprintf(to, " (malformed options)");
}

void play_trace(struct play *play, char direction, const struct segment *seg, uint64_t at_us)
{
	static const char letters[] = "FSRPAUEW";
	bool ours = direction == '>';
	int64_t seq = ours ? play_our_seq(play, seg->seq) : play_their_seq(play, seg->seq);
	int64_t ack = ours ? play_their_seq(play, seg->ack) : play_our_seq(play, seg->ack);

	fprintf(play->trace, "%10.6f %c ", (double)(int64_t)(at_us - play->started_us) / 1e6, direction);
	for (unsigned int i = 0; i < 8; i++)
		if (seg->flags & 1 << i)
			fputc(letters[i], play->trace);
	fprintf(play->trace, " %lld:%lld", (long long)seq, (long long)seq + seg->len);
	if (seg->flags & ACK)
		fprintf(play->trace, " ack %lld", (long long)ack);
	fprintf(play->trace, " win %u", seg->win);
	trace_options(play, seg, ours);
	fputc('\n', play->trace);
}
