#!/bin/bash
# The standby is lost: connections wait (stall), or go on without protection (detach). And when it returns.
set -eu
cd "$(dirname "$0")"
# shellcheck source=selftests/lib/ktap.sh
. ../lib/ktap.sh
# shellcheck source=selftests/netns/lib.sh
. ./lib.sh
# shellcheck source=selftests/netns/lib_pair.sh
. ./lib_pair.sh

lost_and_stalled() {
	traffic_start stalled "$bed_vip4" --rate 1M
	traffic_moves stalled
	syncd_end standby KILL
	traffic_stands stalled
	role_is primary primary
	verdict primary stalled 1
	syncd_says primary 'link lost'
}

# No connection is refused meanwhile, and none is killed; they wait.
newcomer_waits() {
	traffic_start waiting "$bed_vip6" --rate 1M
	traffic_stands waiting
	[ "$(traffic_bytes waiting)" = 0 ]
}

back_from_stall() {
	pair_syncd standby
	protected primary
	traffic_moves stalled
	traffic_moves waiting
	verdict primary protected 0
	traffic_end stalled
	traffic_end waiting
}

# ftcpctl's way out of it.
detached_by_hand() {
	traffic_start freed "$bed_vip4" --rate 1M
	traffic_moves freed
	syncd_end standby KILL
	traffic_stands freed
	primary ftcpctl detach
	traffic_moves freed
	role_is primary detached
	verdict primary unprotected 1
	pair_syncd standby
	protected primary
	traffic_moves freed
	traffic_end freed
}

# ---------------------------------------------------------------------------------------------------------------------

lost_and_detached() {
	traffic_start going "$bed_vip4" -n 3 --rate 500K
	traffic_moves going
	syncd_end standby KILL
	primary ftcpctl wait --for detached --timeout 20
	verdict primary unprotected 1
	syncd_says primary UNPROTECTED
	traffic_moves going 1000000
}

# What the standby then holds is everything: it can go on with it.
resynced() {
	pair_syncd standby
	protected primary
	verdict primary protected 0
	verdict standby standby-ready 0
	has_conns standby 3
	traffic_moves going
}

resync_is_true() {
	standby ftcpctl promote
	traffic_moves going 1000000
	role_is primary standby
	traffic_end going
}

# A standby that had gone on without us, in a new boot, gets everything anew, with connections waiting.
standby_boots_anew() {
	traffic_start patient "$bed_vip4" -n 3 --rate 500K
	traffic_moves patient
	host_crash standby
	primary ftcpctl wait --for detached --timeout 30
	host_reboot standby
	has_conns standby 0
	traffic_moves patient
	pair_syncd standby
	protected primary
	has_conns standby 3
	traffic_moves patient
	traffic_end patient
}

# It takes the first batches of a resync and refuses the last, since a service is missing there: it is none, however often it is tried.
takes_a_part() {
	syncd_end standby TERM
	primary ftcpctl wait --for detached --timeout 20
	primary ftcpctl service add echo --port 7777
	traffic_start many "$bed_vip4" -n 500 --rate 500
	wait_for 60 has_conns primary 500
	bed_port=7777 traffic_start missing "$bed_vip4" --rate 10K
	traffic_moves missing 1000
	pair_syncd standby
	wait_for 30 syncd_says primary 'no service on port 7777'
	primary ftcpctl wait --for detached --timeout 20
	traffic_moves missing 5000
	traffic_moves many
	refused_again
}

times_refused() { grep -c 'refuses batch' "$bed_log/primary.syncd.log"; }
was_refused() { [ "$(times_refused)" -gt "$1" ]; } # TIMES

# The attempts become few, and connections do not wait for long.
refused_again() {
	wait_for 60 was_refused "$(times_refused)"
	primary ftcpctl wait --for detached --timeout 5
	traffic_moves missing 5000
	standby ftcpctl service add echo --port 7777
	protected primary 60
	has_conns standby 501
	traffic_moves missing 5000
	traffic_end missing
	traffic_end many
}

ktap_begin
ktap_must -t 60 'stall: a pair comes up' pair_up policy=stall
ktap_case -t 60 'stall: the standby is lost, connections wait' lost_and_stalled
ktap_case -t 60 'stall: so do those that come' newcomer_waits
ktap_case -t 100 'stall: it returns, they go on' back_from_stall
ktap_case -t 100 "stall: 'ftcpctl detach' lets them go on" detached_by_hand
bed_down
ktap_must -t 60 'detach: a pair comes up' pair_up policy=detach detach_after_ms=1000
ktap_case -t 60 'detach: the standby is lost, connections go on, and it is said' lost_and_detached
ktap_case -t 60 'detach: it returns, and is brought up to date' resynced
ktap_case -t 60 'detach: so truly that it can take over' resync_is_true
bed_down
ktap_must -t 60 'detach: another pair comes up' pair_up policy=detach detach_after_ms=1000
ktap_case -t 100 'detach: it returns with empty hands, and is brought up to date' standby_boots_anew
bed_down
ktap_must -t 60 'detach: and another' pair_up policy=detach detach_after_ms=2000
ktap_case -t 200 'detach: it takes a part and refuses the rest again and again, connections go on' takes_a_part
ktap_end
