#!/bin/bash
# Programs on sockets of ftcp: alone, killed and started again, and across a takeover.
# limit: 600 s
set -eu
cd "$(dirname "$0")"
# shellcheck source=selftests/lib/ktap.sh
. ../lib/ktap.sh
# shellcheck source=selftests/netns/lib.sh
. ./lib.sh
# shellcheck source=selftests/netns/lib_pair.sh
. ./lib_pair.sh

server_log() { echo "$bed_log/$1.server.log"; } # HOST
server_says() { grep -q -- "$2" "$(server_log "$1")"; } # HOST PATTERN

server_start() { # HOST [OPTION...]
	spawn "$1" "$(server_log "$1")" ./socket_server.py "${@:2}" "$bed_port"
	echo "${spawned:?}" >"/run/$1.server.pid"
	wait_for 20 server_says "$1" listening
}

server_kill() { # HOST
	local pid
	pid=$(cat "/run/$1.server.pid")
	kill -KILL "$pid"
	wait_for 10 ktap_gone "$pid"
}

services() { ip netns exec "$1" ftcpctl -j service list; } # HOST
no_service() { [[ $(services "$1") != *'"port"'* ]]; } # HOST

alone_up() {
	lone_up --keepalive 7200000
	primary ftcpctl service del --port "$bed_port"
	server_start primary
	[[ $(services primary) == *'"by_listen":true'* ]] || fail "no service of a program: $(services primary)"
}

# Whose connections they are is to be seen.
has_program() { ip netns exec primary ftcpctl -j conn list | grep -q '"program":"\(python3\|socket_server\)'; }

echoes() {
	traffic_start load "$bed_vip4" -n 3 --rate 3M
	traffic_start load6 "$bed_vip6" -n 2 --rate 1M
	traffic_moves load 3000000
	traffic_moves load6 1000000
	has_program || fail "$(primary ftcpctl conn list)"
	traffic_end load
	traffic_end load6
}

refused() { # ADDRESS
	local said
	! said=$(client nc -z -w 5 -v "$1" "$bed_port" 2>&1) || return 1
	[[ $said == *refused* ]] || { echo "$said"; return 1; }
}

# The listening socket goes, a connection does not; the port is the host's again, at once.
port_given_back() {
	wait_for 10 has_no_open
	server_kill primary
	wait_for 10 refused "$bed_vip4"
	wait_for 90 no_service primary || fail "$(primary ftcpctl service list; primary ftcpctl conn list)"
}
has_no_open() { [[ $(ip netns exec primary ftcpctl -j conn list) != *ESTABLISHED* ]]; }

module_stays() {
	server_start primary
	! rmmod ftcp 2>/dev/null || fail 'the module went, and a socket was there'
	server_kill primary
}

not_for_all() {
	local said
	! said=$(primary ./socket_server.py --uid 65534 2345 2>&1) || fail 'nobody may listen'
	[[ $said == *'Permission denied'* ]] || fail "$said"
	primary ftcpctl service add socket --port 2345
	spawn primary "$bed_log/nobody.log" ./socket_server.py --uid 65534 2345
	wait_for 20 grep -q listening "$bed_log/nobody.log"
	kill -KILL "$spawned"
	wait_for 10 ktap_gone "$spawned"
	primary ftcpctl service del --port 2345
}

# What would keep clients out, and does not.
not_with_limits() {
	local said option
	for option in '--device eth0' --filter; do
		# shellcheck disable=SC2086
		! said=$(primary ./socket_server.py $option 2345 2>&1) || fail "$option: it listens"
		[[ $said == *listen*'Operation not supported'* ]] || fail "$option: $said"
	done
	no_service primary || fail "$(primary ftcpctl service list)"
}

# Killed at any moment, and started again: the client sees nothing.
survives_kills() {
	server_start primary --recover --explicit --persist 20000
	traffic_start load "$bed_vip4" -n 3 --rate 1M
	for _ in 1 2 3 4 5; do
		traffic_moves load 300000
		server_kill primary
		server_start primary --recover --explicit --persist 20000
		wait_for 20 server_says primary accepted
	done
	traffic_moves load 1000000
	traffic_end load || fail "$(primary ftcpctl conn show; cat "$(server_log primary)")"
	server_kill primary
	[ "$(counter primary conns_recovered)" -ge 15 ] || fail "$(counter primary conns_recovered) were recovered"
	[ "$(counter primary broken_invariants)" = 0 ]
}

not_for_ever() {
	local before
	before=$(counter primary conns_unclaimed)
	server_start primary --persist 500
	traffic_start load "$bed_vip4" -n 2 --rate 1M
	traffic_moves load 10000
	server_kill primary
	wait_for 20 unclaimed primary $((before + 2))
	traffic_kill load
}

# A connection that a program has left is not for another user's.
only_for_its_user() {
	wait_for 20 no_service primary
	primary ftcpctl service add socket --port "$bed_port"
	server_start primary --uid 65534 --recover --explicit --persist 30000
	traffic_start load "$bed_vip4" -n 2 --rate 300K
	traffic_moves load 100000
	server_kill primary
	server_start primary --uid 65533 --recover --explicit
	echo_once "$bed_vip4" -s 30K
	server_kill primary
	[ "$(grep -c accepted "$(server_log primary)")" = 1 ] || fail "$(cat "$(server_log primary)")"
	server_start primary --uid 65534 --recover --explicit --persist 30000
	traffic_moves load 300000
	server_kill primary
	server_start primary --recover --explicit
	traffic_moves load 300000
	traffic_end load
	server_kill primary
	primary ftcpctl service del --port "$bed_port"
}

unclaimed() { [ "$(counter "$1" conns_unclaimed)" = "$2" ]; } # HOST NUMBER

# ---------------------------------------------------------------------------------------------------------------------

both_up() {
	local host
	pair_up dead_after_ms=2500
	for host in standby primary; do
		in_host $host ftcpctl service del --port "$bed_port"
		in_host $host ftcpctl service add socket --port "$bed_port" --recover 5000
	done
	server_start primary --recover --explicit
}

# Connections wait for the program that comes after the takeover.
taken_over() { # HOST SURVIVOR
	host_crash "$1"
	in_host "$2" ftcpctl wait --for active --timeout 30
	server_start "$2" --recover --explicit
	wait_for 20 server_says "$2" accepted
	traffic_moves load 500000
	traffic_moves load6 200000
}

across_takeover() {
	traffic_start load "$bed_vip4" -n 3 --rate 700K
	traffic_start load6 "$bed_vip6" -n 2 --rate 300K
	traffic_moves load 300000
	traffic_moves load6 200000
	taken_over primary standby
	traffic_end load
	traffic_end load6
	[ "$(counter standby broken_invariants)" = 0 ]
}

# Nobody listens there: they are reset, in time.
nobody_there() {
	traffic_start load "$bed_vip4" -n 4 --rate 100K
	traffic_moves load 30000
	server_kill standby
	wait_for 10 has_no_open_on standby || fail "$(standby ftcpctl conn list)"
	traffic_kill load
	refused "$bed_vip4"
}
has_no_open_on() { [[ $(ip netns exec "$1" ftcpctl -j conn list) != *ESTABLISHED* ]]; } # HOST

# A program that only one host knows of: the other holds its connections all the same, and takes nothing else of that port.
only_here() {
	local host
	bed_down >/dev/null 2>&1
	pair_up dead_after_ms=2500
	for host in standby primary; do
		in_host $host ftcpctl service add echo --port 7
		in_host $host ftcpctl service del --port "$bed_port"
	done
	protected primary
	server_start primary --recover --explicit
	traffic_start load "$bed_vip4" -n 3 --rate 700K
	traffic_start load6 "$bed_vip6" -n 2 --rate 300K
	traffic_moves load 300000
	traffic_moves load6 200000
	[ "$(counter standby batches_refused)" = 0 ] || fail 'the standby refused something'
	[[ $(services standby) == *'"by_listen":true'* ]] || fail "$(services standby)"
	port_is_its_own
	not_by_anybody
	taken_over primary standby
	traffic_end load
	traffic_end load6
	[ "$(counter standby broken_invariants)" = 0 ]
}

# The standby's own port is its own.
port_is_its_own() {
	local address
	address=10.9.0.$(bed_number standby)
	spawn standby "$bed_log/own.log" socat -u "TCP-LISTEN:$bed_port,reuseaddr" OPEN:/tmp/own,creat,trunc
	wait_for 10 reaches_own "$address"
	wait_for 10 grep -q hello /tmp/own
}

reaches_own() { echo hello | ip netns exec client socat -u - "TCP:$1:$bed_port"; } # ADDRESS

# What another host's program has left is not for everybody to take.
not_by_anybody() {
	local said
	! said=$(standby ./socket_server.py --uid 65534 --recover "$bed_port" 2>&1) || fail 'anybody may listen'
	[[ $said == *'Permission denied'* ]] || fail "$said"
}

# The last connection gone, the standby forgets it.
forgotten() { [[ $(services "$1") != *"$bed_port"* ]]; } # HOST
short_ones() {
	local n
	host_reboot primary
	primary ftcpctl service del --port "$bed_port"
	primary ftcpctl service add echo --port 7
	pair_syncd primary
	protected standby 60
	for n in 1 2 3 4 5; do
		traffic_start "short$n" "$bed_vip4" -n 1 --rate 100K
		traffic_moves "short$n" 1000
		traffic_end "short$n"
	done
	[ "$(counter primary batches_refused)" = 0 ] || fail 'something was refused'
	wait_for 120 forgotten primary || fail "$(services primary; primary ftcpctl conn list)"
	[ "$(counter primary broken_invariants)" = 0 ]
}

# ---------------------------------------------------------------------------------------------------------------------

ktap_begin
ktap_must -t 60 'alone: a program listens' alone_up
ktap_case -t 90 'alone: it echoes, IPv4 and IPv6' echoes
ktap_case -t 120 'alone: its port is given back' port_given_back
ktap_case 'the module stays while there is a socket' module_stays
ktap_case -t 60 'who may listen' not_for_all
ktap_case 'who may not listen: whose filters would not be asked' not_with_limits
ktap_case -t 200 'killed and started again, five times' survives_kills
ktap_case -t 60 'a connection does not wait for ever' not_for_ever
ktap_case -t 120 'a connection does not go to another user' only_for_its_user
bed_down >/dev/null 2>&1
ktap_must -t 60 'pair: a program serves' both_up
ktap_case -t 120 'pair: it goes on at the other host' across_takeover
ktap_case -t 60 'pair: without a program connections end' nobody_there
ktap_case -t 180 'pair: a program that only one host knows of' only_here
ktap_case -t 240 'pair: the last connection gone, the other host forgets the program' short_ones
ktap_end
