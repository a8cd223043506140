#!/bin/bash
# A network that loses, reorders and duplicates: slower, but every byte.
set -eu
cd "$(dirname "$0")"
# shellcheck source=selftests/lib/ktap.sh
. ../lib/ktap.sh
# shellcheck source=selftests/netns/lib.sh
. ./lib.sh
# shellcheck source=selftests/netns/lib_pair.sh
. ./lib_pair.sh

# Segments as the wire has them, so that one is lost and not forty.
through() { # NETEM...
	bed_netem both "$@"
	echo_once "$bed_vip4" -n 4 -s 500K
	echo_once "$bed_vip6" -n 2 -s 200K
	bed_netem off
}

# Losses of whole GSO frames, and everything else at once.
through_all() {
	bed_offload on
	bed_netem both delay 5ms 3ms 25% loss 2% duplicate 1% reorder 10% 50%
	echo_once "$bed_vip4" -n 4 -s 2M
	bed_netem off
}

retransmitted() {
	[ "$(counter primary rexmit_segs)" -gt 0 ] || fail 'nothing was ever retransmitted: was anything lost?'
	[ "$(counter primary broken_invariants)" = 0 ]
	[ "$(counter standby broken_invariants)" = 0 ]
}

ktap_begin
ktap_must -t 60 'a pair comes up' pair_up
bed_offload off
ktap_case -t 100 'loss of 1 %' through loss 1%
ktap_case -t 150 'loss of 5 %' through loss 5%
ktap_case -t 100 'reordering' through delay 5ms reorder 25% 50%
ktap_case -t 100 'duplication' through duplicate 10%
ktap_case -t 100 'corruption' through corrupt 1%
ktap_case -t 150 'all of it, with large frames' through_all
ktap_case 'something was lost and sent again' retransmitted
ktap_case 'protected still' verdict primary protected 0
ktap_end
