#!/bin/bash
# The tests of the bed under the debug kernel's eyes; what they leave behind at the end is a failure, too.
# usage: netns.sh [PATTERN]       (in a debug machine)
set -eu
cd "$(dirname "$0")"
# shellcheck source=selftests/lib/ktap.sh
. ../lib/ktap.sh
# shellcheck source=selftests/debug/lib.sh
. ./lib.sh

ktap_begin
leaks_forget
ktap_include -n netns ../netns/run "$@"
ktap_case -t 200 'nothing has leaked' no_leaks
ktap_case 'the checkers are awake still' checkers_awake
ktap_end
