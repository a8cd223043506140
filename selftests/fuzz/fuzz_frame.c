// SPDX-License-Identifier: GPL-2.0
/* What the other daemon, or whoever connects, may send: in any bytes, and cut anywhere. */
#include <string.h>
#include "fuzz.h"
#include "frame.h"

static void written_and_read(const struct frame *frame)
{
	uint8_t out[FRAME_SMALL_BYTES];
	struct frame again = { 0 };
	const char *error;
	size_t len;

	switch (frame->type) {
	case FRAME_HELLO:     len = frame_write_hello(out, &frame->hello); break;
	case FRAME_HEARTBEAT: len = frame_write_heartbeat(out, &frame->host, frame->sent_ms); break;
	case FRAME_PREPARE:   len = frame_write_prepare(out, frame->token); break;
	case FRAME_READY:     len = frame_write_ready(out, frame->token, &frame->host); break;
	case FRAME_ACK:       len = frame_write_ack(out, frame->sync_id, frame->batch_no); break;
	case FRAME_REFUSED:   len = frame_write_refused(out, frame->sync_id, frame->batch_no, frame->text); break;
	case FRAME_BYE:       len = frame_write_bye(out, frame->reason); break;
	default:              return;
	}
	CHECK(len <= sizeof(out));
	CHECK(frame_read(out, len, frame->type == FRAME_HELLO, &again, &error) == FRAME_OK && again.type == frame->type && again.bytes == len);
	CHECK(again.token == frame->token && again.sync_id == frame->sync_id && again.batch_no == frame->batch_no);
	CHECK(again.host.epoch == frame->host.epoch && again.host.role == frame->host.role && again.host.sync == frame->host.sync);
	CHECK(again.hello.channel == frame->hello.channel);
	CHECK(again.reason == frame->reason && !strcmp(again.text, frame->text) && !strcmp(again.hello.group, frame->hello.group));
}

static enum frame_result read_part(const u8 *data, size_t len, bool hello_only, struct frame *frame)
{
	u8 *part = malloc(len + !len);
	enum frame_result result;
	const char *error = NULL;

	memcpy(part, data, len);
	memset(frame, 0, sizeof(*frame));
	result = frame_read(part, len, hello_only, frame, &error);
	CHECK(result != FRAME_BAD || (error && *error));
	if (result == FRAME_OK) {
		CHECK(frame->bytes >= FRAME_HEADER_BYTES && frame->bytes <= len && frame->type < __FRAME_TYPE_MAX);
		CHECK(!hello_only || frame->type == FRAME_HELLO);
		CHECK(memchr(frame->hello.group, 0, sizeof(frame->hello.group)) && memchr(frame->text, 0, sizeof(frame->text)));
		if (frame->type == FRAME_BATCH)
			CHECK(frame->batch >= part && frame->batch + frame->batch_len <= part + len);
		frame->batch = NULL;
		written_and_read(frame);
	}
	free(part);
	return result;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct fuzz f = { data, size };
	bool hello_only = fuzz_u8(&f) & 1;
	struct frame whole, part;

	while (read_part(f.at, f.left, hello_only, &whole) == FRAME_OK) {
		size_t cut = whole.bytes - 1 - (f.at[whole.bytes - 1] % whole.bytes);

		CHECK(read_part(f.at, cut, hello_only, &part) == FRAME_MORE);
		CHECK(read_part(f.at, whole.bytes, hello_only, &part) == FRAME_OK && part.type == whole.type);
		f.at += whole.bytes;
		f.left -= whole.bytes;
		hello_only = false;
	}
	return 0;
}
