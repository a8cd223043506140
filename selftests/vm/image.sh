# shellcheck shell=bash
# What a test machine boots: an initramfs of busybox and real tools, in two parts. The base (tools, libraries, kernel
# modules) is made once per kernel release and kept; the part with the things under test is made anew for each run and
# takes a moment. The kernel reads one archive after the other, and what comes later replaces what came before.
# Part of lib.sh.

: "${vm_dir:?}" "${vm_top:?}" "${vm_build:?}"

# The tools whose behaviour the tests depend on are the host's real ones; busybox fills in the rest.
vm_tools=(
	bash mawk sed grep cat cmp cp date dd head od seq sleep sort split stat tail timeout tr wc sha256sum md5sum
	ip ss tc bridge nstat nft tcpdump nc.openbsd socat ethtool ping sysctl strace taskset python3
	kmod modprobe insmod rmmod lsmod modinfo
)

# Python: what these modules need and no more.
vm_python=(
	argparse array asyncio bisect collections contextlib copy ctypes dataclasses datetime errno fcntl functools glob
	hashlib io ipaddress itertools json math os pathlib random re select selectors shlex shutil signal socket stat string
	struct subprocess sys tempfile textwrap threading time traceback types typing yaml zlib unittest encodings.idna concurrent.futures.thread
)

# Kernel modules: names as modprobe takes them; their dependencies come along.
vm_modules=(
	virtio_pci virtio_net virtio_blk virtio_console virtio_rng
	veth bridge dummy tun ifb macvlan ipvlan vrf 8021q bonding br_netfilter
	sch_netem sch_htb sch_tbf sch_fq sch_fq_codel sch_ingress sch_prio sch_pfifo_fast
	cls_u32 cls_flower cls_basic cls_matchall cls_bpf act_mirred act_gact
	nf_tables nft_ct nft_nat nft_masq nft_redir nft_limit nft_log nft_numgen nft_reject nft_reject_inet nft_reject_ipv4
	nft_reject_ipv6 nft_reject_netdev nft_fib nft_fib_inet nft_fib_ipv4 nft_fib_ipv6 nft_compat nft_hash nft_queue nft_socket
	nft_tproxy nft_dup_netdev nft_fwd_netdev nft_chain_nat nft_counter nft_quota nft_flow_offload nft_synproxy
	nf_conntrack nf_conntrack_netlink nf_defrag_ipv4 nf_defrag_ipv6 nf_log_syslog nfnetlink_log nfnetlink_queue
	ip_tables ip6_tables x_tables xt_conntrack
	tcp_bbr tcp_dctcp tcp_diag inet_diag udp_diag af_packet_diag unix_diag netlink_diag mptcp_diag tls sctp nlmon
	overlay virtiofs loop
)

# Copy files with the libraries they are linked with to the same place under a root.
vm_copy() { # ROOT FILE...
	local root=$1
	shift
	{
		printf '%s\n' "$@"
		ldd "$@" 2>/dev/null | sed -n 's,.*[ \t]\(/[^ ]*\) (0x.*,\1,p'
	} | sort -u | cpio --quiet -pdmLu "$root"
}

# Copy what Python really opens for the modules: sources, their compiled form, shared objects.
vm_copy_python() { # ROOT
	local files
	files=$(/usr/bin/python3 - "${vm_python[@]}" <<-'PY'
		import importlib, os, sys
		for name in sys.argv[1:]:
		    try:
		        importlib.import_module(name)
		    except ImportError:
		        pass
		for module in list(sys.modules.values()):
		    spec = getattr(module, "__spec__", None)
		    for path in (getattr(module, "__file__", None), getattr(spec, "cached", None)):
		        if path and os.path.exists(path):
		            print(path)
	PY
	)
	# shellcheck disable=SC2086 # one word per file
	vm_copy "$1" $files
}

vm_copy_modules() { # ROOT RELEASE
	local root=$1 release=$2 kernel=$vm_build/kernel/$2 module
	for module in "${vm_modules[@]}"; do
		modprobe -d "$kernel" -S "$release" --show-depends "$module" 2>/dev/null || true
	done | sed -n 's,^insmod \([^ ]*\).*,\1,p' | sort -u | sed "s,^$kernel/,," >"$root/.modules"
	(cd "$kernel" && cpio --quiet -pdm "$root" <"$root/.modules")
	rm "$root/.modules"
	cp "$kernel/lib/modules/$release/"modules.{order,builtin,builtin.modinfo} "$root/lib/modules/$release/"
}

# The same layout as Debian's: /bin, /sbin and /lib are links into /usr.
vm_make_root() { # ROOT
	mkdir -p "$1"/usr/{bin,sbin,lib,lib64,local/bin,local/lib} "$1"/{proc,sys,dev,run,tmp,etc,root,out,var,ftcp}
	local dir
	for dir in bin sbin lib lib64; do
		ln -s "usr/$dir" "$1/$dir"
	done
}

vm_fill_base() { # ROOT RELEASE
	local root=$1 release=$2 tool applet paths=()
	vm_make_root "$root"
	for tool in "${vm_tools[@]}"; do
		paths+=("$(PATH=/usr/sbin:/usr/bin:/sbin:/bin command -v "$tool" || echo "missing:$tool")")
	done
	case "${paths[*]}" in
	*missing:*) echo "vm: not on this machine: ${paths[*]}; run: make deps" >&2; return 1 ;;
	esac
	vm_copy "$root" "${paths[@]}" /usr/bin/busybox
	for applet in $(busybox --list-full); do
		applet=usr/${applet#usr/}
		[ -e "$root/$applet" ] || ln -s /bin/busybox "$root/$applet"
	done
	ln -sf nc.openbsd "$root/usr/bin/nc"
	ln -sf mawk "$root/usr/bin/awk"
	vm_copy_python "$root"
	vm_copy_modules "$root" "$release"
	printf 'root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534:nobody:/:/bin/false\ntcpdump:x:100:100::/:/bin/false\n' >"$root/etc/passwd"
	printf 'root:x:0:\nnogroup:x:65534:\ntcpdump:x:100:\n' >"$root/etc/group"
	printf '127.0.0.1 localhost\n::1 localhost\n' >"$root/etc/hosts"
	cp -L /etc/protocols /etc/services "$root/etc/" 2>/dev/null || true
}

vm_cpio() { (cd "$1" && find . -mindepth 1 | cpio --quiet -o -H newc -R 0:0); } # DIRECTORY

# The base of a release: a directory (modprobe and depmod look into it) and the archive made of it.
vm_base() { # RELEASE; prints the path without .cpio
	local release=$1 base=$vm_build/vm/base-$1 work
	mkdir -p "$vm_build/vm"
	(
		flock 9
		[ "$base.cpio" -nt "$vm_dir/image.sh" ] && exit
		work=$(mktemp -d "$vm_build/vm/.base.XXXXXX")
		vm_fill_base "$work" "$release" || { rm -rf "$work"; exit 1; }
		vm_cpio "$work" >"$work.cpio"
		rm -rf "$base"
		mv -T "$work" "$base"
		mv "$work.cpio" "$base.cpio"
	) 9>"$vm_build/vm/.lock" || return 1
	echo "$base"
}

# The things under test: selftests, tools and module; and what the machine is to do.
vm_fill_work() { # ROOT RELEASE BASE COMMAND...
	local root=$1 release=$2 base=$3 modules=lib/modules/$2 programs
	shift 3
	vm_make_root "$root"
	cp -p "$vm_dir/init" "$root/init"
	cp -rp "$vm_top/selftests" "$root/ftcp/"
	mkdir -p "$root/ftcp/Documentation" "$root/$modules"
	cp -rp "$vm_top/Documentation/netlink" "$root/ftcp/Documentation/" 2>/dev/null || true
	mapfile -t programs < <(find -L "$vm_build/bin" "$vm_build/tools" "$vm_build/examples" -maxdepth 1 -type f -perm -u+x 2>/dev/null; vm_more_tools)
	if [ ${#programs[@]} -gt 0 ]; then
		cp -p "${programs[@]}" "$root/usr/local/bin/"
		vm_copy_new_libraries "$root" "$base" "${programs[@]}"
	fi
	cp -pP "$vm_build"/lib/*.so* "$root/usr/local/lib/" 2>/dev/null || true
	[ -z "${vm_servers-}" ] || vm_add_servers "$root" "$base"
	vm_add_module "$root" "$release" "$base"
	vm_write_job "$root/job" "$@"
}

# What only some tests want of the host: names in $vm_tools_more.
vm_more_tools() {
	local tool
	for tool in ${vm_tools_more-}; do
		PATH=/usr/sbin:/usr/bin:/sbin:/bin command -v "$tool" || echo "vm: not on this machine: $tool; run: make deps" >&2
	done
}

# Ordinary servers and their clients, where Debian has them, and the libraries that the base has not.
vm_add_servers() { # ROOT BASE
	local root=$1 from files libraries
	from=$("$vm_dir/programs") || return 1
	libraries=$from/usr/lib/$(uname -m)-linux-gnu
	mapfile -t files < <(cd "$from" && find usr/bin usr/sbin usr/lib/openssh -type f -o -type l)
	(cd "$from" && printf '%s\n' "${files[@]}" | cpio --quiet -pdmL "$root")
	cp -rL "$libraries/." "$root/usr/lib/$(uname -m)-linux-gnu/"
	LD_LIBRARY_PATH=$libraries vm_copy_new_libraries "$root" "$2" "${files[@]/#/$from/}" "$libraries"/*.so*
}

vm_copy_new_libraries() { # ROOT BASE PROGRAM...
	local root=$1 base=$2 library
	shift 2
	ldd "$@" 2>/dev/null | sed -n 's,.*[ \t]\(/[^ ]*\) (0x.*,\1,p' | sort -u | while read -r library; do
		[ -e "$base/$library" ] || [ "${library#"$vm_build"}" != "$library" ] || echo "$library"
	done | cpio --quiet -pdmLu "$root"
}

# depmod wants to see all modules in one place: for a moment, a tree of links.
vm_add_module() { # ROOT RELEASE BASE
	local root=$1 release=$2 base=$3 modules=lib/modules/$2 ko=$vm_build/module/$2/ftcp.ko
	[ -e "$ko" ] || echo "vm: no $ko: the machine boots without the module (make test-module)" >&2
	mkdir -p "$root/dep/lib/modules"
	cp -rs "$base/$modules" "$root/dep/lib/modules/"
	if [ -e "$ko" ]; then
		mkdir -p "$root/$modules/updates"
		strip --strip-debug -o "$root/$modules/updates/ftcp.ko" "$ko"
		cp -rs "$root/$modules/updates" "$root/dep/$modules/"
	fi
	depmod -b "$root/dep" "$release"
	find "$root/dep/$modules" -maxdepth 1 -type f -exec mv {} "$root/$modules/" \;
	rm -rf "$root/dep"
}

# /job is sourced by init: modules to load, variables that tests know, the command.
vm_write_job() { # FILE COMMAND...
	local file=$1 variable
	shift
	{
		echo "modules='${vm_load-}'"
		for variable in CI TESTS SIZE VERBOSE; do
			[ -z "${!variable-}" ] || printf 'export %s=%q\n' "$variable" "${!variable}"
		done
		[ $# = 0 ] || printf 'run() {%s; }\n' "$(printf ' %q' "$@")"
	} >"$file"
}

vm_image_build() { # OUT RELEASE COMMAND...
	local out=$1 release=$2 base work
	shift 2
	base=$(vm_base "$release") || return 1
	work=$(mktemp -d "$vm_build/vm/.work.XXXXXX")
	chmod 755 "$work"
	vm_fill_work "$work" "$release" "$base" "$@"
	{ cat "$base.cpio" && vm_cpio "$work"; } >"$out"
	rm -rf "$work"
}
