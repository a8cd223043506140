#!/bin/bash
# Daemons that are root of a container only: batches go by them, through sockets whose buffers are small. A resync comes to its end all the same.
set -eu
cd "$(dirname "$0")"
# shellcheck source=selftests/lib/ktap.sh
. ../lib/ktap.sh
# shellcheck source=selftests/netns/lib.sh
. ./lib.sh
# shellcheck source=selftests/netns/lib_pair.sh
. ./lib_pair.sh

pair_syncd() { # HOST
	echo "[$1] ftcp-syncd -c /tmp/$1.conf -f &" >&2
	ip netns exec "$1" env LD_PRELOAD="$(type -P unforced.so)" ftcp-syncd -c "/tmp/$1.conf" -f >>"$bed_log/$1.syncd.log" 2>&1 </dev/null &
	echo $! >"/run/$1.syncd.pid"
}

says_so() {
	syncd_says primary "netlink's receive buffer is [0-9]* bytes"
	syncd_says standby "netlink's send buffer is [0-9]* bytes"
	[ "$(grep -c "netlink's receive buffer" "$bed_log/primary.syncd.log")" = 1 ]
}

# Clients who send and do not read: megabytes that a resync has to bring over.
hoarders() {
	spawn client "$bed_log/hoarders" python3 -c '
import select, socket, sys, time
conns = [socket.create_connection((sys.argv[1], int(sys.argv[2]))) for i in range(4)]
for conn in conns:
    conn.setblocking(False)
end = time.monotonic() + 15
while time.monotonic() < end:
    for conn in select.select([], conns, [], 0.5)[1]:
        conn.send(b"x" * 65536)
print("full", flush=True)
time.sleep(1000)
' "$bed_vip4" "$bed_port"
	wait_for 60 grep -q full "$bed_log/hoarders"
	protected primary 60
}

resynced() { # TIMES
	local i
	for i in $(seq "$1"); do
		primary ftcpctl detach
		protected primary 60
		standby ftcpctl wait --for ready --timeout 10
	done
	echo "$(group_value primary batch_no) batches"
	[ "$(group_value primary batch_no)" -ge 20 ]
	[ "$(counter standby batches_refused)" = 0 ]
	[ "$(counter primary batch_overruns)" = 0 ]
	traffic_moves load
}

load_start() {
	traffic_start load "$bed_vip4" -n 3 --rate 200K
	traffic_moves load
}

taken_over() {
	standby ftcpctl promote
	speaks_for_both standby
	traffic_moves load
	traffic_end load
	has_conns standby 4
}

ktap_begin
ktap_must -t 60 'a pair comes up' pair_up batches=daemon
ktap_case 'both say that their buffers are small, once' says_so
ktap_case -t 60 'connections are protected' load_start
ktap_case -t 100 'and hoarders hold megabytes' hoarders
ktap_case -t 200 'all of it is brought over, and nothing refused or lost on the way' resynced 3
ktap_case -t 60 'handed over' taken_over
ktap_end
