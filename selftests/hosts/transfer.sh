# shellcheck shell=bash disable=SC2154 # bed_* come from lib.sh
# Transfers from the client through the echo service and back, and what can be seen of them from outside. Needs lib.sh.
#
#	transfer_begin NAME MIB [ADDRESS]	# /data/NAME.test is sent, /data/NAME.received comes back
#	transfer_ended NAME; transfer_status NAME
#	transfer_received NAME			# bytes, as of the last sample
#	transfer_compare NAME
#	transfer_pause NAME SINCE_MS		# "PAUSE BEGIN END": the longest time without a byte that ends after SINCE
#
# All times are milliseconds of the host's clock.

transfer_begin() { # NAME MIB [ADDRESS]
	local address=${3-$bed_vip4}
	on client 'mkdir -p /data; grep -q " /data " /proc/mounts || mount -t tmpfs -o size=90% data /data'
	on_within 120 client "rm -f /data/$1.*; head -c $2M /dev/urandom >/data/$1.test; : >/data/$1.received"
	echo $(($(wc -l <"$bed/client.log") + 1)) >"$bed/machine/transfer.$1"
	on client job "$1" "'
		sampler $1 /data/$1.received >&9 &
		note $1 began
		nc -N $address $bed_port </data/$1.test >/data/$1.received
		note $1 ended \$?
		sleep 0.6
		kill \$!'"
}

# What the client's log has of a transfer: what came before it began may be of another one of that name.
transfer_log() { # NAME
	tail -n "+$(<"$bed/machine/transfer.$1")" "$bed/client.log"
}

transfer_note() { # NAME WORD: time and the rest of a note, if it is there
	transfer_log "$1" | awk -v clock="$(bed_clock client)" -v name="$1" -v word="$2" \
		'$1 == "note" && $3 == name && $4 == word { printf "%.0f %s\n", $2 - clock, $5 }'
}

transfer_began_ms() { transfer_note "$1" began | cut -d ' ' -f 1; }
transfer_ended_ms() { transfer_note "$1" ended | cut -d ' ' -f 1; }
transfer_status() { transfer_note "$1" ended | cut -d ' ' -f 2; } # nc's
transfer_ended() { [ -n "$(transfer_note "$1" ended)" ]; }

transfer_received() { # NAME
	transfer_log "$1" | tail -n 50 | awk -v name="$1" '$1 == "sample" && $2 == name && NF == 4 { n = $4 } END { print n + 0 }'
}

transfer_received_all() { [ "$(transfer_received "$1")" -ge "$2" ]; } # NAME BYTES

transfer_compare() { # NAME
	on_within 60 client "cd /data; ls -l $1.test $1.received; cmp $1.test $1.received"
}

transfer_samples() { # NAME: lines "TIME BYTES"
	transfer_log "$1" | awk -v clock="$(bed_clock client)" -v name="$1" \
		'$1 == "sample" && $2 == name && NF == 4 { printf "%.0f %s\n", $3 - clock, $4 }'
}

# The first sample with so many bytes more than at a given time.
transfer_grew_ms() { # NAME SINCE_MS [BYTES]: its time, if it has come
	transfer_samples "$1" | awk -v since="$2" -v more="${3-1}" '
		$1 <= since { bytes = $2 }
		$1 > since && $2 >= bytes + more { print $1; exit }'
}

transfer_pause() { # NAME SINCE_MS
	transfer_samples "$1" | awk -v since="$2" '
		NR == 1 { last = $1; bytes = $2 }
		$2 <= bytes { next }
		$1 > since && $1 - last > pause { pause = $1 - last; begin = last; end = $1 }
		{ last = $1; bytes = $2 }
		END { printf "%.0f %.0f %.0f\n", pause, begin, end }'
}
