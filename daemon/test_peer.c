// SPDX-License-Identifier: GPL-2.0
/*
 * Two peers in one process, over the loopback's 127.0.1.x, with strangers between them. No kernel module: the states are
 * made up, batches are noise. Prints TAP.
 */
#include "log.h"
#include "tap.h"
#include "test_pair.h"

static uint8_t noise[FTCP_BATCH_MAX_BYTES];

static void state(void *arg, struct policy_host *host)
{
	(void)arg;
	*host = (struct policy_host){ .epoch = 1 };
}

static void up(void *arg, const struct frame_hello *hello)
{
	struct side *side = arg;

	(void)hello;
	side->ups++;
	side->next_no = 1;
}

static void frame(void *arg, const struct frame *frame)
{
	struct side *side = arg;

	if (frame->type == FRAME_HEARTBEAT)
		side->heartbeats++;
	if (frame->type != FRAME_BATCH)
		return;
	side->batches++;
	if (frame->batch_no != side->next_no++ || memcmp(frame->batch, noise, frame->batch_len))
		side->wrong = true;
}

static void burst(void *arg)
{
	((struct side *)arg)->bursts++;
}

static void down(void *arg, const char *why)
{
	struct side *side = arg;

	side->downs++;
	snprintf(side->why, sizeof(side->why), "%s", why);
}

static void writable(void *arg)
{
	(void)arg;
}

static void channel(void *arg, struct link *link)
{
	(void)arg;
	(void)link;
}

static const struct peer_ops ops = {
	.state = state, .up = up, .frame = frame, .burst = burst, .down = down, .writable = writable, .channel = channel,
};

static bool gets_closed(int fd, const void *says, size_t len)
{
	unsigned int ups = a.ups, downs = a.downs;
	bool good;

	if (len && send(fd, says, len, MSG_NOSIGNAL) < 0)
		perror("# send");
	closed_fd = fd;
	good = until(is_closed);
	close(fd);
	return good && joined() && a.ups == ups && a.downs == downs;
}

/* ---- */

static void meeting(void)
{
	bool good = true;

	for (int i = 0; i < 20; i++) {
		good &= open_side(&a, "127.0.1.1", "127.0.1.2", "default", 2 + 2 * (rand() % 100));
		if (i % 3)
			run_for(rand() % 60);
		good &= open_side(&b, "127.0.1.2", "127.0.1.1", "default", 1 + 2 * (rand() % 100));
		good &= until(joined);
		run_for(20);
		good &= joined();
		if (i == 19)
			break;
		peer_close(&a.peer);
		peer_close(&b.peer);
	}
	tap_ok(good, "meeting__one_link_the_same_on_both_sides");
}

static void reconnecting(void)
{
	unsigned int downs = b.downs;

	peer_drop(&a.peer, "test");
	tap_ok(!peer_is_up(&a.peer) && until(settled), "reconnecting__after_a_drop");
	tap_ok(b.downs == downs + 1 || b.ups > 1, "reconnecting__the_other_side_knows");
}

static unsigned int batches_sent;

/* As with the kernel's credits: no more than one burst is on its way. */
static bool all_batches(void)
{
	return b.batches >= batches_sent;
}

static void carrying(void)
{
	struct kernel_batch batches[KERNEL_APPLY_MAX];
	uint64_t no = 0;

	b.next_no = 1;
	for (int i = 0; i < 25; i++) {
		for (int j = 0; j < KERNEL_APPLY_MAX; j++)
			batches[j] = (struct kernel_batch){ .sync_id = 1, .no = ++no, .data = noise,
							    .len = j % 4 ? 1u + rand() % 200 : FTCP_BATCH_MAX_BYTES };
		peer_send_batches(&a.peer, batches, KERNEL_APPLY_MAX);
		batches_sent += KERNEL_APPLY_MAX;
		if (!until(all_batches))
			break;
	}
	tap_ok(until(all_batches) && !b.wrong && joined(), "carrying__batches_in_order_and_whole");
	tap_ok(b.bursts < b.batches, "carrying__many_in_a_burst");
}

static void strangers(void)
{
	uint8_t bytes[2048];
	struct frame_hello hello = { .version = FRAME_VERSION, .group = "other", .host = { .instance = 5 } };
	size_t len;

	tap_ok(gets_closed(stranger("127.0.1.2", "127.0.1.1"), "GET / HTTP/1.0\r\n\r\n", 18), "stranger__http");
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = rand();
	tap_ok(gets_closed(stranger("127.0.1.2", "127.0.1.1"), bytes, sizeof(bytes)), "stranger__noise");
	len = frame_write_batch(bytes, 1, 2, 1u << 30);
	tap_ok(gets_closed(stranger("127.0.1.2", "127.0.1.1"), bytes, len), "stranger__a_batch_first");
	len = frame_write_hello(bytes, &hello);
	tap_ok(gets_closed(stranger("127.0.1.2", "127.0.1.1"), bytes, len), "stranger__another_group");
	hello.version++;
	len = frame_write_hello(bytes, &hello);
	tap_ok(gets_closed(stranger("127.0.1.2", "127.0.1.1"), bytes, len), "stranger__another_version");
	hello.version--;
	strcpy(hello.group, "default");
	hello.host.instance = a.peer.self;
	len = frame_write_hello(bytes, &hello);
	tap_ok(gets_closed(stranger("127.0.1.2", "127.0.1.1"), bytes, len), "stranger__our_own_instance");
	tap_ok(gets_closed(stranger("127.0.1.9", "127.0.1.1"), bytes, len), "stranger__from_elsewhere");
	tap_ok(gets_closed(stranger("127.0.1.2", "127.0.1.1"), NULL, 0), "stranger__who_says_nothing");
}

/* Every process of the other host has its address. */
static void not_root(void)
{
	struct frame_hello hello = { .version = FRAME_VERSION, .group = "default", .host = { .instance = 99 } };
	unsigned int ups = a.ups;
	uint8_t bytes[512];
	size_t len = frame_write_hello(bytes, &hello);

	tap_ok(gets_closed(stranger_at("127.0.1.2", 0, "127.0.1.1"), bytes, len) && a.ups == ups, "stranger__any_user_s_port");
	tap_ok(gets_closed(stranger_at("127.0.1.2", IPPORT_RESERVED, "127.0.1.1"), bytes, len) && a.ups == ups, "stranger__the_first_of_these");
}

static bool from_reserved(const struct side *side)
{
	struct sockaddr_in here;
	socklen_t len = sizeof(here);

	getsockname(side->peer.link.io.fd, (struct sockaddr *)&here, &len);
	return ntohs(here.sin_port) < IPPORT_RESERVED;
}

/* Each time from another port: those before are in TIME-WAIT. */
static void often(void)
{
	bool good = true;

	for (int i = 0; i < 100 && good; i++) {
		peer_drop(i % 2 ? &a.peer : &b.peer, "test");
		good = until(settled) && (from_reserved(&a) || from_reserved(&b));
	}
	tap_ok(good, "reconnecting__a_hundred_times_from_reserved_ports");
}

/* A hello in a connection that was closed already is no peer. */
static void ghost(void)
{
	struct frame_hello hello = { .version = FRAME_VERSION, .group = "default", .host = { .instance = 77 } };
	int fd = stranger("127.0.1.2", "127.0.1.1");
	unsigned int ups = a.ups;
	uint8_t bytes[512];

	send(fd, bytes, frame_write_hello(bytes, &hello), 0);
	close(fd);
	run_for(50);
	tap_ok(a.ups == ups && joined(), "stranger__a_hello_from_the_past");
}

static void many(void)
{
	int fds[PEER_PENDING_MAX + 4];
	bool good = true;

	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
		fds[i] = stranger("127.0.1.2", "127.0.1.1");
		run_for(5);	/* the listen queue is short */
	}
	closed_fd = fds[PEER_PENDING_MAX + 3];
	good &= until(is_closed);
	good &= joined();
	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		close(fds[i]);
	run_for(50);
	tap_ok(good, "strangers__more_than_are_kept");
}

static bool a_down(void)
{
	return a.downs > 0;
}

static void garbage_on_the_link(void)
{
	a.downs = 0;
	send(b.peer.link.io.fd, "garbage", 7, 0);
	tap_ok(until(a_down) && strstr(a.why, "protocol"), "link__garbage_closes_it");
	printf("# %s\n", a.why);
	tap_ok(until(settled), "link__and_it_comes_back");
}

static bool a_broken(void)
{
	return a.peer.link.broken;
}

static void deaf(void)
{
	struct kernel_batch batch = { .sync_id = 1, .no = 1, .data = noise, .len = sizeof(noise) };

	loop_change(&loop, &b.peer.link.io, 0);
	for (int i = 0; i < 500 && !a.peer.link.broken; i++)
		peer_send_batches(&a.peer, &batch, 1);
	tap_ok(a_broken() && strstr(a.peer.link.error, "does not read"), "link__a_peer_that_does_not_read");
	tap_ok(until(joined), "link__and_it_comes_back_too");
}

static void restarted(void)
{
	unsigned int ups = a.ups;

	peer_close(&b.peer);
	open_side(&b, "127.0.1.2", "127.0.1.1", "default", 12345);
	tap_ok(until(joined) && a.ups > ups && a.peer.instance == 12345, "restarted__peer_with_another_instance");
}

static void inactive(void)
{
	peer_activate(&a.peer, false);
	run_for(300);
	tap_ok(!peer_is_up(&a.peer) && !peer_is_up(&b.peer), "inactive__no_link");
	peer_activate(&a.peer, true);
	tap_ok(until(joined), "inactive__and_active_again");
}

int main(void)
{
	printf("TAP version 13\n");
	srand(getpid());
	base_port = 20000 + getpid() % 20000;
	for (size_t i = 0; i < sizeof(noise); i++)
		noise[i] = rand();
	if (loop_open(&loop))
		return 1;
	a.peer.link.io.fd = -1;
	b.peer.link.io.fd = -1;
	loop.after = round_ends;
	meeting();
	reconnecting();
	carrying();
	strangers();
	not_root();
	ghost();
	many();
	garbage_on_the_link();
	deaf();
	restarted();
	inactive();
	often();
	peer_close(&a.peer);
	peer_close(&b.peer);
	loop_close(&loop);
	return tap_end();
}
