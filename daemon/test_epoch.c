// SPDX-License-Identifier: GPL-2.0
/* The epoch on disk: what is taken for it and what is not, and that a slow disk holds nobody up. Prints TAP. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include "epoch.h"
#include "tap.h"

#define WITHIN_MS	10000
#define GROUP		"web"

static char dir[] = "/tmp/ftcp-epoch-XXXXXX";
static char path[64], sub_path[80];
static struct loop loop;

static bool put(const char *text, size_t len)
{
	FILE *file = fopen(path, "w");
	bool good = file && fwrite(text, 1, len, file) == len;

	return file && !fclose(file) && good;
}

static size_t get(char text[256])
{
	FILE *file = fopen(path, "r");
	size_t len = file ? fread(text, 1, 255, file) : 0;

	text[len] = '\0';
	if (file)
		fclose(file);
	return len;
}

static bool finds(enum epoch_found expected, uint64_t value)
{
	uint64_t found = 99;

	return epoch_read(path, GROUP, &found) == expected && found == value;
}

static void files(void)
{
	char text[256], other[256];
	bool good = true;
	uint64_t value;
	size_t len;

	tap_ok(finds(EPOCH_MISSING, 0), "file__missing");
	tap_ok(!epoch_write(path, GROUP, 6) && finds(EPOCH_GOOD, 6), "file__comes_back_as_it_was_written");
	tap_ok(!epoch_write(path, GROUP, 5) && finds(EPOCH_GOOD, 6), "file__never_goes_back");
	tap_ok(!epoch_write(path, GROUP, UINT64_MAX) && finds(EPOCH_GOOD, UINT64_MAX), "file__any_epoch");
	len = get(text);
	for (size_t part = 0; part < len; part++)
		good &= put(text, part) && finds(EPOCH_DAMAGED, 0);
	tap_ok(good, "file__torn_anywhere_is_damaged");
	good = true;
	for (size_t i = 0; i < len; i++) {
		memcpy(other, text, len);
		other[i] ^= 1;
		good &= put(other, len) && (finds(EPOCH_DAMAGED, 0) || finds(EPOCH_FOREIGN, 0));
	}
	tap_ok(good, "file__one_bit_is_enough");
	tap_ok(put("", 0) && !epoch_write(path, GROUP, 3) && finds(EPOCH_GOOD, 3), "file__a_damaged_one_is_replaced");
	tap_ok(epoch_read(path, "mail", &value) == EPOCH_FOREIGN && epoch_write(path, "mail", 9) == EEXIST && finds(EPOCH_GOOD, 3),
	       "file__of_another_group_stays");
	tap_ok(put("127.0.0.1 localhost\n", 20) && finds(EPOCH_FOREIGN, 0) && epoch_write(path, GROUP, 9) == EEXIST &&
	       get(text) == 20, "file__something_else_stays");
	unlink(path);
}

static void directories(void)
{
	uint64_t value;

	snprintf(sub_path, sizeof(sub_path), "%s/a/b/%s.epoch", dir, GROUP);
	tap_ok(!epoch_write(sub_path, GROUP, 4) && epoch_read(sub_path, GROUP, &value) == EPOCH_GOOD && value == 4,
	       "directory__made_if_missing");
	unlink(sub_path);
	tap_ok(put("x", 1), "directory__in_the_way");
	snprintf(sub_path, sizeof(sub_path), "%s/%s", path, GROUP);
	tap_ok(epoch_write(sub_path, GROUP, 4) == ENOTDIR, "directory__cannot_be_made");
	unlink(path);
}

static void tick(void *arg)
{
	(void)arg;
}

static bool until_stored(struct epoch *epoch, uint64_t value, unsigned int within_ms)
{
	struct loop_timer timer = { .fire = tick };
	uint64_t end_ms = loop_clock_ms() + within_ms;

	while (epoch->stored != value && loop_clock_ms() < end_ms) {
		loop_timer_set(&loop, &timer, loop_clock_ms() + 20);
		loop_round(&loop);
	}
	loop_timer_stop(&loop, &timer);
	return epoch->stored == value;
}

static void noted(void)
{
	struct epoch epoch;
	int lock;

	epoch_open(&epoch, &loop, path, GROUP);
	tap_ok(!epoch.highest && !epoch.stored, "noted__nothing_yet");
	epoch_note(&epoch, 6);
	epoch_note(&epoch, 2);
	tap_ok(epoch.highest == 6 && !epoch.stored && finds(EPOCH_MISSING, 0), "noted__at_once_but_not_on_disk");
	tap_ok(until_stored(&epoch, 6, WITHIN_MS) && finds(EPOCH_GOOD, 6), "noted__soon_on_disk");
	/* A disk that takes its time. */
	lock = open(dir, O_RDONLY | O_DIRECTORY);
	flock(lock, LOCK_EX);
	epoch_note(&epoch, 7);
	tap_ok(!until_stored(&epoch, 7, 200) && epoch.pid, "noted__a_slow_disk_holds_nobody_up");
	epoch_note(&epoch, 8);
	close(lock);
	tap_ok(until_stored(&epoch, 8, WITHIN_MS) && finds(EPOCH_GOOD, 8) && !epoch.pid, "noted__what_came_meanwhile_too");
	epoch_close(&epoch);
	epoch_open(&epoch, &loop, path, GROUP);
	tap_ok(epoch.highest == 8 && epoch.stored == 8, "noted__known_to_the_next_process");
	epoch_close(&epoch);
	unlink(path);
}

static void trouble(void)
{
	struct epoch epoch;

	put("something else\n", 15);
	epoch_open(&epoch, &loop, path, GROUP);
	epoch_note(&epoch, 6);
	tap_ok(epoch.foreign && epoch.highest == 6 && !until_stored(&epoch, 6, 100) && finds(EPOCH_FOREIGN, 0),
	       "trouble__what_is_not_ours_stays");
	epoch_close(&epoch);
	snprintf(sub_path, sizeof(sub_path), "%s/%s", path, GROUP);
	epoch_open(&epoch, &loop, sub_path, GROUP);
	epoch_note(&epoch, 6);
	tap_ok(!until_stored(&epoch, 6, 300) && epoch.told && !epoch.pid && epoch.highest == 6, "trouble__is_told_and_lived_with");
	unlink(path);
	mkdir(path, 0700);
	loop_timer_set(&loop, &epoch.write, loop.now_ms);
	tap_ok(until_stored(&epoch, 6, WITHIN_MS) && !epoch.told, "trouble__and_over_when_it_can_be_written");
	epoch_close(&epoch);
	unlink(sub_path);
	rmdir(path);
}

int main(void)
{
	printf("TAP version 13\n");
	if (!mkdtemp(dir) || loop_open(&loop))
		return 1;
	snprintf(path, sizeof(path), "%s/%s.epoch", dir, GROUP);
	files();
	directories();
	noted();
	trouble();
	loop_close(&loop);
	snprintf(sub_path, sizeof(sub_path), "%s/a/b", dir);
	rmdir(sub_path);
	snprintf(sub_path, sizeof(sub_path), "%s/a", dir);
	rmdir(sub_path);
	rmdir(dir);
	return tap_end();
}
