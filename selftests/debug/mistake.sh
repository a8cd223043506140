#!/bin/bash
# Make mistakes of bug/bug.c, one after the other.
# usage: mistake.sh KIND...       (in a debug machine)
set -eu
cd "$(dirname "$0")"
# shellcheck source=selftests/lib/ktap.sh
. ../lib/ktap.sh
# shellcheck source=selftests/debug/lib.sh
. ./lib.sh

make_it() { # KIND
	echo "mistake: $1" >/dev/kmsg
	insmod /bug.ko kind="$1"
	rmmod bug
}

ktap_begin
leaks_forget
for kind; do
	ktap_case "$kind" make_it "$kind"
done
ktap_case 'nothing has leaked' no_leaks
ktap_case 'the checkers are awake still' checkers_awake
ktap_end
