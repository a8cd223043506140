// SPDX-License-Identifier: GPL-2.0
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include "channel.h"

static void fail(struct channel *channel, const char *why)
{
	char text[LINK_ERROR_MAX];

	snprintf(text, sizeof(text), "%s", why);
	channel_close(channel);
	channel->ops->failed(channel->arg, text);
}

static void late(void *arg)
{
	static const char *const texts[] = {
		[CHANNEL_CONNECTING] = "no answer",
		[CHANNEL_GREETING] = "no hello in time",
		[CHANNEL_ASKING] = "the standby does not say where it stands",
		[CHANNEL_ASKED] = "it was not asked for anything in time",
	};
	struct channel *channel = arg;

	fail(channel, texts[channel->state]);
}

static void begin(struct channel *channel, enum channel_state state, unsigned int within_ms)
{
	channel->state = state;
	loop_timer_set(channel->peer->loop, &channel->timer, loop_clock_ms() + within_ms);
}

/* ---- what comes ---- */

static void hello_came(struct channel *channel, const struct frame_hello *hello)
{
	const struct peer *peer = channel->peer;
	const char *wrong = peer_check_hello(peer, hello);

	if (!wrong && hello->channel)
		wrong = "the other side has not opened it, but calls it a channel";
	if (!wrong && (!peer_is_up(peer) || hello->host.instance != peer->instance))
		wrong = "another daemon answers than that of the link";
	if (!wrong && link_accepted(&channel->link))
		wrong = "no memory";
	if (wrong)
		fail(channel, wrong);
	else
		channel->state = CHANNEL_ASKING;
}

static void frame_came(struct channel *channel, const struct frame *frame)
{
	bool asking = channel->state == CHANNEL_ASKING;
	const char *wrong = NULL;

	if (frame->type != (asking ? FRAME_READY : FRAME_PREPARE))
		wrong = "a frame that has no place there";
	else if (asking && frame->token != channel->token)
		wrong = "an answer to another question";
	else if (channel->link.rx_len)
		wrong = "something behind what was to be said";
	if (wrong) {
		fail(channel, wrong);
		return;
	}
	channel->token = frame->token;
	if (asking)
		channel->ops->ready(channel->arg, &frame->host);
	else
		channel->ops->prepare(channel->arg);
}

static void read_frames(struct channel *channel)
{
	struct link *link = &channel->link;
	const char *error = NULL;
	enum frame_result result;
	struct frame frame;

	/* Until nothing more comes: of a connection that has ended already the kernel has no use. */
	while (link_fill(link))
		;
	while ((result = link_next(link, &frame, &error)) == FRAME_OK && !link->ended) {
		if (channel->state != CHANNEL_GREETING) {
			frame_came(channel, &frame);
			return;
		}
		hello_came(channel, &frame.hello);
		if (!link_is_open(link))
			return;
	}
	if (result == FRAME_BAD)
		fail(channel, error);
	else if (link->ended)
		fail(channel, link->error);
}

/* ---- connecting ---- */

/* Both at once: the standby needs no round trip to know what is wanted. */
static void greet(struct channel *channel)
{
	uint8_t frame[FRAME_SMALL_BYTES];
	struct iovec iov = { frame, frame_write_prepare(frame, channel->token) };

	channel->state = CHANNEL_GREETING;
	peer_greet(channel->peer, &channel->link, true);
	/* To tell its state the owner had to look at it: it may have closed the channel for what it saw. */
	link_send(&channel->link, &iov, 1);
}

static void channel_io(void *arg, uint32_t events)
{
	struct channel *channel = arg;
	struct link *link = &channel->link;
	int err;

	if (link->connecting) {
		err = link_connected(link);
		if (err) {
			fail(channel, strerror(-err));
			return;
		}
		greet(channel);
		if (!link_is_open(link))
			return;
	}
	if (events & EPOLLOUT)
		link_flush(link);
	if (link->broken)
		fail(channel, link->error);
	else if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		read_frames(channel);
}

int channel_connect(struct channel *channel, uint64_t token, unsigned int within_ms)
{
	int err;

	channel_close(channel);
	err = peer_dial(channel->peer, &channel->link, channel_io, channel);
	if (err)
		return err;
	channel->token = token;
	begin(channel, CHANNEL_CONNECTING, within_ms);
	if (!channel->link.connecting)
		greet(channel);
	return 0;
}

/* ---- accepting ---- */

void channel_accept(struct channel *channel, struct link *link, unsigned int within_ms)
{
	channel_close(channel);
	link_move(&channel->link, link, channel_io, channel);
	begin(channel, CHANNEL_ASKED, within_ms);
	if (channel->link.broken)
		fail(channel, channel->link.error);
	else
		/* PREPARE is right behind the hello. */
		read_frames(channel);
}

int channel_answer(struct channel *channel, const struct policy_host *place)
{
	uint8_t frame[FRAME_SMALL_BYTES];
	struct iovec iov = { frame, frame_write_ready(frame, channel->token, place) };

	link_send(&channel->link, &iov, 1);
	return channel_release(channel);
}

/* ---- the end ---- */

int channel_release(struct channel *channel)
{
	const struct link *link = &channel->link;
	int dead_after_ms = channel->peer->config->dead_after_ms;

	if (!link_is_open(link) || link->broken || link->rx_len || link->tx_len) {
		channel_close(channel);
		return -1;
	}
	loop_timer_stop(channel->peer->loop, &channel->timer);
	/* Heartbeats go by the link: of a channel alone that is swallowed they know nothing. */
	setsockopt(link->io.fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &dead_after_ms, sizeof(dead_after_ms));
	return link_release(&channel->link);
}

void channel_close(struct channel *channel)
{
	loop_timer_stop(channel->peer->loop, &channel->timer);
	link_close(&channel->link);
}

void channel_init(struct channel *channel, struct peer *peer, const struct channel_ops *ops, void *arg)
{
	memset(channel, 0, sizeof(*channel));
	channel->peer = peer;
	channel->ops = ops;
	channel->arg = arg;
	channel->link.io.fd = -1;
	channel->timer = (struct loop_timer){ .fire = late, .arg = channel };
}
