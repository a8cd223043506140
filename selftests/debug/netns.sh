#!/bin/bash
# The tests of the bed under the debug kernel's eyes; what they leave behind at the end is a failure, too.
# usage: netns.sh [PATTERN]       (in a debug machine)
set -eu
cd "$(dirname "$0")"
# shellcheck source=selftests/lib/ktap.sh
. ../lib/ktap.sh
# shellcheck source=selftests/debug/lib.sh
. ./lib.sh

# Every packet costs ten times as much here: fewer of them, of every kind.
# And what is freed is kept for a while, so that its use is seen.
export SLAB_SLACK_KIB=${SLAB_SLACK_KIB:-65536} SIZE=${SIZE:-200} ATTACK_SECONDS=${ATTACK_SECONDS:-1} FUZZ_SECONDS=${FUZZ_SECONDS:-4}

ktap_begin
leaks_forget
ktap_include -n netns ../netns/run "$@"
ktap_case -t 200 'nothing has leaked' no_leaks
ktap_case 'the checkers are awake still' checkers_awake
ktap_end
