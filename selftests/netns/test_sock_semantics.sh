#!/bin/bash
# Sockets of ftcp, call by call, against those of the kernel's TCP. ONLY= a pattern of cases.
# limit: 600 s
set -eu
cd "$(dirname "$0")"
# shellcheck source=selftests/lib/ktap.sh
. ../lib/ktap.sh
# shellcheck source=selftests/netns/lib.sh
. ./lib.sh

compare() { ip netns exec primary sock_semantics --client-netns client --address 10.9.0.11 --address fd09::11 ${ONLY:+--only "$ONLY"} "$@"; }

ktap_begin
bed_up
bed_module_load
primary ftcpctl promote --force >&2
ktap_include IPv4 compare -4
ktap_include IPv6 compare -6
bed_down
ktap_end
