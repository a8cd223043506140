// SPDX-License-Identifier: GPL-2.0
/*
 * Channels between two peers in one process, strangers who open some, and a standby that answers as it should not. No
 * kernel module: what a channel comes to is a descriptor, through which bytes are sent. Prints TAP.
 */
#include <fcntl.h>
#include <sys/epoll.h>
#include "log.h"
#include "tap.h"
#include "test_pair.h"

#define PREPARE_MS 2000

static bool nobody_takes;	/* what is offered */
static bool nobody_answers;	/* PREPARE */
static struct channel *close_in_state;
static const struct policy_host place = { .role = FTCP_ROLE_STANDBY, .sync = FTCP_SYNC_DONE, .epoch = 3, .sync_id = 4,
					  .batch_no = 5 };

/* ---- the owner ---- */

static void state(void *arg, struct policy_host *host)
{
	(void)arg;
	if (close_in_state)
		channel_close(close_in_state);
	*host = (struct policy_host){ .epoch = 1 };
}

static void up(void *arg, const struct frame_hello *hello)
{
	(void)hello;
	((struct side *)arg)->ups++;
}

static void frame(void *arg, const struct frame *frame)
{
	(void)arg;
	(void)frame;
}

static void nothing(void *arg)
{
	(void)arg;
}

static void down(void *arg, const char *why)
{
	(void)why;
	((struct side *)arg)->downs++;
}

static void offer(void *arg, struct link *link)
{
	struct side *side = arg;

	side->offers++;
	if (!nobody_takes)
		channel_accept(&side->in, link, PREPARE_MS);
}

static const struct peer_ops ops = {
	.state = state, .up = up, .frame = frame, .burst = nothing, .down = down, .writable = nothing, .channel = offer,
};

static void keep(struct side *side, int fd)
{
	if (side->fd >= 0)
		close(side->fd);
	side->fd = fd;
}

static void ready(void *arg, const struct policy_host *at)
{
	struct side *side = arg;

	side->ready++;
	side->place = *at;
	keep(side, channel_release(&side->out));
}

static void prepare(void *arg)
{
	struct side *side = arg;

	side->asked++;
	if (!nobody_answers)
		keep(side, channel_answer(&side->in, &place));
}

static void failed(void *arg, const char *why)
{
	struct side *side = arg;

	side->failures++;
	snprintf(side->why, sizeof(side->why), "%s", why);
}

static const struct channel_ops channel_ops = { .ready = ready, .prepare = prepare, .failed = failed };

static void open_channels(struct side *side)
{
	side->fd = -1;
	channel_init(&side->out, &side->peer, &channel_ops, side);
	channel_init(&side->in, &side->peer, &channel_ops, side);
}

static void close_side(struct side *side)
{
	channel_close(&side->out);
	channel_close(&side->in);
	keep(side, -1);
	peer_close(&side->peer);
}

/* ---- as it should be ---- */

static unsigned int expected;

static bool a_ready(void)
{
	return a.ready == expected;
}

static bool connects(void)
{
	expected = a.ready + 1;
	return !channel_connect(&a.out, 77, PREPARE_MS) && until(a_ready);
}

/* Both descriptors are the ends of one connection, on which nothing is left, and nothing was said to the other daemon. */
static bool is_pipe(int one, int other)
{
	char byte = 0;

	return send(one, "x", 1, 0) == 1 && recv(other, &byte, 1, 0) == 1 && byte == 'x' &&
	       send(other, "y", 1, 0) == 1 && recv(one, &byte, 1, 0) == 1 && byte == 'y' &&
	       recv(one, &byte, 1, MSG_DONTWAIT) < 0 && recv(other, &byte, 1, MSG_DONTWAIT) < 0;
}

static void wait_readable(int fd)
{
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
}

static void agreement(void)
{
	unsigned int ups = a.ups + b.ups, downs = a.downs + b.downs;

	tap_ok(connects() && b.asked == 1 && !channel_is_open(&a.out) && !channel_is_open(&b.in), "agreement__both_let_go");
	tap_ok(a.place.sync_id == 4 && a.place.batch_no == 5, "agreement__the_place_came_over");
	tap_ok(fcntl(a.fd, F_GETFL) & O_NONBLOCK && fcntl(b.fd, F_GETFL) & O_NONBLOCK && fcntl(a.fd, F_GETFD) & FD_CLOEXEC,
	       "agreement__descriptors_as_they_were");
	wait_readable(a.fd);
	wait_readable(b.fd);
	tap_ok(is_pipe(a.fd, b.fd), "agreement__bytes_go_through");
	run_for(50);
	tap_ok(is_pipe(b.fd, a.fd), "agreement__and_no_daemon_reads_them");
	tap_ok(joined() && a.ups + b.ups == ups && a.downs + b.downs == downs, "agreement__the_link_is_as_it_was");
	tap_ok(connects() && b.asked == 2, "agreement__and_another");
}

static bool a_failed(void)
{
	return a.failures == expected;
}

static bool fails(const char *why)
{
	bool good = until(a_failed) && strstr(a.why, why) && !channel_is_open(&a.out);

	printf("# %s\n", a.why);
	return good;
}

static void unanswered(void)
{
	nobody_answers = true;
	expected = a.failures + 1;
	channel_connect(&a.out, 1, 100);
	tap_ok(fails("where it stands"), "unanswered__not_for_ever");
	nobody_answers = false;
	channel_close(&b.in);
	nobody_takes = true;
	expected = a.failures + 1;
	channel_connect(&a.out, 1, PREPARE_MS);
	tap_ok(fails("") && joined(), "unanswered__nobody_takes_it");
	nobody_takes = false;
	expected = a.failures;
	channel_connect(&a.out, 1, PREPARE_MS);
	channel_close(&a.out);
	run_for(50);
	tap_ok(a.failures == expected && joined(), "unanswered__closed_by_its_owner_without_a_word");
}

/* The owner, asked for its state, finds that there is nothing to replicate any more. */
static void closed_meanwhile(void)
{
	unsigned int offers = b.offers, failures = a.failures;

	close_in_state = &a.out;
	channel_connect(&a.out, 1, PREPARE_MS);
	run_for(100);
	close_in_state = NULL;
	tap_ok(!channel_is_open(&a.out) && b.offers == offers && a.failures == failures, "closed_meanwhile__while_greeting");
}

/* ---- strangers ---- */

/* As a's daemon would say it. */
static struct frame_hello hello_of_a(void)
{
	struct frame_hello hello = { .version = FRAME_VERSION, .channel = true, .group = "default", .host = { .epoch = 1 } };

	hello.host.instance = a.peer.self;
	return hello;
}

static size_t hello_prepare(uint8_t *bytes, const struct frame_hello *hello)
{
	size_t len = frame_write_hello(bytes, hello);

	return len + frame_write_prepare(bytes + len, 9);
}

/* A stranger at b who says this is shown the door, and nothing else happens. */
static bool closed(const uint8_t *says, size_t len, bool offer_counts)
{
	unsigned int ups = b.ups, downs = b.downs, offers = b.offers, asked = b.asked;
	int fd = stranger("127.0.1.1", "127.0.1.2");
	bool good;

	if (send(fd, says, len, MSG_NOSIGNAL) < 0)
		perror("# send");
	closed_fd = fd;
	good = until(is_closed);
	close(fd);
	return good && joined() && b.ups == ups && b.downs == downs && b.offers == offers + offer_counts && b.asked == asked &&
	       !channel_is_open(&b.in);
}

static void strangers(void)
{
	struct frame_hello hello = hello_of_a();
	uint8_t bytes[1024];
	size_t len;

	hello.host.instance++;
	tap_ok(closed(bytes, hello_prepare(bytes, &hello), false), "stranger__of_another_instance_than_the_link");
	hello = hello_of_a();
	strcpy(hello.group, "other");
	tap_ok(closed(bytes, hello_prepare(bytes, &hello), false), "stranger__of_another_group");
	hello = hello_of_a();
	len = hello_prepare(bytes, &hello);
	bytes[FRAME_HEADER_BYTES + 3] = 2;
	tap_ok(closed(bytes, len, false), "stranger__of_an_unknown_purpose");
	len = hello_prepare(bytes, &hello);
	bytes[len] = 'x';
	tap_ok(closed(bytes, len + 1, true) && strstr(b.why, "behind"), "stranger__a_byte_behind_prepare");
	len = hello_prepare(bytes, &hello);
	len += frame_write_ack(bytes + len, 1, 2);
	tap_ok(closed(bytes, len, true) && strstr(b.why, "behind"), "stranger__a_frame_behind_prepare");
	len = frame_write_hello(bytes, &hello);
	len += frame_write_ready(bytes + len, 9, &place);
	tap_ok(closed(bytes, len, true) && strstr(b.why, "no place"), "stranger__another_frame_than_prepare");
	len = frame_write_hello(bytes, &hello);
	len += frame_write_hello(bytes + len, &hello);
	tap_ok(closed(bytes, len, true) && strstr(b.why, "second hello"), "stranger__a_second_hello");
	tap_ok(closed(bytes, frame_write_hello(bytes, &hello), true) && strstr(b.why, "in time"), "stranger__no_prepare");
	printf("# %s\n", b.why);
}

static bool b_asked(void)
{
	return b.asked == expected;
}

static bool b_failed(void)
{
	return b.failures == expected;
}

static void send_slowly(int fd, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0, n; i < len; i += n) {
		n = len - i < 11 ? len - i : 11;
		send(fd, bytes + i, n, MSG_NOSIGNAL);
		run_for(1);
	}
}

/* In pieces, and then it is answered as any other is. */
static void slow(void)
{
	struct frame_hello hello = hello_of_a();
	int fd = stranger("127.0.1.1", "127.0.1.2");
	const char *error;
	struct frame frame;
	uint8_t bytes[1024];
	size_t len = hello_prepare(bytes, &hello), got;

	expected = b.asked + 1;
	send_slowly(fd, bytes, len);
	tap_ok(until(b_asked) && b.fd >= 0, "slow__but_taken");
	got = recv(fd, bytes, sizeof(bytes), 0);
	tap_ok(frame_read(bytes, got, true, &frame, &error) == FRAME_OK && !frame.hello.channel &&
	       frame.hello.host.instance == b.peer.self, "slow__an_ordinary_hello_comes_back");
	tap_ok(frame_read(bytes + frame.bytes, got - frame.bytes, false, &frame, &error) == FRAME_OK &&
	       frame.type == FRAME_READY && frame.token == 9 && frame.host.sync_id == place.sync_id, "slow__and_ready");
	close(fd);
}

static bool b_offered(void)
{
	return b.offers == expected;
}

/* One that is opened and not asked for anything gives way to the next. */
static void newest(void)
{
	struct frame_hello hello = hello_of_a();
	unsigned int failures = b.failures;
	uint8_t bytes[1024];
	bool good;

	closed_fd = stranger("127.0.1.1", "127.0.1.2");
	expected = b.offers + 1;
	send(closed_fd, bytes, frame_write_hello(bytes, &hello), 0);
	good = until(b_offered) && channel_is_open(&b.in);
	good &= connects() && until(is_closed) && b.failures == failures;
	close(closed_fd);
	wait_readable(a.fd);
	wait_readable(b.fd);
	tap_ok(good && is_pipe(a.fd, b.fd), "newest__is_the_one_that_counts");
}

static void ghosts(void)
{
	struct frame_hello hello = hello_of_a();
	unsigned int asked = b.asked, offers = b.offers;
	uint8_t bytes[1024];
	int fd = stranger("127.0.1.1", "127.0.1.2");

	send(fd, bytes, hello_prepare(bytes, &hello), 0);
	close(fd);
	run_for(50);
	tap_ok(b.asked == asked && b.offers == offers && joined(), "ghost__who_asked_and_has_died");
	expected = b.failures + 1;
	fd = stranger("127.0.1.1", "127.0.1.2");
	send(fd, bytes, frame_write_hello(bytes, &hello), 0);
	run_for(50);
	close(fd);
	tap_ok(until(b_failed) && b.offers == offers + 1 && !channel_is_open(&b.in), "ghost__who_dies_before_it_asks");
	printf("# %s\n", b.why);
}

/* ---- a standby that answers as it should not ---- */

static int listener, answering;

static void listen_fake(void)
{
	struct sockaddr_in *addr;

	/* The link stands: this is for channels. */
	endpoint(&a.config.peer, "127.0.1.2", base_port + 1);
	addr = (struct sockaddr_in *)&a.config.peer.addr;
	listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int));
	if (bind(listener, (struct sockaddr *)addr, sizeof(*addr)) || listen(listener, 8))
		perror("# listen");
}

static bool accepted(void)
{
	if (answering < 0)
		answering = accept(listener, NULL, NULL);
	return answering >= 0;
}

static bool accepts(void)
{
	answering = -1;
	return until(accepted);
}

static struct frame_hello hello_of_b(void)
{
	struct frame_hello hello = { .version = FRAME_VERSION, .group = "default" };

	hello.host.instance = a.peer.instance;
	return hello;
}

/* a connects, is told that, and gives up. */
static bool gives_up(const uint8_t *says, size_t len, const char *why)
{
	bool good;

	expected = a.failures + 1;
	good = !channel_connect(&a.out, 77, PREPARE_MS) && accepts();
	if (len)
		send(answering, says, len, MSG_NOSIGNAL);
	else
		close(answering);
	good &= fails(why) && joined();
	if (len)
		close(answering);
	return good;
}

static void wrong_hellos(void)
{
	struct frame_hello hello = hello_of_b();
	uint8_t bytes[1024];

	hello.host.instance ^= 1;
	tap_ok(gives_up(bytes, frame_write_hello(bytes, &hello), "another daemon"), "answer__of_another_daemon_than_the_link");
	hello = hello_of_b();
	hello.channel = true;
	tap_ok(gives_up(bytes, frame_write_hello(bytes, &hello), "calls it"), "answer__a_hello_that_is_not_ordinary");
	hello = hello_of_b();
	strcpy(hello.group, "other");
	tap_ok(gives_up(bytes, frame_write_hello(bytes, &hello), "group other"), "answer__of_another_group");
	tap_ok(gives_up(bytes, frame_write_ready(bytes, 77, &place), "before the hello"), "answer__no_hello");
	tap_ok(gives_up((const uint8_t *)"HTTP/1.0 400\r\n\r\n", 16, "protocol"), "answer__of_another_protocol");
	tap_ok(gives_up(NULL, 0, ""), "answer__closed_at_once");
}

static void wrong_answers(void)
{
	struct frame_hello hello = hello_of_b();
	uint8_t bytes[1024];
	size_t len = frame_write_hello(bytes, &hello);

	tap_ok(gives_up(bytes, len + frame_write_ready(bytes + len, 78, &place), "another question"), "answer__another_token");
	tap_ok(gives_up(bytes, len + frame_write_ready(bytes + len, 77, &place) + 1, "behind"), "answer__a_byte_too_many");
	tap_ok(gives_up(bytes, len + frame_write_prepare(bytes + len, 77), "no place"), "answer__another_frame");
	tap_ok(gives_up(bytes, len + frame_write_batch(bytes + len, 1, 2, 1000), "where it stands"), "answer__half_a_batch");
	close(listener);
	expected = a.failures + 1;
	tap_ok(!channel_connect(&a.out, 1, PREPARE_MS) && fails("refused"), "answer__nobody_listens");
}

/* What is said to it: a hello with the purpose, and PREPARE right behind it. */
static void what_is_said(void)
{
	struct frame_hello hello = hello_of_b();
	uint8_t bytes[1024];
	const char *error;
	struct frame frame;
	size_t len;

	expected = a.ready + 1;
	channel_connect(&a.out, 77, PREPARE_MS);
	accepts();
	run_for(50);
	len = recv(answering, bytes, sizeof(bytes), 0);
	tap_ok(frame_read(bytes, len, true, &frame, &error) == FRAME_OK && frame.hello.channel &&
	       frame.hello.host.instance == a.peer.self, "said__hello_of_a_channel");
	tap_ok(frame_read(bytes + frame.bytes, len - frame.bytes, false, &frame, &error) == FRAME_OK &&
	       frame.type == FRAME_PREPARE && frame.token == 77, "said__prepare_right_behind");
	len = frame_write_hello(bytes, &hello);
	len += frame_write_ready(bytes + len, 77, &place);
	send_slowly(answering, bytes, len);
	tap_ok(until(a_ready) && a.fd >= 0, "said__the_answer_in_pieces");
	close(answering);
}

/* ---- without a link ---- */

static bool a_alone(void)
{
	return !peer_is_up(&a.peer);
}

static void no_link(void)
{
	struct frame_hello hello = hello_of_b();
	unsigned int offers, ups;
	uint8_t bytes[1024];

	close_side(&b);
	until(a_alone);
	offers = a.offers;
	ups = a.ups;
	closed_fd = stranger("127.0.1.2", "127.0.1.1");
	hello.channel = true;
	send(closed_fd, bytes, hello_prepare(bytes, &hello), 0);
	tap_ok(until(is_closed) && a.offers == offers && a.ups == ups && a_alone(), "no_link__prepare_of_the_former_peer");
	close(closed_fd);
	listen_fake();
	accepts();
	closed_fd = answering;
	send(answering, bytes, frame_write_hello(bytes, &hello), 0);
	tap_ok(until(is_closed) && a.offers == offers && a.ups == ups && a_alone(), "no_link__its_own_is_called_a_channel");
	close(answering);
	close(listener);
}

/* ---- links ---- */

static unsigned int woken;

static void wake(void *arg, uint32_t events)
{
	(void)arg;
	(void)events;
	woken++;
}

static bool releases(int blocking)
{
	struct iovec iov = { "hello", 5 };
	struct link link;
	int fds[2], flags;
	char text[8];
	bool good;

	socketpair(AF_UNIX, SOCK_STREAM | (blocking ? 0 : SOCK_NONBLOCK), 0, fds);
	flags = fcntl(fds[0], F_GETFL);
	good = !link_open(&link, &loop, fds[0], false, wake, NULL);
	link_send(&link, &iov, 1);
	good &= link_release(&link) == fds[0] && !link_is_open(&link) && fcntl(fds[0], F_GETFL) == flags;
	woken = 0;
	good &= send(fds[1], "more", 4, 0) == 4;
	run_for(30);
	good &= !woken && recv(fds[0], text, sizeof(text), 0) == 4 && recv(fds[1], text, sizeof(text), 0) == 5;
	link_close(&link);	/* does nothing */
	good &= send(fds[0], "again", 5, 0) == 5;
	close(fds[0]);
	close(fds[1]);
	return good;
}

static void links(void)
{
	struct iovec iov = { "unsent", 6 };
	struct link from, to;
	int fds[2];
	bool good;

	tap_ok(releases(true), "release__open_and_blocking_as_before");
	tap_ok(releases(false), "release__open_and_not_blocking_as_before");
	socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds);
	good = !link_open(&from, &loop, fds[0], false, wake, NULL);
	from.connecting = true;		/* so that it is kept */
	link_send(&from, &iov, 1);
	from.connecting = false;
	good &= send(fds[1], "in", 2, 0) == 2 && link_fill(&from) == 2;
	link_move(&to, &from, wake, NULL);
	good &= !link_is_open(&from) && to.io.fd == fds[0] && to.rx_len == 2 && to.tx_len == 6;
	woken = 0;
	run_for(30);
	good &= woken > 0;
	link_flush(&to);
	tap_ok(good && !to.tx_len && !to.broken, "move__with_what_is_unread_and_unsent");
	link_close(&to);
	close(fds[1]);
}

int main(void)
{
	printf("TAP version 13\n");
	srand(getpid());
	base_port = 20000 + getpid() % 20000;
	if (loop_open(&loop))
		return 1;
	loop.after = round_ends;
	if (!open_side(&a, "127.0.1.1", "127.0.1.2", "default", 2) || !open_side(&b, "127.0.1.2", "127.0.1.1", "default", 6))
		return 1;
	open_channels(&a);
	open_channels(&b);
	tap_ok(until(settled), "link__first");
	agreement();
	unanswered();
	closed_meanwhile();
	strangers();
	slow();
	newest();
	ghosts();
	listen_fake();
	what_is_said();
	wrong_hellos();
	wrong_answers();
	no_link();
	close_side(&a);
	links();
	loop_close(&loop);
	return tap_end();
}
