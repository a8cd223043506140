#!/bin/bash
# Servers written for ftcp are killed again and again, and started again: every byte of every client arrives once and in order.
# SEED= repeats the moments; ROUNDS= how many kills (default: 200 in all).
# limit: 900 s
set -eu
cd "$(dirname "$0")"
# shellcheck source=selftests/lib/ktap.sh
. ../lib/ktap.sh
# shellcheck source=selftests/netns/lib.sh
. ./lib.sh

server=10.9.0.11
port=7020
seed=${SEED:-$((RANDOM * 32768 + RANDOM))}
work=/tmp/restart

in_peace() { # FUNCTION [ARGUMENT...]
	trap 'bed_kill client; bed_kill primary; rm -rf "$work"' EXIT
	mkdir -p "$work/places" "$work/sent"
	RANDOM=$seed
	"$@"
}

# In a process group of its own, to be killed whole.
serve() { # PROGRAM [ARGUMENT...]
	ip netns exec primary setsid "$@" >>"$bed_log/${1##*/}.log" 2>&1 </dev/null &
	server_pid=$!
}

# It may be so young that it has no group yet.
kill_server() {
	kill -KILL -- "-$server_pid" 2>/dev/null || kill -KILL "$server_pid"
	wait "$server_pid" 2>/dev/null || true
}

progress() { cat "$work/progress" 2>/dev/null || echo 0; }
progress_beyond() { [ "$(progress)" -gt "$1" ]; } # BYTES

stream_begin() { # ARGUMENT...
	spawn client "$bed_log/restart_client.log" ./restart_client.py --seed "$seed" --progress "$work/progress" "$@" "$server" "$port"
	streamer=$spawned
	wait_for 60 progress_beyond 100000
}

# What no program has accepted yet is refused when there is none.
uploads_begun() { [ "$(find "$work/places" -type f | wc -l)" = 4 ]; }

stream_end() {
	local status=0
	kill -USR1 "$streamer"
	wait_for 120 ktap_gone "$streamer"
	wait "$streamer" || status=$?
	tail -n 5 "$bed_log/restart_client.log"
	return "$status"
}

pause() { sleep "0.$(printf '%03d' "$1")"; } # MILLISECONDS, below 1000

# Sometimes after the stream has gone on, sometimes before the server has come to anything.
kill_all_the_time() { # TIMES PROGRAM [ARGUMENT...]
	local round before=0
	for ((round = 1; round <= $1; round++)); do
		if ktap_gone "$streamer"; then
			echo "round $round: the client has ended"
			tail -n 5 "$bed_log/restart_client.log"
			return 1
		fi
		if [ $((round % 4)) = 0 ]; then
			wait_for 30 progress_beyond "$before" || { echo "round $round: nothing goes on"; return 1; }
			before=$(progress)
		fi
		pause $((RANDOM % 250))
		kill_server
		serve "${@:2}"
	done
	echo "$1 kills, $(progress) bytes"
}

serve_first() { # PROGRAM [ARGUMENT...]
	serve "$@"
	wait_for 20 service_listens
}

service_listens() { ip netns exec primary ftcpctl service list | grep -q "$port"; }

echo_survives() { # TIMES OPTIONS-OF-CLIENT PROGRAM [ARGUMENT...]
	serve_first "${@:3}"
	# shellcheck disable=SC2086 # several words
	stream_begin -n 4 --rate 200000 $2
	kill_all_the_time "$1" "${@:3}"
	stream_end
}

uploads_survive() { # TIMES
	local sent file sums
	serve_first upload_receiver "$port" "$work/places"
	stream_begin -n 4 --rate 200000 --upload "$work/sent"
	wait_for 60 uploads_begun
	kill_all_the_time "$1" upload_receiver "$port" "$work/places"
	stream_end
	for sent in "$work"/sent/*; do
		sums+=$(sha256sum <"$sent")$'\n'
	done
	for file in "$work"/places/*; do
		[[ $sums = *$(sha256sum <"$file")* ]] || { echo "$file is nobody's"; return 1; }
	done
	[ "$(find "$work/sent" -type f | wc -l)" = "$(find "$work/places" -type f | wc -l)" ]
}

# One process of many dies: the others do not notice, and its connection gets another one.
child_dies() {
	local child
	serve_first upload_receiver "$port" "$work/places"
	stream_begin -n 4 --rate 200000 --upload "$work/sent"
	wait_for 60 uploads_begun
	for _ in 1 2 3 4 5 6; do
		wait_for 30 progress_beyond "$(progress)"
		child=$(grep -l "^PPid:[[:space:]]*$server_pid\$" /proc/[0-9]*/status 2>/dev/null | head -n 1 | cut -d / -f 3)
		kill -KILL "$child"
	done
	stream_end
}

rounds=${ROUNDS:-100}
ktap_begin
echo "# SEED=$seed"
bed_up
bed_module_load
primary ftcpctl promote --force >&2
ktap_case -t 250 "$rounds kills, a file for each connection" in_peace echo_survives "$rounds" '' resume_echo "$port" "$work/places"
ktap_case -t 250 "$((rounds / 2)) kills, without a file" in_peace echo_survives $((rounds / 2)) --plain resume_echo "$port"
ktap_case -t 250 "$((rounds / 2)) kills, uploads" in_peace uploads_survive $((rounds / 2))
ktap_case -t 120 'one process of several is killed' in_peace child_dies
bed_down
ktap_end
