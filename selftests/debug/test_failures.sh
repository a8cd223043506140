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
	faults_reset
	faults_on "$1"
	"${@:3}"
	faults_off
	faults_were_seen "$2"
}

# ---------------------------------------------------------------------------------------------------------------------
# Connections of a host alone: everything came back as it was sent, or the connection was reset at some point before.

streams() { # OPTION...
	local address
	for address in "$bed_vip4" "$bed_vip6"; do
		client echo_client "$address" "$bed_port" --timeout 3000 "$@" >/tmp/streams 2>/tmp/streams.err || true
		cat /tmp/streams /tmp/streams.err
		grep -q '^bytes=' /tmp/streams || fail 'echo_client did not come to its end'
		no_worse_than_reset /tmp/streams.err
	done
}

no_worse_than_reset() { # FILE: what echo_client complained of
	! grep '^connection' "$1" | grep -v 'reset by peer\|Broken pipe' || fail 'that is more than a reset'
}

nothing_left() { # HOST...
	local host
	for host in "$@"; do
		wait_for 60 has_conns "$host" 0 || { in_host "$host" ftcpctl conn list; return 1; }
		[ "$(counter "$host" broken_invariants)" = 0 ]
	done
}

counted() {
	primary ftcpctl -j stats -a
	[ "$(counter primary xmit_no_memory)" -gt 0 ]
	[ "$(counter primary drop_no-memory)" -gt 0 ]
}

# ---------------------------------------------------------------------------------------------------------------------
# A pair, while streams flow. Memory is short for a moment; a host that could not follow comes into sync again.

flowing() { # COMMAND...
	trap faults_off EXIT
	faults_reset
	traffic_start flow "$bed_vip4" -n 4 --rate 300K
	traffic_start flow6 "$bed_vip6" -n 4 --rate 300K
	flow_moves
	"$@"
	flow_moves
	flow_ends flow
	flow_ends flow6
	faults_were_seen 3
}

flow_moves() {
	traffic_moves flow
	traffic_moves flow6
}

flow_ends() { # NAME
	kill -USR1 "$(cat "$bed_log/$1.pid")" 2>/dev/null || true
	wait_for 60 ktap_gone "$(cat "$bed_log/$1.pid")" || { traffic_tell "$1"; return 1; }
	traffic_tell "$1"
	no_worse_than_reset "$bed_log/$1.err"
}

moments() { # ROUNDS PER-CENT
	local round
	for ((round = 0; round < $1; round++)); do
		moment "$2" sleep 0.5
		protected primary 60
	done
}

moment() { # PER-CENT COMMAND...: which may fail
	faults_on "$1"
	"${@:2}" || true
	faults_off
}

handovers() {
	local round to
	for round in 1 2 3; do
		for to in standby primary; do
			echo "handover $round to $to"
			moment 10 in_host $to ftcpctl promote
			handover $to
		done
	done
}

# What failed for want of memory is asked for once more, as anybody would.
handover() { # TO
	wait_for 60 became "$1"
	speaks_for_both "$1"
}

became() { role_is "$1" primary || in_host "$1" ftcpctl promote; } # HOST

# The standby's daemon goes and comes; the whole state is shipped again each time.
attachments() {
	local round
	for round in 1 2 3; do
		syncd_end standby TERM
		syncd_hardly standby
		protected primary 60
	done
}

# A daemon that cannot start for want of memory says so and ends; whoever looks after it starts it again.
syncd_hardly() { # HOST
	pair_syncd "$1"
	moment 5 sleep 1
	! ktap_gone "$(syncd_pid "$1")" || pair_syncd "$1"
}

crash() {
	host_crash primary
	moment 10 in_host standby ftcpctl wait --for active --timeout 10
	in_host standby ftcpctl wait --for active --timeout 60
	flow_moves
	host_reboot primary
	syncd_hardly primary
	speaks_for_both standby
	handover primary
}

whole_again() {
	speaks_for_both primary
	nothing_left primary standby
	echo_once "$bed_vip4" -n 10 -s 200K
	echo_once "$bed_vip6" -n 10 -s 200K
	nothing_left primary standby
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
		ip netns delete another 2>/dev/null || rm -f /run/netns/another
	done
	echo "$made of 40 were made"
	[ $made -gt 0 ] && [ $made -lt 40 ]
}

# ---------------------------------------------------------------------------------------------------------------------

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
	fault_spare kmem_cache_create_usercopy
	failing 1 10 loads
	no_slab
}

ktap_begin
leaks_forget
ktap_must -t 60 'alone: a host comes up' lone_up
fault_module
fault_spare pcpu_alloc
ktap_case -t 600 'alone: connections, fast' failing 3 100 streams -n 20 -s 300K
ktap_case -t 600 'alone: connections, hardly any memory' failing 10 100 streams -n 10 -s 40K
ktap_case -t 600 'alone: connections, many and short' failing 5 50 streams -n 100 -s 100
ktap_case -t 60 'alone: it is counted' counted
ktap_case -t 200 'alone: nothing is left' nothing_left primary
ktap_case -t 300 'alone: configuration' configuration
ktap_case -t 300 'alone: namespaces' failing 20 5 namespaces
ktap_case -t 60 'alone: nothing has leaked' no_leaks
bed_down

ktap_must -t 60 'pair: two hosts come up' pair_up dead_after_ms=2500
fault_module
ktap_case -t 600 'pair: moments without memory' flowing moments 5 5
ktap_case -t 600 'pair: handovers' flowing handovers
ktap_case -t 600 'pair: a standby that goes and comes' flowing attachments
ktap_case -t 600 'pair: a crash' flowing crash
ktap_case -t 200 'pair: everything is whole again' whole_again
ktap_case -t 60 'pair: nothing has leaked' no_leaks
ktap_case -t 60 'everything is gone afterwards' unloaded

ktap_case -t 300 'the module is loaded' loading
ktap_case -t 60 'nothing has leaked, without the module' no_leaks
ktap_case 'the checkers are awake still' checkers_awake
[ "$ktap_failed" = 0 ] || ! cd "$bed_log" || tail -n 60 ./*.syncd.log | sed 's/^/# /'
ktap_end
