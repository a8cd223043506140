# shellcheck shell=bash disable=SC2154 # the runner sources this
# A program of its own behind ftcp, and whole hosts that die under it: it is started on the survivor and finds its place. On each host it is
# started again and again, as by a service manager: before a takeover it listens and nobody comes.

apps_rounds=${ROUNDS:-20}
apps_port=7000

apps_load() { # HOST
	# shellcheck disable=SC2016 # the machine's
	on "$1" 'insmod /lib/modules/$(uname -r)/updates/ftcp.ko'
}

apps_start() { # HOST primary|standby
	apps_load "$1"
	on "$1" "ftcpctl service add socket --port $apps_port"
	pair_daemon "$1" "$2"
}

apps_serve() { # HOST
	on "$1" job server "'exec resume_echo $apps_port'"
}

apps_up() {
	pair_clear alpha
	pair_clear beta
	pair_primary=alpha
	apps_start alpha primary
	apps_start beta standby
	apps_serve alpha
	apps_serve beta
	pair_wait alpha protected
}

# Nobody has told the standby of a port: it makes services as connections come.
apps_up_untold() {
	pair_clear alpha
	pair_clear beta
	pair_primary=alpha
	apps_load alpha
	apps_load beta
	pair_daemon alpha primary
	pair_daemon beta standby
	apps_serve alpha
	pair_wait alpha protected
}

apps_bytes() { on client 'cat /run/progress 2>/dev/null || echo 0'; }
apps_beyond() { [ "$(apps_bytes)" -gt "$1" ]; } # BYTES

apps_go_on() {
	local before
	before=$(apps_bytes)
	wait_for 60 apps_beyond "$((before + 100000))" || fail 'the clients are stuck'
}

apps_clients() {
	on client job stream "'rm -f /run/progress; exec /ftcp/selftests/netns/restart_client.py --plain -n 4 --seed $seed --rate 100000 \
		--timeout 3000 --progress /run/progress $bed_vip4 $apps_port'"
	apps_go_on
}

apps_survive() {
	local round
	RANDOM=$seed
	policy=stall apps_up
	apps_clients
	for ((round = 1; round <= apps_rounds; round++)); do
		sleep "0.$(printf '%03d' $((RANDOM % 1000)))"
		echo "round $round: power cut for $pair_primary, $(apps_bytes) bytes"
		pair_fail_over
		apps_go_on
		bed_boot "$(pair_standby)"
		apps_start "$(pair_standby)" standby
		apps_serve "$(pair_standby)"
		pair_wait "$pair_primary" protected
	done
	on client job_signal stream USR1
	job_wait 120 client stream
}

# In the middle of a stream of batches, each of which may bring its service back.
apps_unload_standby() {
	local round
	policy=stall apps_up_untold
	apps_clients
	for round in 1 2 3; do
		on beta rmmod ftcp
		apps_load beta
		pair_wait alpha protected
		apps_go_on
	done
	on client job_signal stream USR1
	job_wait 120 client stream
}

hosts_case 150 'the module is unloaded on a standby that follows, and comes back' apps_unload_standby
hosts_case $((120 + 45 * apps_rounds)) "a program's connections survive $apps_rounds hosts" apps_survive
