// SPDX-License-Identifier: GPL-2.0
/* Many threads accept from one listener, which is shut down and opened again with connections in its queue; many clients come, and some do not wait. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "stress.h"

#define ACCEPTORS 4
#define CLIENTS 8
#define VISITS 12
#define REOPENINGS 5

struct port {
	const struct stress *stress;
	int listener;			/* changed only while no acceptor is there */
	atomic_uint served;
};

/* Until the listener is shut down: a letter for everybody, and then his end is waited for. */
static void acceptor(struct actor *actor)
{
	struct port *port = actor->of;
	char byte;
	int fd;

	while ((fd = accept4(port->listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		if (send(fd, "y", 1, MSG_NOSIGNAL) == 1)
			port->served++;
		while (recv(fd, &byte, 1, 0) > 0)
			;
		close(fd);
	}
	if (errno != EINVAL)
		wrong("accept", "acceptor %u: %s", actor->part, strerror(errno));
}

/* Nobody may be there for a moment; a connection that was in the queue then is reset. */
static bool visit(struct actor *actor, struct run *run)
{
	int fd = client_socket(run), manner = roll(&actor->dice, 4);
	bool done = manner > 1;
	char byte;

	if (client_connect_fd(run, fd)) {
		close(fd);
		usleep(2000);
		return false;
	}
	if (manner == 0)
		client_reset(fd);
	else if (manner == 1)
		done = recv(fd, &byte, 1, 0) == 1 && byte == 'y';
	if (manner != 0)
		close(fd);
	return done || manner == 0;
}

static void visitor(struct actor *actor)
{
	struct port *port = actor->of;
	struct run run = port->stress->run;
	int64_t deadline = now_ms() + HANGS_AFTER_S * 500;
	int visits = 0;

	while (visits < VISITS && now_ms() < deadline)
		visits += visit(actor, &run);
	if (visits < VISITS)
		wrong("accept", "visitor %u was let in %d times in a minute", actor->part, visits);
}

void stress_accept(const struct stress *stress)
{
	struct port port = { .stress = stress };
	struct actor acceptors[ACCEPTORS], visitors[CLIENTS];
	struct dice dice = { stress->seed ^ 0xacce97 };
	struct run run = stress->run;
	int round, i;

	port.listener = listener_open(&run, 8);
	for (i = 0; i < CLIENTS; i++)
		actor_start(&visitors[i], "visitor", visitor, &port, i, &dice);
	for (round = 0; round <= REOPENINGS; round++) {
		for (i = 0; i < ACCEPTORS; i++)
			actor_start(&acceptors[i], "acceptor", acceptor, &port, i, &dice);
		if (round == REOPENINGS)
			for (i = 0; i < CLIENTS; i++)
				actor_join(&visitors[i], "accept");
		else
			usleep(20000);
		shutdown(port.listener, SHUT_RDWR);
		for (i = 0; i < ACCEPTORS; i++)
			actor_join(&acceptors[i], "accept");
		close(port.listener);
		if (round < REOPENINGS)
			port.listener = listener_open(&run, 8);
	}
	printf("# %u were served by %d acceptors, %d times opened\n", port.served, ACCEPTORS, REOPENINGS + 1);
}
