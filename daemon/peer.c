// SPDX-License-Identifier: GPL-2.0
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>
#include "log.h"
#include "peer.h"

#define BACKOFF_MIN_MS		50
#define BACKOFF_MAX_MS		1000
#define BURSTS_MAX		4	/* reads of one link in one round: heartbeats must not wait for a resync */
#define LAST_WORD_MS		300	/* for the other side to hear a goodbye */
#define STRANGER_LOG_MS		1000

/* Ports that only root of a host can connect from, without those that are most likely to be a service's. */
#define RESERVED_MIN		512u
#define RESERVED_N		(IPPORT_RESERVED - RESERVED_MIN)
#define DIAL_TRIES		32u

static void schedule(struct peer *peer);

/* ---- addresses ---- */

static void name_of(const struct sockaddr_storage *addr, socklen_t len, char *text, size_t size)
{
	char host[64] = "?", port[8] = "?";

	getnameinfo((const struct sockaddr *)addr, len, host, sizeof(host), port, sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV);
	snprintf(text, size, addr->ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
}

static bool same_host(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
	if (a->ss_family != b->ss_family)
		return false;
	if (a->ss_family == AF_INET)
		return ((const struct sockaddr_in *)a)->sin_addr.s_addr == ((const struct sockaddr_in *)b)->sin_addr.s_addr;
	return !memcmp(&((const struct sockaddr_in6 *)a)->sin6_addr, &((const struct sockaddr_in6 *)b)->sin6_addr, 16);
}

static uint16_t *port_of(struct sockaddr_storage *addr)
{
	return addr->ss_family == AF_INET ? &((struct sockaddr_in *)addr)->sin_port : &((struct sockaddr_in6 *)addr)->sin6_port;
}

static void let_bind(int fd, int family)
{
	int on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	/* The address may come later than this process. */
	if (family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_FREEBIND, &on, sizeof(on));
	else
		setsockopt(fd, IPPROTO_IP, IP_FREEBIND, &on, sizeof(on));
}

/* ---- strangers ---- */

/* Told at most once a second, however often they come. */
__attribute__((format(printf, 3, 4)))
static void refuse(struct peer *peer, struct link *link, const char *fmt, ...)
{
	char text[LINK_ERROR_MAX], more[48] = "";
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (peer->loop->now_ms >= peer->strangers_at_ms) {
		if (peer->strangers)
			snprintf(more, sizeof(more), " (and %u others)", peer->strangers);
		log_warn("refused %s: %s%s", link->name, text, more);
		peer->strangers = 0;
		peer->strangers_at_ms = peer->loop->now_ms + STRANGER_LOG_MS;
	} else {
		peer->strangers++;
	}
	link_close(link);
}

/* ---- connecting ---- */

/* The same trouble is told once. */
__attribute__((format(printf, 2, 3)))
static void trouble(struct peer *peer, const char *fmt, ...)
{
	char text[sizeof(peer->trouble)];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (strcmp(text, peer->trouble))
		log_warn("peer %s: %s; trying for ever", peer->config->peer.text, text);
	memcpy(peer->trouble, text, sizeof(text));
}

static void later(struct peer *peer)
{
	peer->connect_at_ms = peer->loop->now_ms + peer->backoff_ms;
	peer->backoff_ms *= 2;
	if (peer->backoff_ms > BACKOFF_MAX_MS)
		peer->backoff_ms = BACKOFF_MAX_MS;
}

static void connect_failed(struct peer *peer, const char *why)
{
	trouble(peer, "cannot connect: %s", why);
	link_close(&peer->outgoing.link);
	later(peer);
}

void peer_greet(struct peer *peer, struct link *link, bool channel)
{
	struct frame_hello hello = { .version = FRAME_VERSION,
				     .detach = peer->config->loss == CONFIG_LOSS_DETACH,
				     .channel = channel,
				     .heartbeat_ms = peer->config->heartbeat_ms,
				     .dead_after_ms = peer->config->dead_after_ms };
	uint8_t frame[FRAME_SMALL_BYTES];
	struct iovec iov = { frame, 0 };

	snprintf(hello.group, sizeof(hello.group), "%s", peer->config->name);
	peer->ops->state(peer->arg, &hello.host);
	hello.host.instance = peer->self;
	iov.iov_len = frame_write_hello(frame, &hello);
	link_send(link, &iov, 1);
}

static void pending_ready(void *arg, uint32_t events);

/* From the address that the other host listens for: it takes no link from elsewhere. */
static int connect_from(struct peer *peer, int fd, uint16_t port)
{
	const struct config_endpoint *to = &peer->config->peer;
	struct sockaddr_storage from = peer->config->listen.addr;

	*port_of(&from) = htons(port);
	let_bind(fd, from.ss_family);
	if (bind(fd, (struct sockaddr *)&from, peer->config->listen.len) || connect(fd, (const struct sockaddr *)&to->addr, to->len))
		return -errno;
	return 0;
}

/*
 * A connected, or connecting (*@err is -EINPROGRESS) socket, or -1. The port is another each time: the one used last may be in TIME-WAIT, which
 * only connect() knows (EADDRNOTAVAIL), since with SO_REUSEADDR bind() takes it.
 */
static int connect_reserved(struct peer *peer, int *err)
{
	unsigned int at = 0;
	int fd;

	if (getrandom(&at, sizeof(at), GRND_NONBLOCK) < 0)
		at = loop_clock_ms();
	for (unsigned int i = 0; i < DIAL_TRIES; i++) {
		fd = socket(peer->config->peer.addr.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		if (fd < 0) {
			*err = -errno;
			return -1;
		}
		*err = connect_from(peer, fd, RESERVED_MIN + (at + i) % RESERVED_N);
		if (!*err || *err == -EINPROGRESS)
			return fd;
		close(fd);
		if (*err != -EADDRINUSE && *err != -EADDRNOTAVAIL)
			return -1;
	}
	return -1;
}

int peer_dial(struct peer *peer, struct link *link, void (*ready)(void *arg, uint32_t events), void *arg)
{
	const struct config_endpoint *to = &peer->config->peer;
	int err, fd = connect_reserved(peer, &err);

	if (fd < 0)
		return err;
	err = link_open(link, peer->loop, fd, err != 0, ready, arg);
	if (err)
		return err;
	snprintf(link->name, sizeof(link->name), "%s", to->text);
	link->initiated = true;
	return 0;
}

static void connect_out(struct peer *peer)
{
	struct link *link = &peer->outgoing.link;
	int err = peer_dial(peer, link, pending_ready, &peer->outgoing);

	if (err) {
		connect_failed(peer, err == -EACCES ? "this process may use no port below 1024 (CAP_NET_BIND_SERVICE)" : strerror(-err));
		return;
	}
	link->deadline_ms = peer->loop->now_ms + PEER_HANDSHAKE_MS;
	if (!link->connecting)
		peer_greet(peer, link, false);
}

/* ---- handshake ---- */

/* An unfinished handshake ends. */
static void pending_failed(struct peer *peer, struct link *link, const char *why)
{
	if (link == &peer->outgoing.link) {
		if (!peer_is_up(peer))
			trouble(peer, "no handshake: %s", why);
		link_close(link);
		later(peer);
	} else if (link->ended) {
		/* Common when both hosts connect at once. */
		log_debug("%s: %s before the handshake", link->name, why);
		link_close(link);
	} else {
		refuse(peer, link, "%s", why);
	}
}

const char *peer_check_hello(const struct peer *peer, const struct frame_hello *hello)
{
	static char text[LINK_ERROR_MAX];

	if (strcmp(hello->group, peer->config->name)) {
		snprintf(text, sizeof(text), "it serves group %s, this host group %s: check [group] name", hello->group,
			 peer->config->name);
		return text;
	}
	if (hello->host.instance == peer->self)
		return "that is this process itself: check [link] listen and peer";
	return NULL;
}

static void link_ready(void *arg, uint32_t events);
static void read_link(struct peer *peer);

/* The pending link becomes the link. What it has read stays with it. */
static void adopt(struct peer *peer, struct link *link, const struct frame_hello *hello)
{
	struct link *to = &peer->link;

	if (link_is_open(to))
		log_info("link %s replaces %s", link->name, to->name);
	link_close(to);
	link_move(to, link, link_ready, peer);
	peer->instance = hello->host.instance;
	peer->backoff_ms = BACKOFF_MIN_MS;
	*peer->trouble = '\0';
	/* One that this host connects is closed only if the peer keeps the other as well: see policy_keep_old(). */
	if (peer->self > peer->instance)
		link_close(&peer->outgoing.link);
	peer->ops->up(peer->arg, hello);
	/* There may be more behind the hello. */
	read_link(peer);
}

/* The pending link is a channel: for the owner, if it is of the daemon at the other end of the link. */
static void offered(struct peer *peer, struct link *link, const struct frame_hello *hello)
{
	const char *wrong = NULL;

	if (link->initiated)
		wrong = "it calls this host's link a channel";
	else if (!peer_is_up(peer))
		wrong = "a channel, and there is no link";
	else if (hello->host.instance != peer->instance)
		wrong = "a channel of another daemon than that of the link";
	else if (link_accepted(link))
		wrong = "no memory";
	if (wrong) {
		pending_failed(peer, link, wrong);
		return;
	}
	peer->ops->channel(peer->arg, link);
	link_close(link);
}

static void greeted(struct peer *peer, struct link *link, const struct frame_hello *hello)
{
	const char *wrong = peer_check_hello(peer, hello);
	bool up = peer_is_up(peer);

	if (wrong) {
		pending_failed(peer, link, wrong);
		return;
	}
	if (hello->channel) {
		offered(peer, link, hello);
		return;
	}
	if (up && policy_keep_old(peer->config->heartbeat_ms, peer->self, peer->instance, hello->host.instance,
				  peer->link.initiated, link->initiated, peer->loop->now_ms - peer->link.heard_ms)) {
		log_debug("link %s is not needed", link->name);
		link_close(link);
		return;
	}
	if (link_accepted(link)) {
		pending_failed(peer, link, "no memory");
		return;
	}
	adopt(peer, link, hello);
}

static void read_hello(struct peer *peer, struct link *link)
{
	const char *error = NULL;
	struct frame frame;

	/* Until nothing more comes: a link that was given up long ago still has its hello in it, and then its end. */
	while (link_fill(link))
		;
	switch (link_next(link, &frame, &error)) {
	case FRAME_BAD:
		pending_failed(peer, link, error);
		break;
	case FRAME_MORE:
		if (link->ended)
			pending_failed(peer, link, link->error);
		break;
	case FRAME_OK:
		if (link->ended)
			pending_failed(peer, link, link->error);
		else
			greeted(peer, link, &frame.hello);
		break;
	}
}

static void pending_ready(void *arg, uint32_t events)
{
	struct peer_pending *pending = arg;
	struct peer *peer = pending->peer;
	struct link *link = &pending->link;
	int err;

	if (link->connecting) {
		err = link_connected(link);
		if (err) {
			connect_failed(peer, strerror(-err));
			schedule(peer);
			return;
		}
		peer_greet(peer, link, false);
	}
	if (events & EPOLLOUT)
		link_flush(link);
	if (link->broken)
		pending_failed(peer, link, link->error);
	else if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		read_hello(peer, link);
	schedule(peer);
}

/* ---- accepting ---- */

static struct peer_pending *free_place(struct peer *peer)
{
	for (int i = 0; i < PEER_PENDING_MAX; i++)
		if (!link_is_open(&peer->incoming[i].link))
			return &peer->incoming[i];
	return NULL;
}

/* NULL: it may be the other host's daemon. Any process of that host has its address, but only root's has a port like this. */
static const char *wrong_place(const struct peer *peer, struct sockaddr_storage *from)
{
	if (!same_host(from, &peer->config->peer.addr))
		return "not the address of [link] peer";
	if (ntohs(*port_of(from)) >= IPPORT_RESERVED)
		return "from a port that any user of that host could have (1024 or above): not its ftcp-syncd";
	return NULL;
}

static void take_in(struct peer *peer, int fd, struct sockaddr_storage *from, socklen_t len)
{
	struct peer_pending *pending = free_place(peer);
	struct link stranger = { .loop = peer->loop, .io.fd = -1 };
	struct link *link = pending ? &pending->link : &stranger;
	const char *wrong = wrong_place(peer, from);
	char name[sizeof(link->name)];

	name_of(from, len, name, sizeof(name));
	if (!peer->active || !pending || wrong) {
		memcpy(stranger.name, name, sizeof(name));
		close(fd);
		if (peer->active)
			refuse(peer, &stranger, "%s", wrong ? wrong : "too many unfinished handshakes");
		return;
	}
	if (link_open(link, peer->loop, fd, false, pending_ready, pending))
		return;
	memcpy(link->name, name, sizeof(name));
	link->deadline_ms = peer->loop->now_ms + PEER_HANDSHAKE_MS;
	peer_greet(peer, link, false);
}

static void listener_ready(void *arg, uint32_t events)
{
	struct sockaddr_storage from;
	struct peer *peer = arg;
	socklen_t len;
	int fd;

	(void)events;
	for (int i = 0; i < PEER_PENDING_MAX; i++) {
		len = sizeof(from);
		fd = accept4(peer->listener.fd, (struct sockaddr *)&from, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0)
			break;
		take_in(peer, fd, &from, len);
	}
	schedule(peer);
}

/* ---- the link ---- */

static void read_link(struct peer *peer)
{
	struct link *link = &peer->link;
	const char *error = NULL;
	enum frame_result result;
	struct frame frame;

	/* Even when it is broken already: what came before its end counts, a goodbye above all. */
	while ((result = link_next(link, &frame, &error)) == FRAME_OK)
		peer->ops->frame(peer->arg, &frame);
	peer->ops->burst(peer->arg);
	if (result == FRAME_BAD)
		link_break(link, "what it sends is %s", error);
}

static void link_ready(void *arg, uint32_t events)
{
	struct peer *peer = arg;
	struct link *link = &peer->link;

	if (events & EPOLLOUT) {
		link_flush(link);
		if (!link->tx_len && !link->broken)
			peer->ops->writable(peer->arg);
	}
	if (!(events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
		return;
	for (int i = 0; i < BURSTS_MAX && !link->ended && link_fill(link); i++)
		read_link(peer);
}

void peer_drop(struct peer *peer, const char *fmt, ...)
{
	char why[LINK_ERROR_MAX];
	va_list args;

	if (!peer_is_up(peer))
		return;
	va_start(args, fmt);
	vsnprintf(why, sizeof(why), fmt, args);
	va_end(args);
	link_close(&peer->link);
	peer->backoff_ms = BACKOFF_MIN_MS;
	peer->connect_at_ms = peer->loop->now_ms;
	schedule(peer);
	peer->ops->down(peer->arg, why);
}

void peer_check(struct peer *peer)
{
	char why[LINK_ERROR_MAX];

	if (!peer_is_up(peer) || !peer->link.broken)
		return;
	memcpy(why, peer->link.error, sizeof(why));
	peer_drop(peer, "%s", why);
}

void peer_send(struct peer *peer, const uint8_t *frame, size_t len)
{
	struct iovec iov = { (void *)frame, len };

	link_send(&peer->link, &iov, 1);
}

void peer_say_last(struct peer *peer, const uint8_t *frame, size_t len)
{
	uint64_t end_ms = loop_clock_ms() + LAST_WORD_MS, now_ms;
	struct link *link = &peer->link;
	struct pollfd poll_fd = { .fd = link->io.fd, .events = POLLIN };
	char unread[4096];

	if (!peer_is_up(peer))
		return;
	peer_send(peer, frame, len);
	link_flush(link);
	shutdown(link->io.fd, SHUT_WR);
	/* Closing with something unread would be a reset, which may overtake what was said. */
	while ((now_ms = loop_clock_ms()) < end_ms) {
		if (poll(&poll_fd, 1, end_ms - now_ms) <= 0 || recv(link->io.fd, unread, sizeof(unread), MSG_DONTWAIT) <= 0)
			break;
	}
}

void peer_send_batches(struct peer *peer, const struct kernel_batch *batches, unsigned int n)
{
	uint8_t heads[KERNEL_APPLY_MAX][FRAME_HEADER_BYTES + FRAME_BATCH_HEAD_BYTES];
	struct iovec iov[2 * KERNEL_APPLY_MAX];

	for (unsigned int i = 0; i < n; i++) {
		const struct kernel_batch *batch = &batches[i];

		iov[2 * i] = (struct iovec){ heads[i],
					     frame_write_batch(heads[i], batch->sync_id, batch->no, batch->len) };
		iov[2 * i + 1] = (struct iovec){ (void *)batch->data, batch->len };
	}
	link_send(&peer->link, iov, 2 * n);
}

bool peer_congested(const struct peer *peer)
{
	return peer->link.tx_len != 0;
}

/* ---- time ---- */

static void first(uint64_t *at_ms, uint64_t other_ms)
{
	if (other_ms < *at_ms)
		*at_ms = other_ms;
}

/* The timer goes to whatever comes first: the next attempt, or the end of a handshake. */
static void schedule(struct peer *peer)
{
	uint64_t at_ms = UINT64_MAX;

	for (int i = 0; i < PEER_PENDING_MAX; i++)
		if (link_is_open(&peer->incoming[i].link))
			first(&at_ms, peer->incoming[i].link.deadline_ms);
	if (link_is_open(&peer->outgoing.link))
		first(&at_ms, peer->outgoing.link.deadline_ms);
	else if (peer->active && !peer_is_up(peer))
		first(&at_ms, peer->connect_at_ms);
	if (at_ms == UINT64_MAX)
		loop_timer_stop(peer->loop, &peer->timer);
	else
		loop_timer_set(peer->loop, &peer->timer, at_ms);
}

static void end_late(struct peer *peer, struct link *link)
{
	if (link_is_open(link) && peer->loop->now_ms >= link->deadline_ms)
		pending_failed(peer, link, link->connecting ? "no answer" : "no hello within 2 s");
}

static void timer_fired(void *arg)
{
	struct peer *peer = arg;

	for (int i = 0; i < PEER_PENDING_MAX; i++)
		end_late(peer, &peer->incoming[i].link);
	end_late(peer, &peer->outgoing.link);
	if (peer->active && !peer_is_up(peer) && !link_is_open(&peer->outgoing.link) &&
	    peer->loop->now_ms >= peer->connect_at_ms)
		connect_out(peer);
	schedule(peer);
}

/* ---- life ---- */

static int listen_on(struct peer *peer, char *error)
{
	const struct config_endpoint *at = &peer->config->listen;
	int fd = socket(at->addr.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int err = 0;

	if (fd >= 0)
		let_bind(fd, at->addr.ss_family);
	if (fd < 0 || bind(fd, (const struct sockaddr *)&at->addr, at->len) || listen(fd, PEER_PENDING_MAX))
		err = -errno;
	else
		err = loop_add(peer->loop, &peer->listener, fd, EPOLLIN);
	if (err) {
		snprintf(error, LINK_ERROR_MAX, "cannot listen on %s: %s", at->text, strerror(-err));
		if (fd >= 0)
			close(fd);
	}
	return err;
}

int peer_open(struct peer *peer, struct loop *loop, const struct config *config, uint64_t instance,
	      const struct peer_ops *ops, void *arg, char *error)
{
	memset(peer, 0, sizeof(*peer));
	peer->loop = loop;
	peer->config = config;
	peer->self = instance;
	peer->ops = ops;
	peer->arg = arg;
	peer->listener = (struct loop_io){ .fd = -1, .ready = listener_ready, .arg = peer };
	peer->timer = (struct loop_timer){ .fire = timer_fired, .arg = peer };
	peer->link.io.fd = -1;
	peer->outgoing.link.io.fd = -1;
	peer->outgoing.peer = peer;
	for (int i = 0; i < PEER_PENDING_MAX; i++) {
		peer->incoming[i].link.io.fd = -1;
		peer->incoming[i].peer = peer;
	}
	return listen_on(peer, error);
}

void peer_activate(struct peer *peer, bool active)
{
	peer->active = active;
	if (!active) {
		link_close(&peer->link);
		link_close(&peer->outgoing.link);
		for (int i = 0; i < PEER_PENDING_MAX; i++)
			link_close(&peer->incoming[i].link);
	}
	peer->backoff_ms = BACKOFF_MIN_MS;
	peer->connect_at_ms = peer->loop->now_ms;
	schedule(peer);
}

void peer_close(struct peer *peer)
{
	peer_activate(peer, false);
	loop_timer_stop(peer->loop, &peer->timer);
	if (peer->listener.fd >= 0)
		close(loop_remove(peer->loop, &peer->listener));
}
