// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <endian.h>
#include <string.h>
#include "frame.h"

/* ---- numbers ---- */

static uint16_t get16(const uint8_t *at)
{
	uint16_t value;

	memcpy(&value, at, sizeof(value));
	return be16toh(value);
}

static uint32_t get32(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return be32toh(value);
}

static uint64_t get64(const uint8_t *at)
{
	uint64_t value;

	memcpy(&value, at, sizeof(value));
	return be64toh(value);
}

static uint8_t *put16(uint8_t *at, uint16_t value)
{
	value = htobe16(value);
	memcpy(at, &value, sizeof(value));
	return at + sizeof(value);
}

static uint8_t *put32(uint8_t *at, uint32_t value)
{
	value = htobe32(value);
	memcpy(at, &value, sizeof(value));
	return at + sizeof(value);
}

static uint8_t *put64(uint8_t *at, uint64_t value)
{
	value = htobe64(value);
	memcpy(at, &value, sizeof(value));
	return at + sizeof(value);
}

/* ---- reading ---- */

static const char *read_state(const uint8_t *at, struct policy_host *host)
{
	if (at[24] >= __FTCP_ROLE_MAX || at[25] >= __FTCP_SYNC_MAX || at[26] > 1)
		return "a role or sync state that does not exist";
	host->epoch = get64(at);
	host->sync_id = get64(at + 8);
	host->batch_no = get64(at + 16);
	host->role = at[24];
	host->sync = at[25];
	host->prefers_primary = at[26];
	host->forgot = at[27];
	/* Nobody comes above the highest there is: whoever takes it over could never be replaced. */
	if (host->epoch > FTCP_EPOCH_MAX)
		return "an epoch that no host has come to";
	return NULL;
}

static const char *read_hello(const uint8_t *at, struct frame *frame)
{
	struct frame_hello *hello = &frame->hello;

	hello->detach = at[2];
	hello->channel = at[3];
	if (at[3] > 1)
		return "a connection of an unknown purpose";
	hello->heartbeat_ms = get32(at + 4);
	hello->dead_after_ms = get32(at + 8);
	memcpy(hello->group, at + 20, sizeof(hello->group));
	if (!memchr(hello->group, '\0', sizeof(hello->group)))
		return "a group name without an end";
	for (const char *c = hello->group; *c; c++)
		if (!isgraph((unsigned char)*c))
			return "a group name that is none";
	hello->host.instance = get64(at + 12);
	return read_state(at + 20 + FTCP_GROUP_NAME_MAX, &hello->host);
}

static const char *read_heartbeat(const uint8_t *at, struct frame *frame)
{
	frame->sent_ms = get64(at + FRAME_STATE_BYTES);
	return read_state(at, &frame->host);
}

static const char *read_token(const uint8_t *at, struct frame *frame)
{
	frame->token = get64(at);
	return NULL;
}

static const char *read_ready(const uint8_t *at, struct frame *frame)
{
	frame->token = get64(at);
	return read_state(at + 8, &frame->host);
}

static const char *read_place(const uint8_t *at, struct frame *frame)
{
	frame->sync_id = get64(at);
	frame->batch_no = get64(at + 8);
	return NULL;
}

static const char *read_batch(const uint8_t *at, struct frame *frame)
{
	frame->batch = at + FRAME_BATCH_HEAD_BYTES;
	frame->batch_len = frame->bytes - FRAME_HEADER_BYTES - FRAME_BATCH_HEAD_BYTES;
	return read_place(at, frame);
}

/* It goes into our log: nothing that a terminal would obey. */
static const char *read_refused(const uint8_t *at, struct frame *frame)
{
	size_t len = frame->bytes - FRAME_HEADER_BYTES - FRAME_BATCH_HEAD_BYTES;

	memcpy(frame->text, at + FRAME_BATCH_HEAD_BYTES, len);
	frame->text[len] = '\0';
	for (char *c = frame->text; *c; c++)
		if (!isprint((unsigned char)*c))
			*c = '?';
	return read_place(at, frame);
}

static const char *read_bye(const uint8_t *at, struct frame *frame)
{
	frame->reason = get32(at);
	return NULL;
}

static const struct {
	size_t min, max;	/* bytes of payload */
	const char *(*read)(const uint8_t *at, struct frame *frame);
} types[__FRAME_TYPE_MAX] = {
	[FRAME_HELLO] = { FRAME_HELLO_BYTES, FRAME_HELLO_BYTES, read_hello },
	[FRAME_HEARTBEAT] = { FRAME_STATE_BYTES + 8, FRAME_STATE_BYTES + 8, read_heartbeat },
	[FRAME_PREPARE] = { 8, 8, read_token },
	[FRAME_READY] = { 8 + FRAME_STATE_BYTES, 8 + FRAME_STATE_BYTES, read_ready },
	[FRAME_BATCH] = { FRAME_BATCH_HEAD_BYTES + 1, FRAME_BATCH_HEAD_BYTES + FTCP_BATCH_MAX_BYTES, read_batch },
	[FRAME_ACK] = { 16, 16, read_place },
	[FRAME_REFUSED] = { FRAME_BATCH_HEAD_BYTES, FRAME_BATCH_HEAD_BYTES + FRAME_TEXT_MAX_BYTES, read_refused },
	[FRAME_BYE] = { 4, 4, read_bye },
};

_Static_assert(FRAME_BATCH_HEAD_BYTES + FTCP_BATCH_MAX_BYTES <= FRAME_PAYLOAD_MAX_BYTES, "a batch fits into a frame");
_Static_assert(FRAME_HEADER_BYTES + FRAME_HELLO_BYTES <= FRAME_SMALL_BYTES, "a hello fits");

static enum frame_result bad(const char **error, const char *text)
{
	*error = text;
	return FRAME_BAD;
}

/* A wrong byte is told as soon as it is there, not when a whole header is: a stranger may say little and then wait. */
static bool magic_fits(const uint8_t *data, size_t len)
{
	uint8_t magic[4];

	put32(magic, FRAME_MAGIC);
	return !memcmp(data, magic, len < 4 ? len : 4);
}

enum frame_result frame_read(const uint8_t *data, size_t len, bool hello_only, struct frame *frame, const char **error)
{
	const uint8_t *payload = data + FRAME_HEADER_BYTES;
	const char *wrong;
	size_t bytes;
	uint8_t type;

	if (!magic_fits(data, len))
		return bad(error, "not the ftcp-syncd protocol");
	if (len < FRAME_HEADER_BYTES)
		return FRAME_MORE;
	type = data[4];
	bytes = get32(data + 8);
	if (hello_only && type != FRAME_HELLO)
		return bad(error, "something before the hello");
	if (!hello_only && type == FRAME_HELLO)
		return bad(error, "a second hello");
	/* Other versions may have other lengths. */
	if (type == FRAME_HELLO && len >= FRAME_HEADER_BYTES + 2) {
		frame->hello.version = get16(payload);
		if (frame->hello.version != FRAME_VERSION)
			return bad(error, "another version of the link protocol; install the same ftcp-syncd on both hosts");
	}
	if (!type || type >= __FRAME_TYPE_MAX || data[5] || get16(data + 6))
		return bad(error, "a frame of an unknown kind");
	if (bytes < types[type].min || bytes > types[type].max)
		return bad(error, "a frame of a wrong length");
	if (len < FRAME_HEADER_BYTES + bytes)
		return FRAME_MORE;
	frame->type = type;
	frame->bytes = FRAME_HEADER_BYTES + bytes;
	wrong = types[type].read(payload, frame);
	return wrong ? bad(error, wrong) : FRAME_OK;
}

/* ---- writing ---- */

static uint8_t *put_header(uint8_t *out, enum frame_type type, size_t payload)
{
	out = put32(out, FRAME_MAGIC);
	*out++ = type;
	*out++ = 0;
	out = put16(out, 0);
	return put32(out, payload);
}

static uint8_t *put_state(uint8_t *at, const struct policy_host *host)
{
	at = put64(at, host->epoch);
	at = put64(at, host->sync_id);
	at = put64(at, host->batch_no);
	*at++ = host->role;
	*at++ = host->sync;
	*at++ = host->prefers_primary;
	*at++ = host->forgot;
	memset(at, 0, 4);
	return at + 4;
}

static size_t put_place(uint8_t *out, enum frame_type type, uint64_t sync_id, uint64_t batch_no, size_t more)
{
	uint8_t *at = put_header(out, type, FRAME_BATCH_HEAD_BYTES + more);

	at = put64(at, sync_id);
	return put64(at, batch_no) - out;
}

size_t frame_write_hello(uint8_t *out, const struct frame_hello *hello)
{
	uint8_t *at = put_header(out, FRAME_HELLO, FRAME_HELLO_BYTES);

	at = put16(at, hello->version);
	*at++ = hello->detach;
	*at++ = hello->channel;
	at = put32(at, hello->heartbeat_ms);
	at = put32(at, hello->dead_after_ms);
	at = put64(at, hello->host.instance);
	memset(at, 0, FTCP_GROUP_NAME_MAX);
	memcpy(at, hello->group, strnlen(hello->group, FTCP_GROUP_NAME_MAX - 1));
	return put_state(at + FTCP_GROUP_NAME_MAX, &hello->host) - out;
}

size_t frame_write_heartbeat(uint8_t *out, const struct policy_host *host, uint64_t sent_ms)
{
	uint8_t *at = put_header(out, FRAME_HEARTBEAT, FRAME_STATE_BYTES + 8);

	return put64(put_state(at, host), sent_ms) - out;
}

size_t frame_write_prepare(uint8_t *out, uint64_t token)
{
	return put64(put_header(out, FRAME_PREPARE, 8), token) - out;
}

size_t frame_write_ready(uint8_t *out, uint64_t token, const struct policy_host *host)
{
	uint8_t *at = put_header(out, FRAME_READY, 8 + FRAME_STATE_BYTES);

	return put_state(put64(at, token), host) - out;
}

size_t frame_write_batch(uint8_t *out, uint64_t sync_id, uint64_t batch_no, size_t len)
{
	return put_place(out, FRAME_BATCH, sync_id, batch_no, len);
}

size_t frame_write_ack(uint8_t *out, uint64_t sync_id, uint64_t batch_no)
{
	return put_place(out, FRAME_ACK, sync_id, batch_no, 0);
}

size_t frame_write_refused(uint8_t *out, uint64_t sync_id, uint64_t batch_no, const char *text)
{
	size_t text_len = strnlen(text, FRAME_TEXT_MAX_BYTES);
	size_t len = put_place(out, FRAME_REFUSED, sync_id, batch_no, text_len);

	memcpy(out + len, text, text_len);
	return len + text_len;
}

size_t frame_write_bye(uint8_t *out, uint32_t reason)
{
	return put32(put_header(out, FRAME_BYE, 4), reason) - out;
}
