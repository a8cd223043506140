#!/bin/bash
# The netlink family and ftcpctl: garbage, refusals that say why, exit statuses, JSON.
set -eu
cd "$(dirname "$0")"
# shellcheck source=selftests/lib/ktap.sh
. ../lib/ktap.sh
# shellcheck source=selftests/netns/lib.sh
. ./lib.sh
# shellcheck source=selftests/netns/lib_pair.sh
. ./lib_pair.sh

load_start() {
	traffic_start load "$bed_vip4" -n 3 --rate 500K
	traffic_moves load
}

undisturbed() {
	traffic_moves load
	verdict primary protected 0
	verdict standby standby-ready 0
}

exits() { # STATUS PATTERN COMMAND...: in the primary
	local status=0 output
	output=$(ip netns exec primary "${@:3}" 2>&1) || status=$?
	echo "${*:3}: status $status: $output"
	[ "$status" = "$1" ] || fail "the status should be $1"
	[[ $output =~ $2 ]] || fail "it does not say $2"
}

usage() {
	exits 2 '.' ftcpctl nonsense
	exits 2 '.' ftcpctl --nonsense
	exits 2 '.' ftcpctl status nonsense
	exits 2 'port' ftcpctl service add echo
	exits 2 '.' ftcpctl service add echo --port 0
	exits 2 '.' ftcpctl service add echo --port 65536
	exits 2 '.' ftcpctl service add echo --port 80x
	exits 2 '.' ftcpctl service add echo --port 80 --addr 10.9.0.300
	exits 2 '.' ftcpctl wait
	exits 2 '.' ftcpctl wait --for nonsense
	exits 2 '.' ftcpctl conn kill 10.9.0.100 10.9.0.2:1
	exits 2 '.' ftcpctl conn kill 10.9.0.100:9999
	exits 0 'wait' ftcpctl --help
	exits 0 '.' ftcpctl --version
}

refusals() {
	exits 3 'epoch' ftcpctl promote
	exits 3 'group nosuch' ftcpctl -g nosuch promote --force
	exits 3 'services' ftcpctl group del default
	exits 3 '.' ftcpctl group add default
	exits 3 '.' ftcpctl group del nosuch
	exits 3 '.' ftcpctl service add echo --port "$bed_port"
	exits 3 'backend' ftcpctl service add nonsense --port 80
	exits 3 '.' ftcpctl service del --port 80
	exits 3 'connection' ftcpctl conn kill "$bed_vip4:$bed_port" 10.9.0.2:1
	exits 5 '.' ftcpctl wait --for standby --timeout 0.3
}

# Those who may not are told so, and why.
unprivileged() {
	local as_nobody='import os, sys; os.setgid(65534); os.setuid(65534); os.execvp(sys.argv[1], sys.argv[1:])'
	exits 3 'CAP_NET_ADMIN|root' python3 -c "$as_nobody" ftcpctl demote --force
	exits 3 'CAP_NET_ADMIN|root' python3 -c "$as_nobody" ftcpctl service add echo --port 80
	exits 3 'CAP_NET_ADMIN|root' python3 -c "$as_nobody" ftcpctl conn list
}

# A standby that holds nothing, or not everything: the kernel refuses, and says what to do; --force is obeyed.
promote_refused() {
	ip netns exec primary ftcpctl group add fresh
	exits 3 'not in sync.*force' ftcpctl -g fresh promote
	exits 0 '' ftcpctl -g fresh promote --force
	exits 0 '' ftcpctl -g fresh wait --for detached --timeout 1
	exits 3 '.' ftcpctl -g fresh promote --force
	exits 3 'force' ftcpctl -g fresh demote
	exits 0 '' ftcpctl -g fresh demote --force
	exits 0 '' ftcpctl group del fresh
	exits 1 'NO GROUP' ftcpctl -g fresh status
}

is_json() { python3 -c 'import json, sys; json.load(sys.stdin)'; }

json() { # COMMAND...: it is JSON, and ends well
	echo "$*"
	ip netns exec primary "$@" >/tmp/json
	cat /tmp/json
	is_json </tmp/json
}

json_parses() {
	json ftcpctl -j
	json ftcpctl -j status
	json ftcpctl -j group list
	json ftcpctl -j service list
	json ftcpctl -j conn list
	json ftcpctl conn list -j --state time-wait
	json ftcpctl -j stats
	json ftcpctl -j stats -a
	json ftcpctl -j wait --for protected --timeout 5
}

# The tables that people read: a title, and what there is.
tables() {
	exits 0 'PROTECTED' ftcpctl
	exits 0 'default' ftcpctl group list
	exits 0 "$bed_port" ftcpctl service list
	exits 0 '10.9.0.2' ftcpctl conn list
	exits 0 'segs_in' ftcpctl stats
}

killed_by_hand() {
	local local_end remote_end
	traffic_start victim "$bed_vip6" --rate 100K
	traffic_moves victim 1000
	read -r local_end remote_end <<-END
		$(ip netns exec primary ftcpctl conn list | grep -o '\[fd09::[^ ]*' | tr '\n' ' ')
	END
	primary ftcpctl conn kill "$local_end" "$remote_end"
	wait_for 10 ktap_gone "$(cat "$bed_log/victim.pid")"
	traffic_tell victim
	grep -q 'resets=1' "$bed_log/victim.out"
	wait_for 10 has_conns primary 3
	wait_for 10 has_conns standby 3
}

# Events come as they happen, each a line; JSON, too.
monitored() {
	local pids=''
	spawn primary /tmp/log/monitor ftcpctl monitor
	pids=$spawned
	spawn primary /tmp/log/monitor.json ftcpctl -j monitor
	pids="$pids $spawned"
	sleep 0.5	# for them to listen: nothing tells when
	echo_once "$bed_vip4" -s 1K
	wait_for 10 grep -q conn-gone /tmp/log/monitor
	wait_for 10 grep -q conn-gone /tmp/log/monitor.json
	# shellcheck disable=SC2086 # two words
	kill $pids
	cat /tmp/log/monitor
	grep -q conn-new /tmp/log/monitor
	grep -q '10.9.0.2' /tmp/log/monitor
	while read -r line; do
		[[ $line == '{'*'}' ]] || fail "$line"
	done </tmp/log/monitor.json
	head -n 1 /tmp/log/monitor.json | is_json
}

load_end() { traffic_end load; }

ktap_begin
ktap_must -t 60 'a pair comes up' pair_up
ktap_must -t 60 'under load' load_start
ktap_include 'garbage for the primary' in_host primary nl_garbage
ktap_include 'garbage for the standby' in_host standby nl_garbage -r 3
ktap_case 'connections did not notice' undisturbed
ktap_case -t 60 'ftcpctl: wrong usage is status 2' usage
ktap_case -t 60 'ftcpctl: refusals are status 3 and say why' refusals
ktap_case 'ftcpctl: without privilege nothing is granted, and it says so' unprivileged
ktap_case -t 60 'promote is refused while the standby is not in sync' promote_refused
ktap_case -t 60 'ftcpctl: JSON is JSON' json_parses
ktap_case 'ftcpctl: tables' tables
ktap_case 'ftcpctl: monitor tells what happens' monitored
ktap_case 'ftcpctl: conn kill resets one connection' killed_by_hand
ktap_case 'connections did not notice any of it' undisturbed
ktap_case -t 60 'every connection got back what it sent' load_end
ktap_end
