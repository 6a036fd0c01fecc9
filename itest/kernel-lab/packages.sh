# SPDX-License-Identifier: Apache-2.0
# Packages of the distribution, fetched and unpacked into the cache without installing any: an apt state of our own,
# the mirror and the keys of the machine. Sourced by run.

readonly suite=trixie
readonly keyring=/usr/share/keyrings/debian-archive-keyring.gpg

# The mirror that this machine uses for Debian, the first of several; nothing where there is none. Asked for without
# release information, since images of containers come without apt's lists, and sources without lists are then left out.
mirror() {
  [ -z "${FERRY_KERNEL_LAB_MIRROR:-}" ] || { echo "$FERRY_KERNEL_LAB_MIRROR" && return; }
  apt-get indextargets --no-release-info --format '$(SITE)' 'Created-By: Packages' 2>/dev/null \
    | awk '/\/debian\/?$/ && !count++'
}

# An apt state of the lab's own, the network settings of the machine.
readonly lab_state=(
  -o Dir::Etc::sourcelist="$cache/apt/sources.list" -o Dir::Etc::sourceparts=/dev/null
  -o Dir::Etc::Preferences=/dev/null -o Dir::Etc::PreferencesParts=/dev/null
  -o Dir::State="$cache/apt/state" -o Dir::State::status="$cache/apt/status" -o Dir::Cache="$cache/apt/cache"
  -o APT::Architecture=amd64 -o APT::Architectures=amd64 -o APT::Sandbox::User=root
)

# apt-get on the lab's own state; changes nothing of the machine.
lab_apt() {
  bounded 600 apt-get -qq "${lab_state[@]}" "$@"
}

# Prepares the apt state and reads the lists; again when they are a day old, since versions leave the archive.
open_archive() {
  local apt=$cache/apt
  [ -n "$(find "$apt/ready" -mmin -1440 2>/dev/null)" ] && return
  [ -e "$keyring" ] || die "$keyring is missing: install the package debian-archive-keyring"
  mkdir -p "$apt/state/lists/partial" "$apt/cache/archives/partial"
  : > "$apt/status"
  local site
  site=$(mirror) || site=
  [ -n "$site" ] || die "this machine's apt sources name no mirror that ends in /debian: set FERRY_KERNEL_LAB_MIRROR to one"
  {
    echo "deb [signed-by=$keyring] $site $suite main"
    echo "deb [signed-by=$keyring] $site $suite-backports main"
  } > "$apt/sources.list"
  lab_apt -o APT::Update::Error-Mode=any update || die \
    "the package lists of $suite cannot be had from $site: see apt's message; the network is needed," \
    "or a cache that was filled before (FERRY_KERNEL_LAB_CACHE)"
  touch "$apt/ready"
}

download() {
  lab_apt clean
  lab_apt install --download-only --yes --no-install-recommends "$@"
}

# fetch FOLDER PACKAGE...: downloads packages with all they need and unpacks them, in an order of their own, into a
# folder that becomes a usable root. Does nothing for a folder that holds just these already.
fetch() {
  local root=$1 stamp=$1.unpacked deb
  shift
  [ "$(cat "$stamp" 2>/dev/null)" = "$*" ] && return
  open_archive
  say "fetching $*"
  rm -rf "$root" "$root".*
  mkdir -p "$root"/usr/{bin,sbin,lib,lib64} "$root"/{proc,dev,tmp,build}
  ln -s usr/bin "$root/bin" && ln -s usr/sbin "$root/sbin"
  ln -s usr/lib "$root/lib" && ln -s usr/lib64 "$root/lib64"
  if ! download "$@"; then
    # A version may have left the archive since the lists were read.
    rm -f "$cache/apt/ready"
    open_archive
    download "$@" || die "packages cannot be had from this machine's mirror ($*): see apt's message; is there" \
      "the network, and room on the disk for $cache?"
  fi
  for deb in "$cache"/apt/cache/archives/*.deb; do
    # tar keeps the links usr-merge needs, dpkg-deb -x would replace them by folders.
    dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$root" --keep-directory-symlink --no-same-owner
  done
  lab_apt clean
  echo "$*" > "$stamp"
}

# apt-cache on the same state.
lab_apt_cache() {
  apt-cache "${lab_state[@]}" "$@"
}
