#!/bin/bash
# Namespaces that anybody can make: all of them together hold no more than half of the memory, and the host's own go on.
set -eu
cd "$(dirname "$0")"
# shellcheck source=selftests/lib/ktap.sh
. ../lib/ktap.sh
# shellcheck source=selftests/netns/lib.sh
. ./lib.sh
# shellcheck source=selftests/netns/lib_pair.sh
. ./lib_pair.sh

answers_are() { [ "$(grep -c . "$bed_log/$1.out")" -ge "$2" ] || ktap_gone "$(cat "/run/$1.pid")"; } # GUEST NUMBER

guest_start() { # GUEST
	mkfifo "/tmp/$1.ask"
	unshare -U -r -n ./guest.py <>"/tmp/$1.ask" >"$bed_log/$1.out" 2>"$bed_log/$1.err" &
	echo $! >"/run/$1.pid"
	wait_for 20 answers_are "$1" 1
	grep -q '^up$' "$bed_log/$1.out" || fail "$(cat "$bed_log/$1.err")"
}

guest() { # GUEST COMMAND...: prints its answer
	local n
	n=$(($(grep -c . "$bed_log/$1.out") + 1))
	echo "${*:2}" >"/tmp/$1.ask"
	wait_for 30 answers_are "$1" $n
	sed -n "${n}p" "$bed_log/$1.out" | grep . || fail "$(cat "$bed_log/$1.err")"
}

up() {
	lone_up
	memory_max 2
	echo_once "$bed_vip4" -s 30K
	guest_start one
	guest_start two
}

# Each may have what others leave: 1 MiB, less what is kept for those that are there.
together() {
	local first second
	first=$(guest one open 100)
	[ "$first" = 100 ] || fail "$first connections, and there was room for 100"
	second=$(guest two open 300)
	echo "$first and $second connections"
	[ "$second" -ge 20 ] || fail "$second connections more, and there was room for 20"
	[ "$second" -le 100 ] || fail "$second connections more, and there was no room for 100"
}

others_do_not_notice() {
	echo_once "$bed_vip4" -n 3 -s 30K
	echo "$(counter primary memory_bytes) bytes are held"
	[ "$(counter primary drop_memory-limit)" = 0 ] || fail 'the host goes without'
	[ "$(counter primary syn_stateless)" = 0 ] || fail 'the host is short of memory'
	[ "$(counter primary broken_invariants)" = 0 ]
}

# What was there when there was more room stays; a standby gets no more.
standby_is_full() {
	local said
	said=$(guest two apply)
	[ "$said" = taken ] || fail "$said"
	memory_max 1
	said=$(guest two apply)
	[[ $said == '-12 '*'half of max_memory'* ]] || fail "$said"
	memory_max 2
	said=$(guest two apply)
	[ "$said" = taken ] || fail "$said"
}

given_back() {
	kill -KILL "$(cat /run/one.pid)" "$(cat /run/two.pid)"
	wait_for 20 little_memory || fail "$(counter primary memory_bytes) bytes are held"
	guest_start three
	[ "$(guest three open 100)" = 100 ] || fail 'there is no room for another guest'
	kill -KILL "$(cat /run/three.pid)"
	wait_for 20 little_memory || fail "$(counter primary memory_bytes) bytes are held"
}
little_memory() { [ "$(counter primary memory_bytes)" -lt $((256 << 10)) ]; }

ktap_begin
if [ ! -e /proc/self/ns/user ]; then
	ktap_skip 'guests' 'this kernel has no user namespaces'
	ktap_end
fi
ktap_must -t 60 'a host, and guests' up
ktap_case -t 60 'guests share what is for guests' together
ktap_case -t 60 'the host does not notice' others_do_not_notice
ktap_case -t 60 'the standby of a guest takes no more' standby_is_full
ktap_case -t 120 'what guests held is given back' given_back
bed_down
ktap_end
