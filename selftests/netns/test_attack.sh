#!/bin/bash
# Attacks on a service while others use it: they go on, new ones get in, memory is bounded, and everything is given back.
# Seeds are in the logs of a failed test.
set -eu
cd "$(dirname "$0")"
# shellcheck source=selftests/lib/ktap.sh
. ../lib/ktap.sh
# shellcheck source=selftests/netns/lib.sh
. ./lib.sh
# shellcheck source=selftests/netns/lib_pair.sh
. ./lib_pair.sh

: "${bed_vip4:?}" "${bed_vip6:?}" "${bed_port:?}" "${bed_log:?}" # the bed's, and $spawned
seconds=${ATTACK_SECONDS:-3}
victim=9990		# the service that is attacked, where not those of others are
max_mib=16


up() {
	lone_up
	memory_max $max_mib
	# What the module holds for itself.
	counter primary memory_bytes >/tmp/memory_before
	primary ftcpctl service add echo --port $victim
	# The attackers' addresses are behind the client, where nobody is.
	ip -n primary route add 10.8.0.0/16 via 10.9.0.2
	ip -n primary route add fd08::/64 via fd09::2
	traffic_start load "$bed_vip4" -n 2 --rate 100K
	traffic_start load6 "$bed_vip6" -n 1 --rate 100K
	traffic_moves load
	traffic_moves load6
}

# All counters, as they were: stats NAME; stat NAME COUNTER; grown NAME COUNTER
stats() { ip netns exec primary ftcpctl -j stats -a >"/tmp/stats.$1"; }
stat() { sed -n "s/.*\"$2\": *\([0-9]*\).*/\1/p" "/tmp/stats.$1"; }
grown() { echo $(($(counter primary "$2") - $(stat "$1" "$2"))); }

attack_start() { # PORT VERB [OPTION...]
	local port=$1 verb=$2
	stats before
	spawn client "$bed_log/attack.$verb.log" attack "$verb" "${@:3}" eth0 "$port" "$bed_vip4" "$bed_vip6" 10.9.0.2 fd09::2
	attacker=${spawned:?}
}

# Until it is over: the most memory that was ever held, in $peak.
attack_end() { # VERB
	local now status=0
	peak=0
	while ! ktap_gone "$attacker"; do
		now=$(counter primary memory_bytes)
		[ "$now" -le "$peak" ] || peak=$now
		sleep 0.05	# the debug machine's clock stands still while anybody computes
	done
	wait "$attacker" || status=$?
	cat "$bed_log/attack.$1.log"
	echo "at most $((peak / 1024)) KiB held; $(counter primary conns) connections, $(counter primary half_open) half open"
	[ $status = 0 ]
	# A page holds fewer bytes than it has.
	[ "$peak" -le $((max_mib * 9 << 17)) ] || fail 'more than max_memory'
}

others_go_on() {
	traffic_moves load 30000
	traffic_moves load6 30000
}

newcomers_too() { # PORT
	echo_once "$bed_vip4" -s 30K
	client echo_client "$bed_vip4" "$1" --timeout 60 -s 30K
}

# What is left of the attackers goes with the service.
attackers_gone() {
	primary ftcpctl service del --port $victim
	primary ftcpctl service add echo --port $victim
	wait_for 10 few_conns || fail "$(counter primary conns) connections are left"
	wait_for 10 little_memory || fail "$(counter primary memory_bytes) bytes are held"
}
few_conns() { [ "$(counter primary conns)" -le 20 ]; }
little_memory() { [ "$(counter primary memory_bytes)" -lt $((2 << 20)) ]; }

survives() { # PORT VERB [OPTION...]
	attack_start "$1" "$2" -t "$seconds" "${@:3}"
	others_go_on
	newcomers_too "$1"
	attack_end "$2"
	others_go_on
	[ "$(counter primary broken_invariants)" = 0 ]
}

has_grown() { # COUNTER...
	local name
	for name in "$@"; do
		[ "$(grown before "$name")" -gt 0 ] || fail "none was counted as $name"
	done
}

# A reset for each of so many segments would be an attack on somebody else.
storm() {
	survives $victim storm -r 20000
	has_grown drop_no-conn drop_reset-no-conn resets_out
	echo "$(grown before resets_out) resets, $(grown before resets_limited) not sent"
	[ "$(grown before resets_out)" -le $((1000 * (seconds + 20))) ]
}

syn() {
	survives $victim syn
	has_grown syn_stateless
	[ "$(counter primary half_open)" -le 1100 ]
	attackers_gone
}

blind() {
	survives "$bed_port" blind
	has_grown drop_rst-challenge drop_syn-challenge drop_ack-future
	# That none was reset the others will tell, at the end. (A SYN for one that is over opens another, which its client resets.)
}

holes() {
	survives $victim holes -n 100
	has_grown drop_ooo-limit
	attackers_gone
}

# By the bytes that they hold these are small; that is how much they may take.
crumbs() {
	survives $victim crumbs -n 6 -r 20000
	[ "$peak" -le $((4 << 20)) ] || fail "$((peak / 1024)) KiB for windows of 64 KiB"
	attackers_gone
}

overlap() {
	survives $victim overlap -n 50
	has_grown drop_old-data
	attackers_gone
}

options() {
	survives $victim options -n 50
	has_grown drop_option
	attackers_gone
}

fragments() {
	survives $victim fragments
	attackers_gone
}

# Memory becomes short, and nobody gets more than a share: but that everybody gets.
hoard() {
	survives $victim hoard -n 300
	has_grown drop_memory-limit
	attackers_gone
}

slow() {
	survives $victim slow -n 500
	has_grown drop_memory-limit
	attackers_gone
}

# So many that there is no room for new connections: those that are there go on; when there is room again, new ones come in.
crowded() {
	max_mib=4
	memory_max $max_mib
	attack_start $victim hoard -n 1500 -t "$seconds"
	others_go_on
	attack_end hoard
	others_go_on
	has_grown drop_memory-limit
	[ "$(counter primary conns)" -lt 1000 ] || fail 'there was room for all of them'
	attackers_gone
	newcomers_too $victim
}

# Islands are given up also where nobody sends any more: the peer has them still.
pruned() {
	memory_max $max_mib
	attack_start $victim holes -n 60 -t 2 -r 20000
	attack_end holes
	memory_max 1
	wait_for 20 has_pruned || fail "$(counter primary memory_bytes) bytes are held"
	memory_max $max_mib
	attackers_gone
}
has_pruned() { others_go_on >/dev/null && [ "$(grown before ooo_pruned)" -ge 10 ]; }

# A service that wants few: whoever comes too early comes in as soon as another leaves.
few() {
	max_mib=16
	memory_max $max_mib
	primary ftcpctl service add echo --port 9991 --max-conns 5
	attack_start 9991 hoard -n 20 -t 2
	attack_end hoard
	has_grown drop_conn-limit
	ip netns exec primary ftcpctl conn list | grep -c ':9991 ' >/tmp/few
	[ "$(cat /tmp/few)" = 5 ] || fail "$(cat /tmp/few) connections"
	newcomers_too "$bed_port"
	primary ftcpctl service del --port 9991
}

slab_kib() { awk '/^SUnreclaim/ { print $2 }' /proc/meminfo; }
# What a kernel that looks for uses after free keeps for a while is not lost: the debug kernel's tests allow for that.
slab_is_back() { [ "$(slab_kib)" -lt $((slab_before + ${SLAB_SLACK_KIB:-16384})) ]; }

all_given_back() {
	traffic_end load
	traffic_end load6
	for port in $victim $bed_port; do primary ftcpctl service del --port $port; done
	wait_for 10 nothing_held || { ip netns exec primary ftcpctl stats; return 1; }
	wait_for 20 slab_is_back || fail "slab: $slab_before KiB before, $(slab_kib) after"
}
nothing_held() { [ "$(counter primary conns)" = 0 ] && [ "$(counter primary memory_bytes)" = "$(cat /tmp/memory_before)" ]; }

ktap_begin
modprobe ftcp
slab_before=$(slab_kib)
ktap_must -t 60 'a host comes up, others use it' up
ktap_case -t 90 'segments of no connection' storm
ktap_case -t 90 'resets, SYNs and data into the windows of others' blind
ktap_case -t 90 'islands' holes
ktap_case -t 90 'bytes one by one, in any order' crumbs
ktap_case -t 90 'overlapping segments, shrinking windows' overlap
ktap_case -t 90 'options' options
ktap_case -t 90 'fragments' fragments
ktap_case -t 90 'a flood of SYNs' syn
ktap_case -t 90 'hoarders behind a window of zero' hoard
ktap_case -t 90 'five hundred slow readers' slow
ktap_case -t 90 'too many hoarders for new connections' crowded
ktap_case -t 90 'islands are given up' pruned
ktap_case -t 60 'a service of five connections' few
ktap_case -t 60 'all is given back' all_given_back
ktap_end
