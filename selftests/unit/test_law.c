// SPDX-License-Identifier: GPL-2.0
/*
 * The law of loss: what one sender gets through a path that loses some of what passes, against what RFC 9438 says it should. Neither more,
 * which others would pay for, nor much less.
 */
#include <linux/kernel.h>
#include <stdlib.h>
#include "cong.h"
#include "fixture.h"

#define ALL (FTCP_OPT_TS | FTCP_OPT_SACK_OK | FTCP_OPT_WSCALE)
#define MSS 1448
#define WAY_US 10000
#define QUEUE 8192
#define ISLANDS 256

struct packet {
	u64 at_us;
	u64 off;
	u32 len;
	u32 tsval;
	struct ftcp_segment ack;	/* the other way */
};

/* One direction: nothing overtakes. */
struct way {
	struct packet p[QUEUE];
	u32 head, tail;
	u32 us_per_packet;		/* 0: it is as wide as it needs be */
	u64 free_us;			/* when what has been put has left for the other side */
};

struct path {
	struct fixture f;
	struct way there, back;
	struct { u64 from, to; } island[ISLANDS];	/* beyond rcv_nxt; the latest first */
	u32 n_islands;
	u64 rcv_nxt;
	u32 ts_recent;
	u32 owed;			/* segments since the last acknowledgement */
	u64 ack_us;			/* when it is sent anyway */
	u32 lost_per_10000;
};

static u64 arrives(const struct way *way) { return way->head == way->tail ? ~0ull : way->p[way->head % QUEUE].at_us; }

static void put(struct path *path, struct way *way, struct packet packet)
{
	if (ktest_random(10000) < path->lost_per_10000)
		return;
	way->free_us = max(way->free_us, path->f.env.now_us) + way->us_per_packet;
	packet.at_us = way->free_us + WAY_US;
	EXPECT(way->tail - way->head < QUEUE);
	way->p[way->tail++ % QUEUE] = packet;
}

/* What the server sends goes in packets, each to its own fate. */
static void carry(struct path *path)
{
	struct fixture *f = &path->f;
	u32 i, done, len;

	for (i = 0; i < f->n_out; i++)
		for (done = 0; done < f->out[i].len; done += len) {
			len = min_t(u32, MSS, f->out[i].len - done);
			put(path, &path->there, (struct packet){ .off = f->out[i].off + done, .len = len, .tsval = f->out[i].tsval });
		}
	f->n_out = 0;
}

static void acknowledge(struct path *path)
{
	struct ftcp_segment seg = fixture_segment(&path->f, 0, 0, path->rcv_nxt, 0);
	u32 i;

	seg.wnd = 65000;
	seg.tsecr = path->ts_recent;
	for (i = 0; i < path->n_islands && i < 3; i++)
		seg.sacks[seg.n_sacks++] = (struct ftcp_sack_block){ ftcp_seq_of(SERVER_ISS, path->island[i].from),
								      ftcp_seq_of(SERVER_ISS, path->island[i].to) };
	put(path, &path->back, (struct packet){ .ack = seg });
	path->owed = 0;
	path->ack_us = 0;
}

static void forget(struct path *path, u32 i)
{
	memmove(&path->island[i], &path->island[i + 1], (--path->n_islands - i) * sizeof(path->island[0]));
}

static void keep(struct path *path, u64 from, u64 to)
{
	u32 i = 0;

	while (i < path->n_islands)
		if (path->island[i].from <= to && from <= path->island[i].to) {
			from = min(from, path->island[i].from);
			to = max(to, path->island[i].to);
			forget(path, i);
		} else {
			i++;
		}
	EXPECT(path->n_islands < ISLANDS);
	memmove(&path->island[1], &path->island[0], path->n_islands++ * sizeof(path->island[0]));
	path->island[0].from = from;
	path->island[0].to = to;
}

static bool fill(struct path *path)
{
	u32 i;

	for (i = 0; i < path->n_islands; i++)
		if (path->island[i].from <= path->rcv_nxt) {
			path->rcv_nxt = max(path->rcv_nxt, path->island[i].to);
			forget(path, i);
			return true;
		}
	return false;
}

/* A receiver by the book: every second segment, at once when something is missing (RFC 5681, 4.2), timestamps as RFC 7323, 4.3. */
static void receive(struct path *path, const struct packet *packet)
{
	bool hole = path->n_islands;

	if (packet->off <= path->rcv_nxt && (s32)(packet->tsval - path->ts_recent) >= 0)
		path->ts_recent = packet->tsval;
	if (packet->off > path->rcv_nxt) {
		keep(path, packet->off, packet->off + packet->len);
		hole = true;
	} else {
		path->rcv_nxt = max(path->rcv_nxt, packet->off + packet->len);
		while (fill(path))
			;
	}
	path->owed++;
	if (hole || path->owed >= 2)
		acknowledge(path);
	else if (!path->ack_us)
		path->ack_us = path->f.env.now_us + 40000;
}

static u64 next_event(const struct path *path)
{
	u64 at = min(arrives(&path->there), arrives(&path->back)), timer = ftcp_next_deadline(&path->f.tcb);

	at = path->ack_us ? min(at, path->ack_us) : at;
	return timer ? min(at, timer) : at;
}

static void write_more(struct path *path)
{
	u64 room = ftcp_tcb_writable(&path->f.tcb);

	if (room > 20000) {
		ftcp_tcb_append(&path->f.tcb, room);
		fixture_output(&path->f);
		carry(path);
	}
}

static void step(struct path *path, u64 end_us)
{
	struct fixture *f = &path->f;

	fixture_pass(f, min(next_event(path), end_us) - f->env.now_us);
	carry(path);
	if (path->ack_us && path->ack_us <= f->env.now_us)
		acknowledge(path);
	if (arrives(&path->there) <= f->env.now_us)
		receive(path, &path->there.p[path->there.head++ % QUEUE]);
	if (arrives(&path->back) <= f->env.now_us) {
		fixture_give(f, path->back.p[path->back.head++ % QUEUE].ack);
		carry(path);
	}
	write_more(path);
}

static struct path *path_new(u8 algorithm)
{
	struct path *path = calloc(1, sizeof(*path));

	fixture_open(&path->f, ALL, true);
	ftcp_cong_init(&path->f.tcb.soft.cong, MSS, algorithm);
	return path;
}

static void run(struct path *path, u64 seconds)
{
	u64 end_us = path->f.env.now_us + seconds * 1000000;

	write_more(path);
	while (path->f.env.now_us < end_us)
		step(path, end_us);
}

/* Bytes in a minute. */
static u64 bytes_with_loss(u8 algorithm, u32 lost_per_10000)
{
	struct path *path = path_new(algorithm);
	u64 bytes;

	path->lost_per_10000 = lost_per_10000;
	ftcp_tcb_buffers(&path->f.tcb, 0, 1 << 20);
	run(path, 60);
	bytes = path->rcv_nxt;
	free(path);
	return bytes;
}

/*
 * A window of 1.22 / sqrt(p) segments each round trip (RFC 9438, 4.3, eq. 6; the path is in CUBIC's Reno-friendly region), less where windows
 * are so small that much of the loss is told by the timer.
 */
static void obeys(u8 algorithm, u32 lost_per_10000, u32 window_per_100, u32 least_per_100)
{
	u64 law = 60ull * MSS * window_per_100 / 100 * 1000000 / (2 * WAY_US), bytes;
	u32 i;

	for (i = 0; i < 8; i++) {
		bytes = bytes_with_loss(algorithm, lost_per_10000);
		if (bytes > law * 15 / 10 || bytes < law * least_per_100 / 100)
			printf("# %s, %u of 10000 lost: %llu of %llu bytes\n", ftcp_cong_name(algorithm), lost_per_10000, bytes, law);
		EXPECT(bytes <= law * 15 / 10 && bytes >= law * least_per_100 / 100);
	}
}

static void obeys_all(u8 algorithm)
{
	obeys(algorithm, 10, 3858, 70);
	obeys(algorithm, 50, 1725, 70);
	obeys(algorithm, 100, 1220, 70);
	obeys(algorithm, 200, 863, 60);
	obeys(algorithm, 500, 546, 40);
}

TEST(law__cubic) { obeys_all(FTCP_CONG_CUBIC); }
TEST(law__reno) { obeys_all(FTCP_CONG_RENO); }

/* A bottleneck with a queue as long as anybody likes: nothing is lost, and who waits for a loss fills it with all that the peer's window allows. */
static u32 longest_queue(u8 algorithm)
{
	struct path *path = path_new(algorithm);
	u32 longest;

	path->there.us_per_packet = 100;
	path->f.tcb.hard.snd_wscale = 7;
	ftcp_tcb_buffers(&path->f.tcb, 0, 6000 * MSS);
	run(path, 2);
	longest = path->there.tail - path->there.head;
	EXPECT(path->rcv_nxt > 15 * 1000 * MSS);	/* three quarters of what passes in that time */
	free(path);
	return longest;
}

/*
 * 200 packets fill the path. The round that fills it with 400 begins without a queue, the next one, with 800, does not; and then five more, each a
 * quarter longer (RFC 9406, 4.2).
 */
TEST(law__queue)
{
	EXPECT(longest_queue(FTCP_CONG_CUBIC) < 2500);
	EXPECT(longest_queue(FTCP_CONG_RENO) > 5000);
}
