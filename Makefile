# SPDX-License-Identifier: GPL-2.0
# For people; the kernel's build system reads Kbuild. `make help` lists the targets.

build := $(abspath build)
running := $(shell uname -r)
KDIR ?= /lib/modules/$(running)/build

# Where things are installed: DESTDIR for packagers.
prefix ?= /usr/local
sbindir ?= $(prefix)/sbin
bindir ?= $(prefix)/bin
libdir ?= $(prefix)/lib
includedir ?= $(prefix)/include
mandir ?= $(prefix)/share/man

# Debian's stock kernels that `make build-test` compiles against, and the one that tests boot.
kernels := 6.1 6.12
test_kernel := 6.1

# What `make check` runs: SUITE=unit|fuzz|sim|mutants|build|netns|conformance|interop|hosts|debug (several: SUITE="unit build"), TESTS= a pattern of test names.
SUITE ?=
TESTS ?=

all: module tools lib ## build module, tools and libraries (default)

help: ## list the targets
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/  \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 18
	@echo
	@echo '  KDIR=DIR          kernel headers for module, sparse and install'
	@echo '  SUITE=, TESTS=    which part of check: unit, fuzz, sim, mutants, build, netns, conformance, interop, hosts, debug; a pattern of test names'

# ---------------------------------------------------------------------------------------------------------------------
# The module is built from a tree of symbolic links, one per kernel release, so that several kernels never collide and
# the sources stay clean. Links follow edits by themselves; new files are linked, dead links and their objects removed.

kernelrelease := $(shell sed -n 's/.*UTS_RELEASE "\(.*\)"/\1/p' $(KDIR)/include/generated/utsrelease.h 2>/dev/null)
module_dir = $(build)/module/$(kernelrelease)
kbuild = flock $(module_dir)/.lock $(MAKE) -C $(KDIR) M=$(module_dir) $(if $(V),,-s)

module: module-tree ## build the module, for the running kernel or KDIR=
	+@$(kbuild) modules
	@echo "$(module_dir:$(CURDIR)/%=%)/ftcp.ko"

sparse: module ## check the module with sparse; warnings are errors
	@command -v sparse >/dev/null || { echo 'sparse is missing: make deps' >&2; exit 1; }
	+@$(kbuild) C=2 CF=-Wsparse-error modules

module-tree: headers
	@mkdir -p $(module_dir)
	@ln -sfn $(CURDIR)/include $(module_dir)/include
	@ln -sf $(CURDIR)/Kbuild $(module_dir)/Kbuild
	@cp -rsf $(CURDIR)/kmod $(module_dir)/
	@find $(module_dir)/kmod -xtype l -delete

headers:
	@[ -n "$(kernelrelease)" ] || { \
		echo 'There are no kernel headers in $(KDIR).' >&2; \
		echo 'Either: apt-get install linux-headers-$(running)   (for the running kernel)' >&2; \
		echo '    or: make KDIR=/path/to/headers                 (for another one)' >&2; \
		echo '    or: make check                                 (which brings its own kernel)' >&2; \
		exit 1; }

tools: ## build ftcp-syncd and ftcpctl into build/bin
	+$(MAKE) -C daemon OUT=$(build)/bin

lib: ## build ftcprun, its library and libftcp into build/bin and build/lib
	+$(MAKE) -C lib OUT=$(build)/bin LIB=$(build)/lib prefix=$(prefix)

# ---------------------------------------------------------------------------------------------------------------------

deps: ## install what building and testing need (Debian)
	@selftests/lib/deps

build-test: $(kernels:%=build-test-%) ## compile against Debian's 6.1 and 6.12 headers, sparse on both

# Debian's headers are unpacked under build/, not installed. BTF is of no use in a module that is only tested.
make_for_kernel = @release=$$(selftests/vm/kernel $(1)) && $(MAKE) --no-print-directory CONFIG_DEBUG_INFO_BTF_MODULES= \
	KDIR=$(build)/kernel/$$release/usr/src/linux-headers-$$release

$(kernels:%=build-test-%): build-test-%: deps
	+$(call make_for_kernel,$*) sparse

test-module: deps ## build the module for the kernel that the tests boot
	+$(call make_for_kernel,$(test_kernel)) module

test-tools: lib ## build the small programs that the tests use into build/tools
	+$(MAKE) -C selftests/tools OUT=$(build)/tools
	+$(MAKE) -C selftests/conformance OUT=$(build)/tools
	+$(MAKE) -C selftests/sock OUT=$(build)/tools
	+$(MAKE) -C Documentation/examples OUT=$(build)/examples LIB=$(build)/lib

unit: ## run the unit tests of the protocol core, natively
	+$(MAKE) -C selftests/unit check

# SEED= replays one seed, with a line for each event; SET="loss=0 ..." as the simulator says; RUNS= how many.
RUNS ?= 50000
sim: ## run the simulator: 50000 seeds (RUNS=), or one with its log (SEED=, SET=)
	+@$(MAKE) -s -C selftests/sim OUT=$(build)/sim
	@$(build)/sim/sim $(if $(SEED),--log --seed $(SEED),--runs $(RUNS) --jobs $(shell nproc)) $(SET:%=--set %)

sim-forever: ## run the simulator until it is stopped; failing seeds are kept in build/sim/failures
	+@$(MAKE) -s -C selftests/sim OUT=$(build)/sim
	@selftests/sim/forever $(build)/sim

# TESTS= one target of selftests/fuzz; what it has learnt stays in build/fuzz/corpus.
SECONDS ?= 60
fuzz: ## fuzz for SECONDS= each target (TESTS=)
	+@$(MAKE) -s -C selftests/fuzz OUT=$(build)/fuzz
	@cd selftests/fuzz && for target in $(or $(TESTS),segment tcb batch frame config); do \
		mkdir -p $(build)/fuzz/corpus/$$target && \
		$(build)/fuzz/fuzz_$$target -max_total_time=$(SECONDS) -max_len=2000 -artifact_prefix=$(build)/fuzz/found-$$target- \
			$(build)/fuzz/corpus/$$target seeds/$$target || exit 1; done

mutants: ## show that the simulator finds every deliberate mistake (TESTS= a pattern)
	+@selftests/sim/mutants/run $(TESTS)

check: deps ## build and test everything, in virtual machines: the whole truth
	+@SUITE='$(SUITE)' TESTS='$(TESTS)' MAKE='$(MAKE)' KERNEL='$(test_kernel)' selftests/check

check-debug: ## run the module under a kernel with KASAN, lockdep, kmemleak and the like, and without memory
	+@$(MAKE) --no-print-directory check SUITE=debug

check-interop: ## play the matrix of clients, settings and networks against the echo service (TESTS= a pattern of cells)
	+@$(MAKE) --no-print-directory check SUITE=interop

bench-scale: deps tools test-tools test-module ## 100,000 connections, 10,000 of them busy, and a takeover (SIZE=, MEM= in MiB)
	@SIZE=$(or $(SIZE),100000) MEM=$(or $(MEM),4096) LIMIT=6000 selftests/netns/run scale

demo: deps tools test-tools test-module ## watch a transfer survive the death of its server
	@selftests/demo/run

bench: deps tools test-tools test-module ## measure ftcp against the kernel's TCP (BENCH=quick, COUNTED=yes, ONLY=, ROUNDS=, SECONDS_EACH=)
	+@$(MAKE) -s -C selftests/bench OUT=$(build)/tools
	@BENCH='$(BENCH)' COUNTED='$(COUNTED)' ONLY='$(ONLY)' ROUNDS='$(ROUNDS)' SECONDS_EACH='$(SECONDS_EACH)' KERNEL='$(test_kernel)' selftests/bench/run

# checkpatch.pl is in the kernel's source only. FILE_PATH_CHANGES, SPDX comment style and the like are the kernel
# tree's business; what is left is about the code.
checkpatch_ignore := FILE_PATH_CHANGES,SPDX_LICENSE_TAG,LONG_LINE,LONG_LINE_COMMENT,LONG_LINE_STRING,SPLIT_STRING
# Lists kept once as X-macros, one header that asks for the version, headers that userspace compiles, too.
checkpatch_ignore := $(checkpatch_ignore),TRAILING_SEMICOLON,COMPLEX_MACRO,BRACKET_SPACE,LINUX_VERSION_CODE,CONSTANT_COMPARISON,PREFER_DEFINED_ATTRIBUTE_MACRO
checkpatch: build/checkpatch/checkpatch.pl ## check the module's style; errors and warnings fail
	@find kmod include -name '*.[ch]' -print0 | \
		xargs -0 perl $< --no-tree --no-summary --terse --show-types --ignore $(checkpatch_ignore) -f

build/checkpatch/checkpatch.pl:
	@mkdir -p $(@D)
	cd $(@D) && apt-get -q download linux-source-6.1 && dpkg -x linux-source-6.1_*.deb .
	tar -C $(@D) -xf $(@D)/usr/src/linux-source-6.1.tar.xz --strip-components=2 --wildcards \
		'*/scripts/checkpatch.pl' '*/scripts/spelling.txt' '*/scripts/const_structs.checkpatch'
	rm -rf $(@D)/usr $(@D)/linux-source-6.1_*.deb
	touch $@

install: module tools lib ## install module, tools, libraries and manual pages (DESTDIR=, prefix=)
	install -D -m 644 $(module_dir)/ftcp.ko $(DESTDIR)/lib/modules/$(kernelrelease)/updates/ftcp.ko
	install -D -t $(DESTDIR)$(sbindir) $(build)/bin/ftcp-syncd $(build)/bin/ftcpctl
	install -D -t $(DESTDIR)$(bindir) $(build)/bin/ftcprun
	install -D -m 644 -t $(DESTDIR)$(libdir) $(build)/lib/libftcprun.so $(build)/lib/libftcp.so.0 $(build)/lib/libftcp.a
	ln -sf libftcp.so.0 $(DESTDIR)$(libdir)/libftcp.so
	install -D -m 644 -t $(DESTDIR)$(libdir)/pkgconfig $(build)/lib/ftcp.pc
	install -D -m 644 -t $(DESTDIR)$(includedir) lib/ftcp.h
	install -D -m 644 -t $(DESTDIR)$(includedir)/linux include/uapi/linux/ftcp_sock.h
	$(foreach page,$(wildcard Documentation/man/*.[1-8]),\
		install -D -m 644 -t $(DESTDIR)$(mandir)/man$(subst .,,$(suffix $(page))) $(page) &&) true
	[ -n "$(DESTDIR)" ] || { depmod $(kernelrelease) && ldconfig; }

uninstall: headers ## remove what install installed
	rm -f $(DESTDIR)/lib/modules/$(kernelrelease)/updates/ftcp.ko
	rm -f $(DESTDIR)$(sbindir)/ftcp-syncd $(DESTDIR)$(sbindir)/ftcpctl
	rm -f $(DESTDIR)$(bindir)/ftcprun $(addprefix $(DESTDIR)$(libdir)/,libftcprun.so libftcp.so.0 libftcp.so libftcp.a pkgconfig/ftcp.pc)
	rm -f $(DESTDIR)$(includedir)/ftcp.h $(DESTDIR)$(includedir)/linux/ftcp_sock.h
	$(foreach page,$(wildcard Documentation/man/*.[1-8]),\
		rm -f $(DESTDIR)$(mandir)/man$(subst .,,$(suffix $(page)))/$(notdir $(page)) &&) true
	[ -n "$(DESTDIR)" ] || depmod $(kernelrelease)

clean: ## remove what was compiled; keep what was unpacked
	[ ! -d build ] || find build -mindepth 1 -maxdepth 1 ! -name kernel ! -name checkpatch ! -name 'programs*' -exec rm -rf {} +

distclean: ## remove everything that is not source
	rm -rf build

# Directories have some of these names.
.PHONY: sim sim-forever mutants fuzz bench lib
.PHONY: all help module sparse module-tree headers tools deps build-test $(kernels:%=build-test-%) test-module \
	test-tools unit check check-debug check-interop bench-scale demo checkpatch install uninstall clean distclean
