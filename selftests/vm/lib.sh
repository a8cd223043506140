# shellcheck shell=bash
# Test machines: Debian's stock kernel under QEMU, without KVM, without root. For the runner next to this file and for
# whoever wants several machines on one network.
#
#	vm_kernel_prepare 6.1			# prints the release, unpacks the packages if need be
#	vm_image_build OUT RELEASE COMMAND...	# the initramfs; COMMAND is run in the machine
#	vm_qemu_args RELEASE IMAGE CONSOLE	# fills the array vm_args; vm_out, vm_files, vm_in, vm_nic add to it
#	qemu-system-x86_64 "${vm_args[@]}"
#	vm_status $? CONSOLE			# what became of COMMAND

vm_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
vm_top=$(cd "$vm_dir/../.." && pwd)
vm_build=${BUILD:-$vm_top/build}
export PATH="$PATH:/usr/sbin:/sbin"
# shellcheck source=selftests/vm/image.sh
. "$vm_dir/image.sh"

vm_kernel_prepare() { "$vm_dir/kernel" "$1"; } # SERIES|RELEASE

# -cpu max costs a factor of four here; tb-size keeps the translations of a whole kernel. A kernel that oopses reboots at
# once, which -no-reboot turns into the end of QEMU. The clock: the guest's TSC is the host's clock, the watchdog's
# doubts (a busy host) only lead to a slower one. Where there can never be a second processor, QEMU leaves memory barriers
# out, though its devices run beside the first: virtio then misses a notification now and then, and a card is dead for ever.
vm_qemu_args() { # RELEASE IMAGE CONSOLE-LOG [MEGABYTES [CPUS [KERNEL-ARGUMENTS]]]
	local cpus=${5:-2}
	vm_args=(
		-nodefaults -no-user-config -display none -no-reboot
		-machine pc -accel 'tcg,thread=multi,tb-size=1024' -cpu qemu64 -smp "$cpus,maxcpus=$((cpus > 2 ? cpus : 2))" -m "${4:-1024}"
		-kernel "$vm_build/kernel/$1/boot/vmlinuz-$1" -initrd "$2"
		-append "console=ttyS0 quiet panic=-1 oops=panic mitigations=off nokaslr tsc=reliable clocksource=tsc ${6-}"
		-chardev "file,id=console,path=$3" -serial chardev:console
		-device virtio-serial-pci -device virtio-rng-pci
	)
}

# A machine whose time is the number of instructions it has executed, a nanosecond each; while it is idle, time jumps to what comes next.
vm_qemu_args_counted() { # RELEASE IMAGE CONSOLE-LOG MEGABYTES KERNEL-ARGUMENTS
	vm_qemu_args "$1" "$2" "$3" "$4" 1 "no_timer_check tsc_early_khz=1000000 $5"
	vm_args=("${vm_args[@]/thread=multi/thread=single}" -icount 'shift=0,sleep=off')
}

# What tells a machine how fast its clock is: it would measure, and get that wrong when others keep it from running.
vm_clock() {
	local tsc=$vm_build/vm/tsc
	[ "$tsc" -nt "$vm_top/selftests/hosts/tsc.c" ] || cc -O2 -o "$tsc" "$vm_top/selftests/hosts/tsc.c" || return 1
	echo "no_timer_check tsc_early_khz=$("$tsc")"
}

# Streams between host and machine: what the command prints, the archive of /out, what the command reads.
vm_out() { vm_port out "file,id=out,append=on,path=$1"; }
vm_files() { vm_port files "file,id=files,path=$1"; }
vm_in() { vm_port in stdio,id=in,signal=off; }
vm_port() { vm_args+=(-chardev "$2" -device "virtserialport,chardev=$1,name=$1"); } # NAME CHARDEV

# A network card whose cable is a pair of sockets on the file system: frames written to the other end's, read from our
# own. Either side may die and come back at any time. Such a cable loses nothing, and needs no root.
vm_nic() { # ID MAC OUR-SOCKET PEER-SOCKET
	vm_args+=(
		-netdev "dgram,id=$1,local.type=unix,local.path=$3,remote.type=unix,remote.path=$4"
		-device "virtio-net-pci,netdev=$1,mac=$2"
	)
}

# Of several cables, a network: one machine's QEMU is the hub (choose one that stays alive).
vm_hub_nic() { # HUB MAC
	vm_args+=(-netdev "hubport,id=hub$1nic,hubid=$1" -device "virtio-net-pci,netdev=hub$1nic,mac=$2")
}

vm_hub_cable() { # HUB ID OUR-SOCKET PEER-SOCKET
	vm_args+=(
		-netdev "dgram,id=$2,local.type=unix,local.path=$3,remote.type=unix,remote.path=$4"
		-netdev "hubport,id=$2port,hubid=$1,netdev=$2"
	)
}

# What became of a machine: the status of the command that ran in it, or a word why there is none.
vm_status() { # STATUS-OF-QEMU CONSOLE-LOG
	local status
	status=$(sed -n 's/.*command ended with status \([0-9]*\).*/\1/p' "$2" | tail -n 1)
	case $1 in
	0) echo "${status:-died}" ;;
	124 | 137) echo timeout ;;
	*) echo "qemu-failed-$1" ;;
	esac
}
