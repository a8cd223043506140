// SPDX-License-Identifier: GPL-2.0
/* Any file as the daemon's configuration: read, or refused with a reason. */
#include <string.h>
#include "fuzz.h"
#include "config.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	char error[CONFIG_ERROR_MAX] = "";
	struct config config;
	unsigned int i;
	FILE *file;

	if (!size)
		return 0;
	file = fmemopen((void *)data, size, "r");
	if (config_read(&config, file, "fuzz", error)) {
		CHECK(memchr(config.name, 0, sizeof(config.name)) && *config.name);
		CHECK(config.n_addresses <= CONFIG_ADDRESSES_MAX);
		CHECK(config.heartbeat_ms && config.dead_after_ms >= config.heartbeat_ms);
		CHECK(config.listen.len && config.peer.len);
		for (i = 0; i < config.n_addresses; i++)
			CHECK(*config.addresses[i].dev && memchr(config.addresses[i].dev, 0, IFNAMSIZ) &&
			      config.addresses[i].prefix_len <= (config.addresses[i].family == AF_INET ? 32 : 128));
	} else {
		CHECK(*error && memchr(error, 0, sizeof(error)));
	}
	fclose(file);
	return 0;
}
