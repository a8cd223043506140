#!/bin/bash
# What is done on a standby, and what becomes of it, is known: by its verdict, and by the primary, which ships again what was deleted there.
# limit: 600 s
set -eu
cd "$(dirname "$0")"
# shellcheck source=selftests/lib/ktap.sh
. ../lib/ktap.sh
# shellcheck source=selftests/netns/lib.sh
. ./lib.sh
# shellcheck source=selftests/netns/lib_pair.sh
. ./lib_pair.sh

# They say nothing: what the standby loses of them it is not told of again by itself.
idle_conns() {
	local i
	for i in 1 2 3 4 5; do
		spawn client "$bed_log/idle.$i" nc -d "$bed_vip4" "$bed_port"
	done
	wait_for 20 has_conns primary 5
	wait_for 20 has_conns standby 5
	speaks_for_both primary
}

is_ready() { verdict standby standby-ready 0; }
is_cut_off() { verdict standby standby-cut-off 1; }

# Batches without content come each second: it never looks as if none came.
stays_ready() {
	local end=$((SECONDS + 12))
	while [ $SECONDS -lt $end ]; do
		is_ready
		sleep 0.2
	done
}

deleted_and_added() {
	local resyncs
	resyncs=$(counter primary resyncs)
	standby ftcpctl service del --port "$bed_port"
	has_conns standby 0
	standby ftcpctl wait --for ready --timeout 0.2 && fail 'it calls itself ready'
	standby ftcpctl service add echo --port "$bed_port"
	speaks_for_both primary
	wait_for 20 has_conns standby 5
	[ "$(counter primary resyncs)" -gt "$resyncs" ] || fail 'without a resync'
	is_ready
}

# Of a service that has no connections nothing is lost.
unused_deleted() {
	local resyncs
	resyncs=$(counter primary resyncs)
	standby ftcpctl service add echo --port 7777
	standby ftcpctl service del --port 7777
	is_ready
	sleep 2
	[ "$(counter primary resyncs)" = "$resyncs" ]
	has_conns standby 5
}

kill_refused() {
	local status=0 local_end remote_end
	read -r local_end remote_end <<-END
		$(ip netns exec standby ftcpctl conn list | grep -o '10\.9\.0\.[0-9]*:[0-9]*' | head -n 2 | tr '\n' ' ')
	END
	standby ftcpctl conn kill "$local_end" "$remote_end" 2>/tmp/said || status=$?
	cat /tmp/said
	[ "$status" = 3 ]
	grep -q 'do that on the primary' /tmp/said
	has_conns standby 5
	is_ready
}

not_from_there() {
	local status=0 output
	output=$(ip netns exec primary ftcpctl -j conn show 10.9.0.2:1) || status=$?
	[ "$status" = 3 ] && [ "$output" = '[]' ]
}

link_silent() {
	sync_silent primary
	wait_for 20 is_cut_off
	sync_heard primary
	standby ftcpctl wait --for ready --timeout 30
	speaks_for_both primary
}

daemon_stopped() { # HOST
	syncd_end "$1" TERM
	wait_for 20 is_cut_off
	pair_syncd "$1"
	speaks_for_both primary
	is_ready
}

# It may have gone on without this host.
detached() {
	syncd_end standby TERM
	primary ftcpctl detach
	wait_for 20 is_cut_off
	pair_syncd standby
	speaks_for_both primary
}

takes_them_over() {
	standby ftcpctl promote
	wait_for 20 role_is primary standby
	has_conns standby 5
	role_is standby detached || role_is standby primary
}

all_of_it() { # HOW
	ktap_must -t 60 "$1: a pair comes up" pair_up batches="$1" dead_after_ms=60000 restart_grace_ms=100000
	ktap_must -t 60 "$1: connections that say nothing" idle_conns
	ktap_case -t 60 "$1: the standby stays ready" stays_ready
	ktap_case -t 60 "$1: a service is deleted and added on the standby: its connections come again" deleted_and_added
	ktap_case -t 60 "$1: one without connections: nothing comes of it" unused_deleted
	ktap_case "$1: no connection is killed on the standby" kill_refused
	ktap_case "$1: a client that has no connection is not shown" not_from_there
	ktap_case -t 100 "$1: nothing is heard of the primary: the standby says that it is cut off" link_silent
	ktap_case -t 100 "$1: nor without its own daemon" daemon_stopped standby
	ktap_case -t 100 "$1: nor without the primary's" daemon_stopped primary
	ktap_case -t 60 "$1: nor when the primary has gone on alone" detached
	ktap_case -t 60 "$1: and it takes them all over" takes_them_over
	bed_down
}

ktap_begin
all_of_it kernel
all_of_it daemon
ktap_end
