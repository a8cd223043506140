#!/bin/bash
# Memory runs out, at random, wherever the module asks for some: in what it does for connections, for the other host, for
# whoever configures it, and when it is loaded. Nothing crashes, streams stay what they were, nothing is left behind.
# usage: test_failures.sh       (in a debug machine)
set -eu
cd "$(dirname "$0")"
# shellcheck source=selftests/lib/ktap.sh
. ../lib/ktap.sh
# shellcheck source=selftests/debug/lib.sh
. ./lib.sh
# shellcheck source=selftests/netns/lib.sh
. ../netns/lib.sh
# shellcheck source=selftests/netns/lib_pair.sh
. ../netns/lib_pair.sh

# Run something while memory runs out, and see that it did.
failing() { # PER-CENT AT-LEAST COMMAND...
	trap faults_off EXIT
	faults_on "$1"
	"${@:3}"
	faults_off
	faults_were_seen "$2"
}

# ---------------------------------------------------------------------------------------------------------------------
# Connections: everything came back as it was sent, or the connection was reset at some point before.

streams() { # ROUNDS OPTION...
	local round status
	for ((round = 0; round < $1; round++)); do
		for address in "$bed_vip4" "$bed_vip6"; do
			status=0
			client echo_client "$address" "$bed_port" --timeout 600 "${@:2}" >/tmp/streams 2>&1 || status=$?
			cat /tmp/streams
			! grep '^connection' /tmp/streams | grep -v 'reset by peer\|Broken pipe' || fail 'that is more than a reset'
			grep -q '^bytes=' /tmp/streams || fail "echo_client ended with status $status"
		done
	done
}

# ---------------------------------------------------------------------------------------------------------------------
# The pair, while streams flow. A host that could not follow comes into sync again.

flowing() { # COMMAND...
	traffic_start flow "$bed_vip4" -n 4 --rate 300K
	traffic_start flow6 "$bed_vip6" -n 4 --rate 300K
	traffic_moves flow
	traffic_moves flow6
	"$@"
	stop flow
	stop flow6
}

# The same judgement as of streams.
stop() { # NAME
	kill -USR1 "$(cat "$bed_log/$1.pid")" 2>/dev/null || true
	wait_for 120 ktap_gone "$(cat "$bed_log/$1.pid")" || { traffic_tell "$1"; return 1; }
	traffic_tell "$1"
	! grep '^connection' "$bed_log/$1.err" | grep -v 'reset by peer\|Broken pipe' || fail 'that is more than a reset'
}

handovers() {
	local round to
	for round in 1 2 3; do
		for to in standby primary; do
			failing 3 1 settle 3
			handover $to
		done
	done
}

settle() { sleep "$1"; }

# A command that fails for want of memory is given once more, as anybody would.
handover() { # TO
	faults_on 3
	wait_for 60 in_host "$1" ftcpctl promote
	faults_off
	speaks_for_both "$1"
}

# The standby's daemon goes and comes; the whole state is shipped again each time.
attachments() {
	local round
	for round in 1 2 3; do
		syncd_end standby TERM
		failing 3 1 reattach
		protected primary 60
	done
}

reattach() {
	pair_syncd standby
	sleep 5
}

crash() {
	failing 3 1 takeover
	host_reboot primary
	pair_syncd primary
	speaks_for_both standby
	handover primary
}

takeover() {
	host_crash primary
	in_host standby ftcpctl wait --for active --timeout 60
	traffic_moves flow
}

# ---------------------------------------------------------------------------------------------------------------------
# Configuration: what fails leaves things as they were

commands() {
	local round
	for ((round = 0; round < 30; round++)); do
		ip netns exec client ftcpctl group add one || true
		ip netns exec client ftcpctl -g one service add echo --port 4000 || true
		ip netns exec client ftcpctl -g one promote --force || true
		ip netns exec client ftcpctl -j status || true
		ip netns exec client ftcpctl -j group list || true
		ip netns exec client ftcpctl -j service list || true
		ip netns exec client ftcpctl -j stats -a || true
		ip netns exec primary ftcpctl -j conn list || true
		ip netns exec client ftcpctl -g one demote --force || true
		ip netns exec client ftcpctl -g one service del --port 4000 || true
		ip netns exec client ftcpctl group del one || true
	done >/dev/null 2>&1
}

configuration() {
	failing 20 50 commands
	client ftcpctl -g one service del --port 4000 || true
	client ftcpctl group del one || true
	! client ftcpctl -j group list | grep '"one"' || fail 'the group cannot be removed'
	! client ftcpctl -j service list | grep 4000 || fail 'the service cannot be removed'
}

namespaces() {
	local round made=0
	for ((round = 0; round < 40; round++)); do
		! ip netns add another 2>/dev/null || made=$((made + 1))
		ip netns delete another 2>/dev/null || true
	done
	echo "$made of 40 were made"
	[ $made -gt 0 ] && [ $made -lt 40 ]
}

# ---------------------------------------------------------------------------------------------------------------------

whole_again() {
	wait_for 60 speaks_for_both primary
	wait_for 60 nothing_left
	echo_once "$bed_vip4" -n 10 -s 200K
	echo_once "$bed_vip6" -n 10 -s 200K
	wait_for 60 nothing_left
}

nothing_left() { has_conns primary 0 && has_conns standby 0; }

counted() {
	local counters
	counters=$(primary ftcpctl -j stats -a)
	echo "$counters"
	[ "$(counter primary xmit_no_memory)" -gt 0 ]
	[ "$(counter primary drop_no_memory)" -gt 0 ]
	[ "$(counter primary broken_invariants)" = 0 ]
	[ "$(counter standby broken_invariants)" = 0 ]
}

unloaded() {
	bed_down
	no_slab
}

no_slab() { ! grep ftcp /proc/slabinfo; }

# What insmod itself asks for is not meant, only what happens from the module's first line on.
loads() {
	local round loaded=0
	for ((round = 0; round < 40; round++)); do
		if modprobe ftcp port=9999 2>/dev/null; then
			loaded=$((loaded + 1))
			rmmod ftcp
		fi
	done
	echo "$loaded of 40 times it was loaded"
	[ $loaded -gt 0 ] && [ $loaded -lt 40 ]
}

loading() {
	fault_function do_one_initcall
	failing 3 20 loads
	no_slab
}

ktap_begin
leaks_forget
ktap_must -t 60 'a pair comes up' pair_up dead_after_ms=2500
fault_module
ktap_case -t 900 'connections, fast' failing 3 100 streams 2 -n 20 -s 300K
ktap_case -t 900 'connections, hardly any memory' failing 30 100 streams 1 -n 10 -s 20K
ktap_case -t 900 'connections, many and short' failing 5 100 streams 2 -n 100 -s 100
ktap_case -t 60 'it is counted' counted
ktap_case -t 900 'handovers' flowing handovers
ktap_case -t 900 'a standby that goes and comes' flowing attachments
ktap_case -t 900 'a crash' flowing crash
ktap_case -t 900 'configuration' configuration
ktap_case -t 900 'namespaces' failing 20 20 namespaces
ktap_case -t 200 'everything is whole again' whole_again
ktap_case -t 200 'nothing has leaked' no_leaks
ktap_case -t 60 'everything is gone afterwards' unloaded
ktap_case -t 900 'the module is loaded' loading
ktap_case -t 200 'nothing has leaked, without the module' no_leaks
ktap_case 'the checkers are awake still' checkers_awake
ktap_end
