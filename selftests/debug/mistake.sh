#!/bin/bash
# Make a mistake of bug/bug.c.
# usage: mistake.sh KIND       (in a debug machine)
set -eu
cd "$(dirname "$0")"
# shellcheck source=selftests/lib/ktap.sh
. ../lib/ktap.sh
# shellcheck source=selftests/debug/lib.sh
. ./lib.sh

make_it() {
	insmod /bug.ko kind="$1"
	rmmod bug
}

ktap_begin
leaks_forget
ktap_case "$1" make_it "$1"
ktap_case 'nothing has leaked' no_leaks
ktap_case 'the checkers are awake still' checkers_awake
ktap_end
