#!/bin/bash
# What a debug machine does: tests of the bed, and failing allocations, under the debug kernel's eyes; what they leave behind at the end is a
# failure, too. Several machines may be at it: each takes what no other has taken yet, by a directory in their common /out.
# usage: machine.sh [PATTERN [few [DEADLINE]]]       (in a debug machine; of the names of ../netns/test_NAME.sh, and "failures")
#   few: without those that only lead the kernel where others do, too
#   DEADLINE: of the host's clock, as `date +%s` has it: what has not begun by then is left out, and named
set -eu
cd "$(dirname "$0")"
# shellcheck source=selftests/lib/ktap.sh
. ../lib/ktap.sh
# shellcheck source=selftests/debug/lib.sh
. ./lib.sh

# Every packet costs ten times as much here: fewer of them, of every kind. And what is freed is kept for a while, so that its use is seen.
export SIZE=${SIZE:-200} ATTACK_SECONDS=${ATTACK_SECONDS:-1} CONNS=${CONNS:-30} FUZZ_SECONDS=${FUZZ_SECONDS:-4} SLAB_SLACK_KIB=${SLAB_SLACK_KIB:-65536} LOAD_RATE=${LOAD_RATE:-200K}

pattern=${1-} set=${2-all} deadline=${3-}
in_few='failures attack takeover channel daemon fuzz_netlink fuzz_packets netlink protection queue sock_semantics sock_stress
	socket standby_loss unload'

# The longest first; and what asks how fast it is has no place where time stands still while anybody computes, so that no machine is left with one at the end.
names() {
	local script
	printf '%s\n' failures interop attack ftcprun restart echo takeover
	for script in ../netns/test_*.sh; do
		script=${script##*/test_}
		[ "$script" = scale.sh ] || echo "${script%.sh}"
	done
}

in_set() { # NAME
	[ "$set" = all ] || grep -q -w -- "$1" <<<"$in_few"
}

take() { mkdir "/out/taken/$1" 2>/dev/null; } # NAME

# The machine's own clock stands still while it computes. But it was the host that made the directory.
late() { [ -n "$deadline" ] && [ "$(stat -c %Y "/out/taken/$1")" -ge "$deadline" ]; } # NAME

run_one() { # NAME
	local now
	if [ "$1" = failures ]; then
		ktap_include failures ./test_failures.sh
	else
		ktap_include -n netns ../netns/run "$1"
	fi
	read -r now _ </proc/uptime
	echo "# $1: done when the machine's clock shows $now s"
}

mkdir -p /out/taken
ktap_begin
leaks_forget
for name in $(names | awk '!seen[$0]++'); do
	if [[ $name != *"$pattern"* ]] || ! in_set "$name" || ! take "$name"; then
		continue
	elif late "$name"; then
		echo "# $name: left out, it is too late for it"
	else
		run_one "$name"
	fi
done
ktap_case -t 200 'nothing has leaked' no_leaks
ktap_case 'the checkers are awake still' checkers_awake
ktap_end
