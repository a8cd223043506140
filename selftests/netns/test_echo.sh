#!/bin/bash
# The echo service, as a client sees it: of one host alone, and of a protected pair.
set -eu
cd "$(dirname "$0")"
# shellcheck source=selftests/lib/ktap.sh
. ../lib/ktap.sh
# shellcheck source=selftests/netns/lib.sh
. ./lib.sh
# shellcheck source=selftests/netns/lib_pair.sh
. ./lib_pair.sh

# For clients that vanish: given up soon. On both hosts, if there are two.
add_impatient_service() {
	local host
	for host in "$@"; do
		in_host "$host" ftcpctl service add echo --port 9998 --user-timeout 2000 --keepalive 1000
	done
}

# Whoever acknowledges nothing any more is given up after the service's user timeout, or, if nothing was under way, when the probes
# stay without an answer: here, and on the standby.
client_that_vanishes() {
	local host
	bed_port=9998
	traffic_start vanishing "$bed_vip4" --rate 1M
	traffic_moves vanishing
	client_vanishes 9998
	for host in "$@"; do
		wait_for 20 has_conns "$host" 0 || { in_host "$host" ftcpctl conn list; fail "$host still has it"; }
	done
	traffic_kill vanishing
	client_returns
}

# A reset of the client ends the connection at once.
client_that_resets() {
	local host
	echo_once "$bed_vip4" -n 5 -s 10M --abort-after 100K
	for host in "$@"; do
		wait_for 10 has_conns "$host" 0 || { in_host "$host" ftcpctl conn list; fail "$host still has some"; }
	done
}

without_offload() {
	bed_offload off
	echo_once "$bed_vip4" -s 2M
	bed_offload on
}

# A closed connection leaves nothing behind.
nothing_left() {
	local host
	for host in "$@"; do
		wait_for 10 has_conns "$host" 0 || { in_host "$host" ftcpctl conn list; return 1; }
		[ "$(counter "$host" broken_invariants)" = 0 ] || fail "broken invariants on $host"
	done
}

echoes() { # NAME HOST...
	local name=$1
	shift
	ktap_case "$name: 0 bytes, nc" echo_nc "$bed_vip4" 0
	ktap_case "$name: 1 byte, nc" echo_nc "$bed_vip4" 1
	ktap_case -t 60 "$name: 1 MiB, nc" echo_nc "$bed_vip4" 1048576
	ktap_case "$name: 0 bytes, IPv6, nc" echo_nc "$bed_vip6" 0
	ktap_case -t 60 "$name: 1 MiB, IPv6, nc" echo_nc "$bed_vip6" 1048576
	ktap_case -t 60 "$name: both directions at once, 8 MiB" echo_once "$bed_vip4" -s 8M
	ktap_case -t 60 "$name: both directions at once, 8 MiB, IPv6" echo_once "$bed_vip6" -s 8M
	ktap_case -t 60 "$name: segments no larger than the wire's" without_offload
	ktap_case -t 100 "$name: 50 connections at once" echo_once "$bed_vip4" -n 50 -s 200K
	ktap_case "$name: half close, then the answer" echo_once "$bed_vip4" --half-close -s 500K
	ktap_case "$name: half close, IPv6" echo_once "$bed_vip6" --half-close -s 500K
	ktap_case -t 60 "$name: 300 single bytes, there and back" echo_once "$bed_vip4" --ping-pong 300:1
	ktap_case "$name: a client that resets" client_that_resets "$@"
	ktap_case -t 60 "$name: a client that vanishes" client_that_vanishes "$@"
	ktap_case "$name: nothing is left" nothing_left "$@"
}

ktap_begin
ktap_must -t 60 'alone: a host comes up' eval 'lone_up; add_impatient_service primary'
echoes alone primary
ktap_case -t 200 'alone: 100 MiB, nc' echo_nc "$bed_vip4" 104857600
rm -f /tmp/sent.104857600
bed_down

ktap_must -t 60 'pair: two hosts come up' eval 'pair_up; add_impatient_service primary standby'
echoes pair primary standby
ktap_case -t 150 'pair: 16 MiB, nc' echo_nc "$bed_vip4" 16777216
ktap_case 'pair: is protected still' verdict primary protected 0
ktap_end
