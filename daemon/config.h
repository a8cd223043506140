/* SPDX-License-Identifier: GPL-2.0 */
/* The configuration file, ftcp-syncd.conf(5). */
#ifndef FTCP_CONFIG_H
#define FTCP_CONFIG_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <ftcp/limits.h>

#define CONFIG_ADDRESSES_MAX	32
#define CONFIG_ERROR_MAX	512
#define CONFIG_PATH_MAX		256
#define CONFIG_EPOCH_DIR	"/var/lib/ftcp"

/* What a primary does when no standby holds what it has to say. */
enum config_loss {
	CONFIG_LOSS_STALL,
	CONFIG_LOSS_DETACH,
};

/* Who carries batches to the other host. */
enum config_batches {
	CONFIG_BATCHES_KERNEL,	/* the two kernels, over a connection of their own */
	CONFIG_BATCHES_DAEMON,	/* the daemons, within their link */
};

/* An address that is where the group speaks. */
struct config_address {
	int family;
	uint8_t ip[16];		/* IPv4: the first four bytes */
	uint8_t prefix_len;
	char dev[IFNAMSIZ];
	char text[96];		/* as it was written */
};

/* A literal address and port. */
struct config_endpoint {
	struct sockaddr_storage addr;
	socklen_t len;
	char text[80];		/* as it was written */
};

struct config {
	char name[FTCP_GROUP_NAME_MAX];
	bool prefers_primary;
	char epoch_file[CONFIG_PATH_MAX];
	struct config_endpoint listen;
	struct config_endpoint peer;
	uint64_t heartbeat_ms;
	uint64_t dead_after_ms;
	uint64_t restart_grace_ms;
	enum config_batches batches;
	enum config_loss loss;
	uint64_t detach_after_ms;
	uint64_t alone_after_ms;
	uint64_t announce;
	struct config_address addresses[CONFIG_ADDRESSES_MAX];
	unsigned int n_addresses;
};

/**
 * config_read() - read @file, called @name in messages
 * @error: CONFIG_ERROR_MAX bytes; what is wrong, where, and what is allowed
 *
 * Strict: an unknown section or key, a key that comes twice and a value out of range are errors. Returns false on the
 * first of them.
 */
bool config_read(struct config *config, FILE *file, const char *name, char *error);

#endif
