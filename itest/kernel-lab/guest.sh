# SPDX-License-Identifier: Apache-2.0
# The guest: what it boots with, and the emulator that runs it. Sourced by run.

# What the JVM of the guest offers: what Ferry's bundles and Felix use.
readonly java_modules=java.base,java.compiler,java.desktop,java.logging,java.management,java.naming,java.xml,jdk.unsupported

readonly busybox=$cache/qemu/usr/bin/busybox

qemu_root() {
  fetch "$cache/qemu" qemu-system-x86 seabios busybox-static libstdc++6
}

# pack FOLDER FILE: a folder as an archive the kernel unpacks; several of them can be concatenated.
pack() {
  (cd "$1" && find . | "$busybox" cpio -o -H newc 2>/dev/null) > "$2.part"
  mv "$2.part" "$2"
}

# The part of the guest that does not change: shell, Java, and the libraries that some build of a JDK needs.
pack_base() {
  local base=$cache/base jdk=$1 libraries=$cache/qemu/usr/lib/x86_64-linux-gnu name
  local stamp
  stamp="$jdk $(cksum < "$jdk/release") $java_modules"
  [ "$base.cpio" -nt "$cache/qemu.unpacked" ] && same "$base" "$lab/guest/init" \
    && [ "$(cat "$base.jdk" 2>/dev/null)" = "$stamp" ] && return
  say "packing the guest's shell and Java"
  rm -rf "$base" "$base".*
  mkdir -p "$base"/{bin,dev,proc,sys,tmp,lib64,usr/lib,lab}
  cp "$busybox" "$base/bin/busybox"
  cp "$lab/guest/init" "$base/init"
  cp "$cache/qemu/usr/lib64/ld-linux-x86-64.so.2" "$base/lib64"
  for name in libc.so.6 libm.so.6 libdl.so.2 libpthread.so.0 librt.so.1 libz.so.1 libstdc++.so.6 \
    libgcc_s.so.1; do
    cp -L "$libraries/$name" "$base/usr/lib"
  done
  ln -s usr/lib "$base/lib"
  "$jdk/bin/jlink" --add-modules "$java_modules" --strip-java-debug-attributes --no-header-files --no-man-pages \
    --generate-cds-archive --output "$base/java" || die "jlink of $jdk cannot make the guest's Java: see its message"
  in_root "$base" /java/bin/java -version > /dev/null 2>&1 \
    || die "Java of $jdk does not run with $suite's C library: set JAVA_HOME to another JDK, Temurin's for example"
  pack "$base" "$base.cpio"
  echo "$stamp" > "$base.jdk"
}

# pack_modules VARIANT: the modules of a variant with the order to load them in.
pack_modules() {
  local variant=$1 root folder=$cache/modules-$1 name
  root=$(root_of "$variant")
  rm -rf "$folder"
  mkdir -p "$folder/lab/modules"
  case $variant in
    *-iommufd)
      shipped_module "$root" irqbypass "$folder/lab/modules"
      find "$root/build/iommufd" -name '*.ko' -exec cp {} "$folder/lab/modules" ';'
      echo character device > "$folder/lab/way"
      echo irqbypass iommufd vfio vfio_iommu_type1 mdev mtty ferry_lab vfio-pci-core vfio-pci ferry_nic \
        > "$folder/lab/modules/order"
      ;;
    *)
      for name in irqbypass vfio vfio_iommu_type1 mdev vfio-pci-core vfio-pci; do
        shipped_module "$root" "$name" "$folder/lab/modules"
      done
      cp "$root"/build/samples/*.ko "$folder/lab/modules"
      echo group > "$folder/lab/way"
      echo irqbypass vfio vfio_iommu_type1 mdev mtty ferry_lab vfio-pci-core vfio-pci ferry_nic \
        > "$folder/lab/modules/order"
      ;;
  esac
  pack "$folder" "$folder.cpio"
}

# PCI functions behind an IOMMU: three network adapters in groups of their own, 0000:01:00.0 to 0000:03:00.0, and a group
# of two behind a bridge, 0000:04:01.0 and a serial port that the kernel drives itself.
functions=(-device intel-iommu,intremap=on)
for number in 1 2 3; do
  functions+=(
    -device "pcie-root-port,id=port$number,chassis=$number,addr=$((number + 7))"
    -netdev "hubport,id=net$number,hubid=0" -device "e1000e,bus=port$number,netdev=net$number,romfile="
  )
done
functions+=(-device pcie-pci-bridge,id=bridge,addr=11 -device edu,bus=bridge,addr=1 -device pci-serial,bus=bridge,addr=2)
readonly functions

# boot VARIANT PROGRAM-FOLDER LOG: begins a guest with a folder's content at its root; it calls /lab/program. Its console
# goes to the log. Sets begun to its process. A guest has one processor: two would share code that the JVM changes while it
# runs, which is more than the emulator can be trusted with.
boot() {
  local variant=$1 program=$2 log=$3
  local libraries=$cache/qemu/usr/lib/x86_64-linux-gnu initrd=$work/initrd.${3##*/} kernel
  kernel=$(image_of "$(root_of "$variant")")
  pack "$program" "$initrd.program"
  cat "$cache/base.cpio" "$cache/modules-$variant.cpio" "$initrd.program" > "$initrd"
  rm "$initrd.program"
  # An emulated processor: hardware virtualisation is often there and unusable. This model is the one that the JVM's
  # compiler gets on with. On a busy host the timer's interrupts come too late for the kernel's test of it, which panics.
  begin "$seconds" \
    "$cache/qemu/usr/lib64/ld-linux-x86-64.so.2" --library-path "$libraries:$libraries/pulseaudio" \
    "$cache/qemu/usr/bin/qemu-system-x86_64" -L "$cache/qemu/usr/share/qemu" -L "$cache/qemu/usr/share/seabios" \
    -accel tcg -cpu Nehalem -machine q35 -smp 1 -m 2G -nodefaults -display none -no-reboot -serial stdio \
    -device isa-debug-exit,iobase=0xf4,iosize=0x4 "${functions[@]}" \
    -kernel "$kernel" -initrd "$initrd" \
    -append "console=ttyS0 quiet panic=-1 oops=panic log_buf_len=4M intel_iommu=on no_timer_check" \
    > "$log" 2>&1
}

# await_end GUEST: sets ended to a sentence on how it ended, an empty one when the program gave 0.
await_end() {
  local status=0
  end "$1" || status=$?
  # The exit device turns the guest's status s into 2 s + 1, so success is 1, which is what QEMU gives for its own
  # errors, too: then the guest has not said that it came to its end. 124 and 137 are timeout's.
  case $status in
    1) ended= ;;
    0) ended="the guest's kernel panicked, or the machine was switched off" ;;
    124 | 137) ended="the guest hung or was too slow: it did not end in $seconds s (FERRY_KERNEL_LAB_TIMEOUT)" ;;
    201) ended="a kernel module could not be loaded in the guest" ;;
    3) ended="checks failed in the guest" ;;
    *) ended="the emulator ended with status $status" ;;
  esac
}
