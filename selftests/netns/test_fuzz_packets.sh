#!/bin/bash
# Random segments against a port that others use: they do not notice, every segment is accounted for, nothing is left.
# The seed is printed; to repeat it: selftests/vm/run -m 2048 env SEED=1 /ftcp/selftests/netns/run fuzz_packets
set -eu
cd "$(dirname "$0")"
# shellcheck source=selftests/lib/ktap.sh
. ../lib/ktap.sh
# shellcheck source=selftests/netns/lib.sh
. ./lib.sh
# shellcheck source=selftests/netns/lib_pair.sh
. ./lib_pair.sh

seconds=${FUZZ_SECONDS:-12}

# The fuzzer's own addresses are behind the client, where nobody is. What comes in for the service is counted a moment
# before the module sees it.
ways_to_fuzzer() {
	local host
	for host in primary standby; do
		ip -n $host route add 10.8.0.0/16 via 10.9.0.2
		ip -n $host route add fd08::/64 via fd09::2
	done
	primary nft -f - <<-END
		table inet count {
			chain before { type filter hook prerouting priority dstnat
				ip daddr $bed_vip4 tcp dport $bed_port counter
				ip6 daddr $bed_vip6 tcp dport $bed_port counter
			}
		}
	END
}

load_start() {
	traffic_start load4 "$bed_vip4" -n 3 --rate 200K
	traffic_start load6 "$bed_vip6" -n 2 --rate 200K
	traffic_moves load4
	traffic_moves load6
}

load_end() {
	traffic_moves load4
	traffic_moves load6
	traffic_end load4
	traffic_end load6
}

fuzz() {
	in_host client packet_fuzz -t "$seconds" ${SEED:+-S "$SEED"} eth0 "$bed_port" "$bed_vip4" "$bed_vip6" 10.9.0.2 fd09::2
}

came() { ip netns exec primary nft list table inet count | sed -n 's/.*packets \([0-9]*\).*/\1/p' | awk '{ n += $1 } END { print n }'; }

# One look at all counters.
stats() { ip netns exec primary ftcpctl -j stats -a >/tmp/stats; }
stat() { sed -n "s/.*\"$1\": *\([0-9]*\).*/\1/p" /tmp/stats; } # NAME

# The counters do not tell what was accepted; but what did not even come to be looked at is counted, and so is the rest.
accounted_for() {
	local came segs_in before drops
	came=$(settles 1 came)
	stats
	segs_in=$(stat segs_in)
	before=$(($(stat drop_standby) + $(stat drop_not-ours) + $(stat drop_firewall)))
	drops=$(grep -o '"drop_[a-z-]*": *[0-9]*' /tmp/stats | awk -F: '{ n += $NF } END { print n }')
	ip netns exec primary ftcpctl stats
	echo "$came came, $segs_in were looked at, $before were not, $drops were dropped"
	[ "$came" = $((segs_in + before)) ] || fail 'some are missing'
	[ "$drops" -le "$came" ] || fail 'too many were dropped'
	[ "$(stat broken_invariants)" = 0 ] || fail "broken invariants: $(dmesg | grep 'broken invariant')"
}

every_reason() {
	local reason
	stats
	for reason in header option checksum auth-option flags no-conn reset-no-conn paws no-timestamp old-data out-of-window \
		rst-challenge syn-challenge ack-old ack-future no-ack reset; do
		[ "$(stat drop_$reason)" -gt 0 ] || fail "none was dropped for this reason: $reason"
	done
	[ "$(stat syn_stateless)" -gt 0 ] || fail 'the flood was none'
}

# What a takeover would need, of all connections that are beyond their handshake.
states() { # HOST
	ip netns exec "$1" ftcpctl -j conn list | python3 -c '
import json, sys
keys = "local_address local_port remote_address remote_port state consumed rcv_nxt snd_una snd_end".split()
for conn in sorted([str(conn[key]) for key in keys] for conn in json.load(sys.stdin) if conn["state"] != "syn-recv"):
    print(*conn)'
}

states_equal() {
	states primary >/tmp/states.primary
	states standby >/tmp/states.standby
	cmp -s /tmp/states.primary /tmp/states.standby
}

# Some of the fuzzer's connections are still there, and would be for long.
standby_kept_up() {
	wait_for 20 states_equal || { diff /tmp/states.primary /tmp/states.standby; return 1; }
	[ -s /tmp/states.primary ] || fail 'there is nothing to be compared'
	echo "$(wc -l </tmp/states.primary) connections"
	verdict primary protected 0
	verdict standby standby-ready 0
}

# They go with their service; the standby hears of it.
nothing_left() { # HOST...
	local host
	primary ftcpctl service del --port "$bed_port"
	for host in "$@"; do
		wait_for 10 has_conns "$host" 0 || { in_host "$host" ftcpctl conn list; return 1; }
	done
	bed_service_add primary
	echo_once "$bed_vip4" -s 1M
	echo_once "$bed_vip6" -s 1M
}

fuzzed() { # NAME HOST...
	local name=$1
	shift
	ktap_must "$name: others use the port" eval 'ways_to_fuzzer; load_start'
	ktap_include "$name" fuzz
	ktap_case -t 60 "$name: the others got back what they sent" load_end
	[ $# = 1 ] || ktap_case -t 40 "$name: the standby has kept up" standby_kept_up
	ktap_case "$name: every segment is accounted for" accounted_for
	ktap_case "$name: segments were dropped for every reason" every_reason
	ktap_case -t 60 "$name: nothing is left, and the port serves" nothing_left "$@"
}

ktap_begin
ktap_must -t 60 'alone: a host comes up' lone_up
fuzzed alone primary
bed_down

ktap_must -t 60 'pair: two hosts come up' pair_up
fuzzed pair primary standby
ktap_end
