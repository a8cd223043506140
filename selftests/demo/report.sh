# shellcheck shell=bash disable=SC2154 # bed_*: selftests/hosts/lib.sh; the transfers: run
# What remains of a run: the verdict, summary.json, timeline.svg. Needs selftests/hosts/transfer.sh and pair.sh.

report() { # STATUS
	local verdict=FAIL
	[ "$1" != 0 ] || verdict=PASS
	report_summary "$verdict" >"$bed/summary.json"
	[ ${#transfers[@]} = 0 ] || report_plot || echo 'no picture: gnuplot failed or is missing' >&2
	echo
	report_pauses
	report_files "$verdict"
	printf '\n%s\n' "$verdict"
}

report_pauses() {
	local name
	for name in "${transfers[@]}"; do
		[ -z "${pause_ms[$name]-}" ] ||
			printf '%-30s %d ms\n' "longest pause, ${killed[$name]} killed:" "${pause_ms[$name]}"
	done
}

report_files() { # VERDICT
	[ ! -e "$bed/timeline.svg" ] || echo "bytes received over time:      $(report_path timeline.svg)"
	echo "in numbers:                    $(report_path summary.json)"
	[ "$1" = PASS ] || echo "what the machines said:        $(report_path '*.log'), $(report_path '*.console')"
}

report_path() {
	local path=$bed/$1
	echo "${path#"$vm_top/"}"
}

# ---------------------------------------------------------------------------------------------------------------------

report_summary() { # VERDICT
	local name separator=
	printf '{\n  "result": "%s",\n  "seed": %d,\n  "kernel": "%s",\n  "transfers": [' "$1" "$seed" "$bed_release"
	for name in "${transfers[@]}"; do
		printf '%s\n' "$separator"
		report_transfer "$name"
		separator=,
	done
	printf '\n  ]\n}\n'
}

report_transfer() { # NAME
	printf '    {\n      "name": "%s",\n      "mib": %d,\n      "began_ms": %s,\n      "ended_ms": %s,\n' "$1" "${mib_of[$1]}" \
		"$(report_since "$(transfer_began_ms "$1")")" "$(report_since "$(transfer_ended_ms "$1")")"
	printf '      "protected_ms": %s,\n' "$(report_since "${protected_at[$1]-}")"
	printf '      "killed": %s,\n      "killed_ms": %s,\n' "$(report_string "${killed[$1]-}")" "$(report_since "${killed_at[$1]-}")"
	printf '      "noticed_ms": %s,\n      "promoted_ms": %s,\n      "announced_ms": %s,\n' \
		"$(report_event "$1" noticed)" "$(report_event "$1" promoted)" "$(report_event "$1" announced)"
	printf '      "first_byte_after_ms": %s,\n      "first_256k_after_ms": %s,\n' \
		"$(report_since "${pause_end[$1]-}")" "$(report_since "$(report_256k "$1")")"
	printf '      "longest_pause_ms": %s,\n      "identical": %s\n    }' "${pause_ms[$1]-null}" "${identical[$1]-false}"
}

# When it really went on: a first byte may be a lone one.
report_256k() { [ -z "${killed_at[$1]-}" ] || transfer_grew_ms "$1" "$(event_ms "$1" promoted)" 262144; } # NAME

report_string() { [ -n "$1" ] && printf '"%s"' "$1" || printf null; }
report_since() { [ -n "$1" ] && echo $(($1 - screen_began)) || echo null; } # MS

report_event() { # NAME-OF-TRANSFER EVENT
	[ -n "${killed_at[$1]-}" ] || { echo null; return; }
	report_since "$(event_ms "$1" "$2")"
}

# ---------------------------------------------------------------------------------------------------------------------

# Seconds since the first transfer began, MiB; the second transfer in a block of its own.
report_plot() {
	local began name
	began=$(transfer_began_ms "${transfers[0]}")
	for name in "${transfers[@]}"; do
		transfer_samples "$name" | awk -v began="$began" '{ printf "%.3f %.3f\n", ($1 - began) / 1000, $2 / 1048576 }'
		printf '\n\n'
	done >"$bed/received.dat"
	for name in "${transfers[@]}"; do
		[ -z "${pause_end[$name]-}" ] || awk -v b="$began" -v name="${killed[$name]}" -v kill="${killed_at[$name]}" \
			-v from="${pause_begin[$name]}" -v to="${pause_end[$name]}" -v ms="${pause_ms[$name]}" 'BEGIN {
			printf "%.3f %.3f %.3f \"%s killed\" \"client waited %.1f s\"\n", (kill - b) / 1000, (from - b) / 1000, (to - b) / 1000,
				name, ms / 1000 }'
	done >"$bed/crashes.dat"
	for name in "${!protected_at[@]}"; do
		awk -v b="$began" -v at="${protected_at[$name]}" 'BEGIN { printf "%.3f \"protected again\"\n", (at - b) / 1000 }'
	done >"$bed/protected.dat"
	(cd "$bed" && gnuplot "$here/timeline.gp") || { rm -f "$bed/timeline.svg"; return 1; }
}
