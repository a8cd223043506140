// SPDX-License-Identifier: GPL-2.0
/* Tables for people. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "ctl.h"
#include "ctl_table.h"

#define COLUMNS_MAX 16

struct ctl_table {
	size_t columns;
	int width[COLUMNS_MAX];
	bool right[COLUMNS_MAX];
	char **cells;		/* the titles are the first row */
	size_t n, room;
};

static void add(struct ctl_table *table, char *text)
{
	int *width = &table->width[table->n % table->columns];
	int len = (int)strlen(text);

	if (table->n == table->room) {
		table->room = table->room ? table->room * 2 : 64;
		table->cells = ctl_realloc(table->cells, table->room * sizeof(*table->cells));
	}
	table->cells[table->n++] = text;
	if (len > *width)
		*width = len;
}

static char *copy(const char *text, size_t len)
{
	char *to = ctl_alloc(len + 1);

	return memcpy(to, text, len);
}

struct ctl_table *ctl_table_new(const char *titles)
{
	struct ctl_table *table = ctl_alloc(sizeof(*table));
	size_t len;

	table->columns = 1;
	for (const char *p = titles; *p; p++)
		table->columns += *p == '|';
	for (size_t i = 0; i < table->columns; i++) {
		table->right[i] = *titles == '>';
		titles += table->right[i];
		len = strcspn(titles, "|");
		add(table, copy(titles, len));
		titles += len + 1;
	}
	return table;
}

void ctl_table_cell(struct ctl_table *table, const char *fmt, ...)
{
	char text[256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	add(table, *text ? copy(text, strlen(text)) : copy("-", 1));
}

void ctl_table_print(struct ctl_table *table)
{
	for (size_t i = 0; i < table->n; i++) {
		size_t column = i % table->columns;
		bool last = column + 1 == table->columns;

		if (table->right[column])
			printf("%*s", table->width[column], table->cells[i]);
		else
			printf("%-*s", last ? 0 : table->width[column], table->cells[i]);
		printf(last ? "\n" : "  ");
		free(table->cells[i]);
	}
	free(table->cells);
	free(table);
}
