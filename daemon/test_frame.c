// SPDX-License-Identifier: GPL-2.0
/* Frames: each comes back as it was written, and nothing else is taken for one. Prints TAP. */
#include <stdlib.h>
#include <string.h>
#include "frame.h"
#include "tap.h"

static const struct policy_host host = { .role = FTCP_ROLE_DETACHED, .sync = FTCP_SYNC_RUNNING, .epoch = 0x1122334455667788,
					 .sync_id = UINT64_MAX, .batch_no = 3, .prefers_primary = true, .forgot = true };
static uint8_t data[FRAME_HEADER_BYTES + FRAME_PAYLOAD_MAX_BYTES + 64];
static struct frame frame;
static const char *error;

static bool same_host(const struct policy_host *a, const struct policy_host *b)
{
	return a->role == b->role && a->sync == b->sync && a->epoch == b->epoch && a->sync_id == b->sync_id &&
	       a->batch_no == b->batch_no && a->prefers_primary == b->prefers_primary && a->forgot == b->forgot;
}

/* Byte by byte from a buffer that ends where the frame does, so that the sanitizer sees a read too far. */
static bool reads(size_t len, bool hello_only)
{
	uint8_t *exact;
	bool good = true;

	for (size_t part = 0; part <= len; part++) {
		exact = malloc(part ? part : 1);
		memcpy(exact, data, part);
		good &= frame_read(exact, part, hello_only, &frame, &error) == (part == len ? FRAME_OK : FRAME_MORE);
		free(exact);
	}
	frame_read(data, len, hello_only, &frame, &error);
	return good && frame.bytes == len;
}

static bool is_bad(size_t len, bool hello_only)
{
	error = NULL;
	return frame_read(data, len, hello_only, &frame, &error) == FRAME_BAD && error;
}

static size_t write_hello(void)
{
	struct frame_hello hello = { .version = FRAME_VERSION, .detach = true, .heartbeat_ms = 100, .dead_after_ms = 1000,
				     .group = "default", .host = host };

	hello.host.instance = 99;
	return frame_write_hello(data, &hello);
}

static void round_trips(void)
{
	uint8_t again[FRAME_SMALL_BYTES];

	tap_ok(reads(write_hello(), true) && frame.type == FRAME_HELLO && same_host(&frame.hello.host, &host) &&
	       frame.hello.host.instance == 99 && !strcmp(frame.hello.group, "default") && frame.hello.detach &&
	       frame.hello.heartbeat_ms == 100 && frame.hello.dead_after_ms == 1000 && !frame.hello.channel, "round_trip__hello");
	write_hello();
	data[FRAME_HEADER_BYTES + 3] = 1;
	tap_ok(reads(FRAME_HEADER_BYTES + FRAME_HELLO_BYTES, true) && frame.hello.channel && frame.hello.detach,
	       "round_trip__hello_of_a_channel");
	tap_ok(frame_write_hello(again, &frame.hello) == frame.bytes && !memcmp(again, data, frame.bytes),
	       "round_trip__hello_of_a_channel_written_alike");
	tap_ok(reads(frame_write_heartbeat(data, &host, 77), false) && frame.type == FRAME_HEARTBEAT &&
	       same_host(&frame.host, &host) && frame.sent_ms == 77, "round_trip__heartbeat");
	tap_ok(reads(frame_write_prepare(data, 5), false) && frame.type == FRAME_PREPARE && frame.token == 5,
	       "round_trip__prepare");
	tap_ok(reads(frame_write_ready(data, 6, &host), false) && frame.type == FRAME_READY && frame.token == 6 &&
	       same_host(&frame.host, &host), "round_trip__ready");
	tap_ok(reads(frame_write_ack(data, 8, 9), false) && frame.type == FRAME_ACK && frame.sync_id == 8 &&
	       frame.batch_no == 9, "round_trip__ack");
	tap_ok(reads(frame_write_refused(data, 8, 9, "no\x1b[2J\n"), false) && frame.type == FRAME_REFUSED &&
	       frame.batch_no == 9 && !strcmp(frame.text, "no?[2J?"), "round_trip__refused_without_control_characters");
	tap_ok(reads(frame_write_bye(data, FRAME_BYE_STOPPED), false) && frame.type == FRAME_BYE &&
	       frame.reason == FRAME_BYE_STOPPED, "round_trip__bye");
}

static void batches(void)
{
	size_t head = frame_write_batch(data, 1, 2, FTCP_BATCH_MAX_BYTES);

	data[head + FTCP_BATCH_MAX_BYTES - 1] = 0xab;
	tap_ok(frame_read(data, head + FTCP_BATCH_MAX_BYTES, false, &frame, &error) == FRAME_OK && frame.sync_id == 1 &&
	       frame.batch_no == 2 && frame.batch_len == FTCP_BATCH_MAX_BYTES && frame.batch[frame.batch_len - 1] == 0xab,
	       "batch__the_largest");
	frame_write_batch(data, 1, 2, FTCP_BATCH_MAX_BYTES + 1);
	tap_ok(is_bad(FRAME_HEADER_BYTES, false), "batch__too_large_is_known_from_its_header");
	frame_write_batch(data, 1, 2, 0);
	tap_ok(is_bad(FRAME_HEADER_BYTES, false), "batch__empty");
}

static void long_text(void)
{
	char text[1000];
	size_t len;

	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	len = frame_write_refused(data, 1, 2, text);
	tap_ok(len <= FRAME_SMALL_BYTES && reads(len, false) && strlen(frame.text) == FRAME_TEXT_MAX_BYTES, "refused__cut");
}

static void strangers(void)
{
	memcpy(data, "GET / HTTP/1.0\r\n\r\n", 18);
	tap_ok(is_bad(1, true) && is_bad(18, true), "stranger__http_from_its_first_byte");
	write_hello();
	data[FRAME_HEADER_BYTES + 1]++;
	tap_ok(is_bad(FRAME_HEADER_BYTES + 2, true) && strstr(error, "version"), "stranger__another_version");
	frame_write_heartbeat(data, &host, 0);
	tap_ok(is_bad(FRAME_HEADER_BYTES, true) && strstr(error, "before the hello"), "stranger__no_hello");
	write_hello();
	tap_ok(is_bad(FRAME_HEADER_BYTES + FRAME_HELLO_BYTES, false), "stranger__second_hello");
	write_hello();
	memset(data + FRAME_HEADER_BYTES + 20, 'a', FTCP_GROUP_NAME_MAX);
	tap_ok(is_bad(FRAME_HEADER_BYTES + FRAME_HELLO_BYTES, true), "stranger__endless_name");
	write_hello();
	data[FRAME_HEADER_BYTES + 20] = '\x1b';
	tap_ok(is_bad(FRAME_HEADER_BYTES + FRAME_HELLO_BYTES, true), "stranger__name_for_terminals");
	write_hello();
	data[FRAME_HEADER_BYTES + 3] = 2;
	tap_ok(is_bad(FRAME_HEADER_BYTES + FRAME_HELLO_BYTES, true) && strstr(error, "unknown purpose"),
	       "stranger__of_an_unknown_purpose");
	frame_write_bye(data, 1);
	data[4] = 200;
	tap_ok(is_bad(FRAME_HEADER_BYTES + 4, false), "stranger__unknown_kind");
	frame_write_bye(data, 1);
	data[5] = 1;
	tap_ok(is_bad(FRAME_HEADER_BYTES + 4, false), "stranger__flags");
	frame_write_heartbeat(data, &host, 0);
	data[FRAME_HEADER_BYTES + 24] = __FTCP_ROLE_MAX;
	tap_ok(is_bad(FRAME_HEADER_BYTES + FRAME_STATE_BYTES + 8, false), "stranger__role_that_does_not_exist");
}

/* Above the highest there is no other: whoever believed in it could never be replaced. */
static void epochs(void)
{
	struct policy_host high = host;

	high.epoch = FTCP_EPOCH_MAX;
	tap_ok(reads(frame_write_heartbeat(data, &high, 0), false) && frame.host.epoch == FTCP_EPOCH_MAX, "epoch__the_highest");
	high.epoch++;
	tap_ok(is_bad(frame_write_heartbeat(data, &high, 0), false) && strstr(error, "epoch"), "epoch__none_in_a_heartbeat");
	tap_ok(is_bad(frame_write_ready(data, 6, &high), false), "epoch__none_in_ready");
	write_hello();
	memset(data + FRAME_HEADER_BYTES + FRAME_HELLO_BYTES - FRAME_STATE_BYTES, 0xff, 8);
	tap_ok(is_bad(FRAME_HEADER_BYTES + FRAME_HELLO_BYTES, true) && strstr(error, "epoch"), "epoch__none_in_a_hello");
}

static void wrong_lengths(void)
{
	bool good = true;

	for (int type = 0; type < 256; type++) {
		for (int bit = 17; bit < 32; bit++) {
			frame_write_bye(data, 1);
			data[4] = type;
			data[8 + (31 - bit) / 8] |= 1 << bit % 8;
			good &= is_bad(FRAME_HEADER_BYTES, type == FRAME_HELLO);
		}
	}
	tap_ok(good, "length__too_large_of_any_kind");
}

/* One bit wrong in good frames, and pure noise: an answer, no read beyond the end, lengths that make sense. */
static void fuzz(void)
{
	uint8_t *exact;
	size_t len;
	bool good = true;

	srand(3);
	for (int i = 0; i < 200000; i++) {
		len = i % 2 ? write_hello() : frame_write_refused(data, 1, 2, "text");
		if (i % 5 == 0)
			for (size_t at = 4; at < len; at++)
				data[at] = rand();
		data[rand() % len] ^= 1 << rand() % 8;
		len = rand() % (len + 1);
		exact = malloc(len ? len : 1);
		memcpy(exact, data, len);
		if (frame_read(exact, len, i % 2, &frame, &error) == FRAME_OK)
			good &= frame.bytes <= len;
		free(exact);
	}
	tap_ok(good, "fuzz__never_more_than_there_is");
}

int main(void)
{
	printf("TAP version 13\n");
	round_trips();
	batches();
	long_text();
	strangers();
	epochs();
	wrong_lengths();
	fuzz();
	return tap_end();
}
