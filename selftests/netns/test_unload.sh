#!/bin/bash
# The module goes under load, and namespaces go under load: nothing is left, nothing is called afterwards.
set -eu
cd "$(dirname "$0")"
# shellcheck source=selftests/lib/ktap.sh
. ../lib/ktap.sh
# shellcheck source=selftests/netns/lib.sh
. ./lib.sh
# shellcheck source=selftests/netns/lib_pair.sh
. ./lib_pair.sh

load_start() {
	traffic_start load "$bed_vip4" -n 20
	traffic_start load6 "$bed_vip6" -n 5
	traffic_moves load 1000000
	traffic_moves load6 100000
}

load_dies() {
	traffic_kill load
	traffic_kill load6
}

no_slab() { ! grep ftcp /proc/slabinfo; }
no_module() { ! grep -q '^ftcp ' /proc/modules; }

# With daemons attached and connections busy on both hosts.
unload() {
	bed_module_unload || wait_for 10 bed_module_unload || fail "rmmod: $(rmmod ftcp 2>&1)"
	no_module
	no_slab
	load_dies
}

daemons_wait() {
	local status=0
	wait_for 10 syncd_says primary 'gone|is not'
	wait_for 10 syncd_says standby 'gone|is not'
	kill -0 "$(syncd_pid primary)"
	kill -0 "$(syncd_pid standby)"
	primary ftcpctl status || status=$?
	[ "$status" = 4 ]
	[[ $(primary ftcpctl -j status || true) == *no-module* ]]
}

# They find it again, without being told.
comes_again() {
	bed_module_load
	primary ftcpctl service add echo --port "$bed_port"
	standby ftcpctl service add echo --port "$bed_port"
	protected primary
	wait_for 10 bed_reaches client "$bed_vip4"
	echo_once "$bed_vip4" -n 5 -s 100K
}

# Memory that is free once everything that was deferred has been done, with what the processors keep at hand of it (tens of MB, as it comes).
free_mb() {
	echo 3 >/proc/sys/vm/drop_caches
	awk '/^MemFree/ { kb += $2 } $1 == "count:" { kb += 4 * $2 } END { print int(kb / 4096) * 4 }' /proc/meminfo /proc/zoneinfo
}

# A hundred connections with full buffers, and away with the module; what a round needs must not be needed again and again.
round() {
	bed_module_load
	primary ftcpctl service add echo --port "$bed_port"
	primary ftcpctl promote --force
	traffic_start load "$bed_vip4" -n 100
	traffic_moves load 3000000
	unload_round
}

unload_round() {
	wait_for 10 bed_module_unload
	traffic_kill load
}

rounds_leave_nothing() {
	local first last
	syncd_end primary TERM
	syncd_end standby TERM
	bed_vip primary
	! bed_module_loaded || wait_for 10 bed_module_unload
	round
	first=$(settles 1 free_mb)
	for _ in 1 2 3 4; do
		round
	done
	# Clients that were killed are not all gone at once: their kernel gives up what they had queued only at its next retransmission.
	wait_for 60 has_free $((first - 16)) || fail "free: $first MB after the first round, $(free_mb) MB after the fifth and a minute" \
		"$(cat /proc/meminfo; ip netns exec client cat /proc/net/sockstat)"
}

has_free() { [ "$(free_mb)" -ge "$1" ]; } # MB

# ---------------------------------------------------------------------------------------------------------------------

# A namespace goes when its last process, and its last socket that has not said goodbye, does.
host_goes() { # HOST
	ip netns exec "$1" sysctl -qw net.ipv4.tcp_orphan_retries=1
	ip netns delete "$1"
	kill -KILL "$(syncd_pid "$1")"
}

# The slab tells only after it has put its half-used pages back; one that is merged with others does not tell at all.
no_conns_in_slab() {
	local objects
	echo 1 >/sys/kernel/slab/ftcp_conn/shrink
	objects=$(awk '$1 == "ftcp_conn" { print $2 }' /proc/slabinfo)
	[ "${objects:-0}" = 0 ]
}

pair_with_load() {
	pair_up dead_after_ms=5000
	load_start
}

both_namespaces_go() {
	host_goes primary
	host_goes standby
	load_dies
	wait_for 30 no_conns_in_slab || fail "$(grep ftcp /proc/slabinfo)"
	bed_module_loaded
}

module_goes_while_namespaces_go() {
	host_goes primary
	host_goes standby
	wait_for 10 bed_module_unload
	no_slab
	load_dies
}

loads_and_unloads() {
	local port
	for port in 1 2 3 4 5 6 7 8; do
		modprobe ftcp port=$port
		rmmod ftcp
	done
	no_slab
}

ktap_begin
ktap_must -t 100 'a pair under load' pair_with_load
ktap_case -t 60 'the module goes' unload
ktap_case -t 60 'the daemons wait for it' daemons_wait
ktap_case -t 60 'it comes again, and so does the pair' comes_again
ktap_case -t 200 'loaded and unloaded under load, memory comes back' rounds_leave_nothing
bed_down
ktap_must -t 100 'another pair under load' pair_with_load
ktap_case -t 60 'both hosts go' both_namespaces_go
bed_down
ktap_must -t 100 'a third pair under load' pair_with_load
ktap_case -t 60 'the module goes while the hosts go' module_goes_while_namespaces_go
bed_down
ktap_case -t 60 'loaded and unloaded again and again' loads_and_unloads
ktap_end
