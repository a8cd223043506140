#!/bin/bash
# Protection async and none: nothing waits for the standby. What it has is taken over, what it has not is not made up.
set -eu
cd "$(dirname "$0")"
# shellcheck source=selftests/lib/ktap.sh
. ../lib/ktap.sh
# shellcheck source=selftests/netns/lib.sh
. ./lib.sh
# shellcheck source=selftests/netns/lib_pair.sh
. ./lib_pair.sh

pair_of() { # PROTECTION [KEY=VALUE...]
	bed_down
	PAIR_SERVICE="--protection $1" pair_up policy=detach "${@:2}"
}

# ---------------------------------------------------------------------------------------------------------------------

wrong_word() {
	local status=0
	primary ftcpctl service add echo --port 1234 --protection twice 2>/tmp/said || status=$?
	grep -q 'sync, async or none' /tmp/said
	[ $status = 2 ]
}

is_listed() { # PROTECTION
	ip netns exec primary ftcpctl -j service list | grep -q "\"protection\": *\"$1\"" || fail 'not in JSON'
	primary ftcpctl service list | grep -q " $1 " || fail 'not in the table'
}

shows_async() {
	primary ftcpctl conn show | grep -q '\<async\>'
}

# Its daemon, which carries the batches, stands still: none leaves the host, and all goes on.
goes_on_uncommitted() {
	syncd_stop primary
	traffic_moves one 300000
	[ "$(group_value primary role)" = primary ]
	syncd_continue primary
	protected primary
	traffic_moves one
}

primary_dies() {
	host_crash primary
	in_host standby ftcpctl wait --for active --timeout 30
}

# What went to and fro so slowly the standby has heard of.
survives() {
	primary_dies
	traffic_moves quiet 20
	[ "$(counter standby conns_behind)" = 0 ]
	traffic_end quiet
}

# The client has acknowledged what the standby was never told of.
is_reset() {
	sync_silent primary
	traffic_moves one 500000
	primary_dies
	wait_for 60 ktap_gone "$(cat "$bed_log/one.pid")"
	traffic_tell one
	grep -q 'resets=1 ' "$bed_log/one.out"
	[ "$(counter standby conns_behind)" = 1 ]
	wait_for 10 has_conns standby 0
}

# The one that is there after a takeover is served as if it had never been anything else.
new_one() {
	echo_once "$bed_vip4" -s 500K
}

stays_here() {
	has_conns primary 1
	has_conns standby 0
}

dies_with_host() {
	primary_dies
	wait_for 60 ktap_gone "$(cat "$bed_log/one.pid")"
	traffic_tell one
	grep -q 'resets=1 ' "$bed_log/one.out"
}

# ---------------------------------------------------------------------------------------------------------------------

ktap_begin
ktap_must 'a protected pair with an async service' pair_of async batches=daemon
ktap_case 'a word that is none is refused' wrong_word
ktap_case 'async is listed' is_listed async
traffic_start one "$bed_vip4" --rate 2M
ktap_case 'traffic flows' traffic_moves one
ktap_case 'conn show says async' shows_async
ktap_case 'nothing waits for a standby that says nothing' goes_on_uncommitted
ktap_case 'and the client has all its bytes' traffic_end one
traffic_start quiet "$bed_vip4" --rate 20
ktap_case 'a quiet client' traffic_moves quiet 10
ktap_case 'the primary dies: what the standby knows in full goes on' survives

ktap_must 'a protected pair with an async service again' pair_of async
traffic_start one "$bed_vip4" --rate 2M
ktap_case 'traffic flows' traffic_moves one
ktap_case 'the primary dies: what it had not told the standby of is reset and counted' is_reset
ktap_case 'and a new connection is served' new_one

ktap_must 'a protected pair with a service without protection' pair_of none
ktap_case 'none is listed' is_listed none
traffic_start one "$bed_vip4" --rate 2M
ktap_case 'traffic flows' traffic_moves one
ktap_case 'the standby never hears of it' stays_here
ktap_case 'it dies with its host' dies_with_host
ktap_case 'and a new connection is served' new_one
bed_down
ktap_end
