#!/bin/bash
# Many threads on sockets of ftcp: reading, writing, setting options, breaking connections. SEED= replays, CONNS= how many connections.
# limit: 400 s
set -eu
cd "$(dirname "$0")"
# shellcheck source=selftests/lib/ktap.sh
. ../lib/ktap.sh
# shellcheck source=selftests/netns/lib.sh
. ./lib.sh
# shellcheck source=selftests/netns/lib_pair.sh
. ./lib_pair.sh

stress() { # OPTION...
	primary sock_stress --client-netns client --address 10.9.0.11 --address fd09::11 --conns "${CONNS:-200}" ${SEED:+--seed "$SEED"} "$@"
}

# Connections of the dead are waited for: they have a FIN of the client's to come, or their TIME_WAIT.
all_given_back() {
	wait_for 150 nothing_held || { primary ftcpctl conn list; primary ftcpctl stats; return 1; }
	[ "$(counter primary broken_invariants)" = 0 ]
	bed_module_unload
	! grep ftcp /proc/slabinfo
}
nothing_held() { [ "$(counter primary conns)" = 0 ] && [ "$(counter primary memory_bytes)" = "$(cat /tmp/memory_before)" ]; }

ktap_begin
bed_up
bed_module_load
primary ftcpctl promote --force >&2
counter primary memory_bytes >/tmp/memory_before
ktap_case -t 60 'the test itself, with the kernel' stress --protocol tcp
ktap_case -t 130 'IPv4' stress -4
ktap_case -t 130 'IPv6' stress -6
ktap_case -t 200 'all is given back' all_given_back
ktap_end
