# SPDX-License-Identifier: Apache-2.0
# Kernels and their modules: what the distribution ships, and what is built here against its headers. Sourced by run.

# What building a module needs, beside the headers; the compiler is the one the kernel was built with. The last is for
# the peer of the benchmark.
readonly toolchain=(gcc-14 make dash coreutils sed grep gawk findutils base-files xz-utils binutils perl-base libc6-dev)

# kernel_root LINE: unpacks a kernel with its headers, its source and the toolchain; 6.12 comes from the suite itself,
# 7.x is the newest of its backports.
kernel_root() {
  local root=$cache/kernel-$1
  case $1 in
    6.12) fetch "$root" linux-image-amd64 linux-headers-amd64 linux-source-6.12 "${toolchain[@]}" ;;
    7.x)
      # The source package must be of the very line that the image is of: what is unpacked, when just that is wanted
      # again, else the newest.
      local line
      line=$(sed -n 's/.*linux-source-\(7\.[0-9]*\).*/\1/p' "$root.unpacked" 2>/dev/null) || :
      [ "$(cat "$root.unpacked" 2>/dev/null)" = "$(backports "$line")" ] || newest_line
      # shellcheck disable=SC2046 # words are what it prints
      fetch "$root" $(backports "$line")
      ;;
    *) die "no such kernel: $1" ;;
  esac
  complete_root "$root"
}

# backports LINE: what is fetched for a 7.x, as arguments of apt.
backports() {
  echo --target-release "$suite-backports" linux-image-amd64 linux-headers-amd64 "linux-source-$1" "${toolchain[@]}"
}

# Sets line to the 7.x that the backports' kernel is of, 7.2 for example.
newest_line() {
  open_archive
  line=$(lab_apt_cache -o "APT::Default-Release=$suite-backports" depends linux-image-amd64 \
    | sed -n 's/.*Depends: linux-image-\(7\.[0-9]*\)\..*/\1/p')
  [ -n "$line" ] || die "there is no 7.x kernel in $suite-backports"
}

# What a package's own scripts would have done after unpacking.
complete_root() {
  local root=$1 headers
  [ -e "$root.completed" ] && return
  ln -sf gawk "$root/usr/bin/awk"
  ln -sf gcc-14 "$root/usr/bin/gcc"
  : > "$root/dev/null"
  # BTF of modules would need pahole and the kernel's own image.
  for headers in "$root"/usr/src/linux-headers-*-amd64; do
    rm -f "$headers/vmlinux"
  done
  unpack_source "$root"
  touch "$root.completed"
  rm -f "$root"/usr/src/linux-source-*.tar.xz
}

# Of the kernel's source only what is built here is unpacked.
unpack_source() {
  local root=$1 archive
  archive=$(find "$root/usr/src" -maxdepth 1 -name 'linux-source-*.tar.xz')
  mkdir -p "$root/build/source"
  xz -dc -T0 "$archive" | tar -x -C "$root/build/source" --strip-components=1 --wildcards \
    '*/samples/vfio-mdev/*' '*/drivers/vfio/*' '*/drivers/iommu/*' '*/lib/interval_tree.c'
}

# The root that the kernel of a variant is in.
root_of() {
  echo "$cache/kernel-${1%-iommufd}"
}

# The release string of a kernel root, as in uname -r.
release_of() {
  find "$1/usr/lib/modules" -maxdepth 1 -mindepth 1 -printf '%f\n' | sort -V | tail -1
}

# The kernel's image, at whichever of its two places.
image_of() {
  local release image
  release=$(release_of "$1")
  for image in "$1/boot/vmlinuz-$release" "$1/usr/lib/modules/$release/vmlinuz"; do
    [ -e "$image" ] && echo "$image" && return
  done
  die "the kernel in $1 has no image"
}

# in_root ROOT COMMAND...: runs a command inside a folder as its root, with its /proc (objtool needs it).
in_root() {
  local root=$1 map=()
  shift
  [ "$(id -u)" -eq 0 ] || map=(--map-root-user)
  bounded 300 env -i PATH=/usr/bin:/usr/sbin:/bin:/sbin DEB_BUILD_ARCH=amd64 \
    unshare "${map[@]}" --mount --pid --fork --mount-proc="$root/proc" chroot "$root" "$@"
}

# build_modules ROOT NAME MAKE-ARGUMENT...: builds /build/NAME of a root and leaves its modules there, without symbols.
build_modules() {
  local root=$1 name=$2 log=$1.$2.log
  shift 2
  in_root "$root" make -s -C "/usr/src/linux-headers-$(release_of "$root")" "M=/build/$name" \
    CONFIG_DEBUG_INFO_BTF_MODULES= "$@" modules > "$log" 2>&1 || {
    tail -20 "$log" >&2
    die "the modules of $name do not build; all of the compiler's words are in $log"
  }
  in_root "$root" find "/build/$name" -name "*.ko" -exec strip --strip-debug {} +
}

# shipped_module ROOT NAME TARGET: a module of the distribution, unpacked.
shipped_module() {
  local found
  found=$(find "$1/usr/lib/modules" -name "$2.ko*" | head -1)
  [ -n "$found" ] || die "the kernel in $1 has no module $2"
  case $found in
    *.xz) xz -dc "$found" > "$3/$2.ko" ;;
    *) cp "$found" "$3/$2.ko" ;;
  esac
}

# same FOLDER FILE...: whether a folder holds just these files, whatever their times: worktrees may share a cache.
same() {
  local folder=$1 file
  shift
  for file in "$@"; do
    cmp -s "$file" "$folder/${file##*/}" || return 1
  done
}

# The kernel's mtty sample and our own modules, against the kernel as it is shipped.
build_samples() {
  local root=$1 built=$1/build/samples
  [ -e "$built.built" ] && same "$built" "$lab"/module/{ferry_lab.c,ferry_nic.c,Kbuild} && return
  say "building the sample devices for $(release_of "$root")"
  rm -rf "$built" "$built.built"
  copy_samples "$root" "$built"
  build_modules "$root" samples
  touch "$built.built"
}

copy_samples() {
  mkdir -p "$2"
  cp "$1/build/source/samples/vfio-mdev/mtty.c" "$lab"/module/{ferry_lab.c,ferry_nic.c,Kbuild} "$2"
}

# The VFIO stack with iommufd and character devices, and the sample devices against it.
build_iommufd() {
  local root=$1 built=$1/build/iommufd source=$1/build/source
  [ -e "$built.built" ] && same "$built/samples" "$lab"/module/{ferry_lab.c,ferry_nic.c,Kbuild} \
    && same "$built" "$lab/iommufd/Kbuild" && return
  say "building VFIO with iommufd and character devices for $(release_of "$root")"
  rm -rf "$built" "$built.built"
  mkdir -p "$built/iommu"
  cp "$lab/iommufd/Kbuild" "$built"
  cp -r "$source/drivers/vfio" "$built"
  cp -r "$source/drivers/iommu/iommufd" "$source/drivers/iommu/iommu-priv.h" "$built/iommu"
  copy_samples "$root" "$built/samples"
  # Two things are parts of the kernel's image where iommufd is configured; here the module brings them.
  echo 'iommufd-y += iova_bitmap.o span_iter.o' >> "$built/iommu/iommufd/Makefile"
  {
    printf '#include <linux/export.h>\n#include <linux/interval_tree.h>\n'
    sed -n '/^#ifdef CONFIG_INTERVAL_TREE_SPAN_ITER/,/^#endif/p' "$source/lib/interval_tree.c"
  } > "$built/iommu/iommufd/span_iter.c"
  build_modules "$root" iommufd CONFIG_IOMMUFD=m CONFIG_IOMMUFD_DRIVER= CONFIG_IOMMUFD_TEST= CONFIG_VFIO=m \
    CONFIG_VFIO_DEVICE_CDEV=y CONFIG_VFIO_MDEV=m CONFIG_VFIO_IOMMU_TYPE1=m CONFIG_VFIO_PCI_CORE=m \
    CONFIG_VFIO_PLATFORM_BASE= CONFIG_VFIO_FSL_MC= CONFIG_VFIO_CDX=
  touch "$built.built"
}
