# shellcheck shell=bash disable=SC2154 # the runner sources this
# Power cuts at random moments, from before the first SYN until after the last FIN, with connections of all kinds.

rounds=${ROUNDS:-4}
clients='bulk halves talk slow'

random_cuts() {
	local round
	RANDOM=$seed
	pair_up alpha beta
	for ((round = 1; round <= rounds; round++)); do
		echo "round $round, $(pair_primary) is primary"
		start_clients $((RANDOM + 1))
		cut_after $((RANDOM % 2500))
		collect_clients
		[ "$round" = "$rounds" ] || pair_rejoin
	done
}

start_clients() { # SEED
	local to="echo_client $bed_vip4 $bed_port --seed $1 --timeout 60"
	on client "
		job bulk '$to -n 4 -s 2M'
		job halves '$to -n 4 -s 64K --half-close'
		job talk '$to -n 4 --ping-pong 200:400'
		job slow '$to -n 4 -s 40K --rate 16K'"
}

cut_after() { # MS
	echo "power cut after $1 ms"
	sleep "$(printf '%d.%03d' $(($1 / 1000)) $(($1 % 1000)))"
	pair_fail_over
}

collect_clients() {
	local name bad=0
	for name in $clients; do
		echo "$name:"
		job_wait 70 client "$name" || bad=1
	done
	return "$bad"
}

hosts_case $((60 + 60 * rounds)) "$rounds power cuts at random moments" random_cuts
