#!/bin/bash
# Random netlink requests while connections live: those of another group do not notice, the kernel does not complain.
# The seed is printed; to repeat it: selftests/vm/run -m 2048 env SEED=1 /ftcp/selftests/netns/run fuzz_netlink
set -eu
cd "$(dirname "$0")"
# shellcheck source=selftests/lib/ktap.sh
. ../lib/ktap.sh
# shellcheck source=selftests/netns/lib.sh
. ./lib.sh
# shellcheck source=selftests/netns/lib_pair.sh
. ./lib_pair.sh

seconds=${FUZZ_SECONDS:-30}

load_start() {
	traffic_start load "$bed_vip4" -n 3 --rate 300K
	traffic_moves load
}

# Connections of the groups that are fuzzed: opened again and again, and reset whenever it comes to that.
victims_start() {
	local port
	for port in 4711 4712 4713; do
		victim "$bed_vip4" $port &
		victim "$bed_vip6" $port &
	done
}

victim() { # ADDRESS PORT
	while [ -e /tmp/victims ]; do
		ip netns exec client echo_client "$1" "$2" -n 3 -s 1M --rate 200K --timeout 3 >/dev/null 2>&1 || sleep 0.1
	done
}

undisturbed() {
	traffic_moves load
	verdict primary protected 0
	verdict standby standby-ready 0
}

# What was opened to the groups is gone with them. (Memory that is not is found when the module is unloaded.)
nothing_left() {
	wait_for 20 has_conns primary 3 || { primary ftcpctl conn list; fail 'these are too many'; }
	[ "$(counter primary broken_invariants)" = 0 ] || fail 'broken invariants'
}

# A service made anew serves.
works_still() {
	primary ftcpctl group add afterwards
	primary ftcpctl -g afterwards service add echo --port 4711
	primary ftcpctl -g afterwards promote --force
	client echo_client "$bed_vip4" 4711 -s 1M --timeout 30
	client echo_client "$bed_vip6" 4711 -s 1M --timeout 30
	primary ftcpctl -g afterwards service del --port 4711
	primary ftcpctl group del afterwards
}

load_end() { traffic_end load; }

ktap_begin
ktap_must -t 60 'a pair comes up' pair_up
ktap_must -t 60 'under load' load_start
touch /tmp/victims
victims_start >/dev/null 2>&1
ktap_include 'fuzzer' in_host primary nl_fuzz -t "$seconds" ${SEED:+-S "$SEED"}
rm /tmp/victims
wait
ktap_case 'connections of another group did not notice' undisturbed
ktap_case -t 60 'nothing is left of the connections' nothing_left
ktap_case -t 90 'a new service serves' works_still
ktap_case -t 60 'every connection got back what it sent' load_end
ktap_end
