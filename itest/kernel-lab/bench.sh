# SPDX-License-Identifier: Apache-2.0
# Ferry beside a program in C that makes the same system calls. Sourced by run.

readonly gib=$((1 << 30))
readonly guest_turns=3 host_turns=5
# What must have been measured, in each turn.
readonly guest_rows=("c get-state-ns" "c set-same-state-ns" "c stop-and-run-ns" "c stream-MBps" "java get-state-ns"
  "java set-same-state-ns" "java stop-and-run-ns" "java driver-state-ns" "java stream-cold-MBps" "java stream-MBps")
readonly host_rows=("c memory-MBps" "java memory-cold-MBps" "java memory-MBps")

# The peer, for guest and host alike, so without libraries.
build_peer() {
  local root=$cache/kernel-6.12
  kernel_root 6.12
  [ -e "$root/build/peer" ] && same "$root/build" "$lab/peer/peer.c" && return
  rm -f "$root/build/peer"
  cp "$lab/peer/peer.c" "$root/build"
  in_root "$root" gcc-14 -O2 -Wall -static -o /build/peer.part /build/peer.c || die "the peer in C does not compile"
  mv "$root/build/peer.part" "$root/build/peer"
}

measure() {
  rm -f "$results/bench.txt"
  prepare 6.12
  build_peer
  local peer=$cache/kernel-6.12/build/peer
  measure_guest "$peer" > "$work/guest"
  require_rows $guest_turns "$work/guest" "${guest_rows[@]}"
  measure_host "$peer" > "$work/host"
  require_rows $host_turns "$work/host" "${host_rows[@]}"
  {
    ratios "guest" "$work/guest"
    ratios "host" "$work/host"
  } > "$work/bench.txt"
  mv "$work/bench.txt" "$results"
  cat "$results/bench.txt"
  awk '$2 ~ /^(stream|memory)-MBps$/ && $NF > 1.10 { print "kernel-lab: MISSED: " $1 " " $2 " is to be within 1.10" }
    $2 ~ /-cold/ { print "kernel-lab: " $1 " " $2 " " $NF ": the first stream of a process, not yet compiled" }' \
    "$results/bench.txt"
}

# require_rows TURNS FILE ROW...: a program that failed has printed fewer rows, and nothing else tells of it.
require_rows() {
  local turns=$1 file=$2 row found
  shift 2
  for row in "$@"; do
    found=$(grep -cE "^$row [0-9]+$" "$file" || :)
    [ "$found" -eq "$turns" ] || die "the benchmark is incomplete: '$row' was measured $found times instead of $turns;" \
      "the guest's words are in $results/bench.log"
  done
}

measure_guest() {
  local folder=$work/bench
  cp -r "$work/ferry" "$folder"
  cp "$1" "$folder/lab/peer"
  echo "${FERRY_KERNEL_LAB_STREAM:-$gib}" > "$folder/lab/stream-bytes"
  seq $guest_turns > "$folder/lab/turns"
  cp "$lab/guest/bench" "$folder/lab"
  ln -sf bench "$folder/lab/program"
  boot 6.12 "$folder" "$results/bench.log"
  await_end "$begun"
  [ -z "$ended" ] || die "the benchmark failed: $ended; see $results/bench.log"
  grep -q '^== end' "$results/bench.log" || die "the benchmark did not come to its end; see $results/bench.log"
  tr -d '\r' < "$results/bench.log" | grep -E '^(c|java) [a-z-]+'
}

measure_host() {
  local peer=$1 classes=$work/classes status=0
  cp -r "$project/vfio-backend/target/test-classes/dev/ferry/vfio/backend/internal/fake" \
    "$classes/dev/ferry/vfio/backend/internal"
  bounded 600 "$peer" hold "$gib" sh -c '
    "$1" sink "$2/sink" & sink=$!
    # Five seconds, until it listens.
    for try in $(seq 50); do [ -S "$2/sink" ] || sleep 0.1; done
    for turn in $(seq "$6"); do
      "$1" memory /proc/self/fd/9 "$2/sink" | sed "s/^/c /"
      "$3" --enable-native-access=ALL-UNNAMED -Dslf4j.internal.verbosity=ERROR -cp "$4:$5" \
        dev.ferry.vfio.backend.lab.Benchmark memory /proc/self/fd/9 "$2/sink" | sed "s/^/java /"
    done
    kill "$sink"' sh "$peer" "$work" "$JAVA_HOME/bin/java" "$classes" "$work/ferry/lab/slf4j.jar" $host_turns \
    || die "the benchmark on the host failed"
}

# ratios WHERE FILE: one line per measurement, each the median of its turns; above 1.00 Java is slower. What only Java has
# stands beside the nearest measurement of the peer, which needs no compiler and has no driver above the calls.
ratios() {
  sort -k 1,2 -k 3n "$2" | awk -v where="$1" '
    { name = $1 " " $2; turns[name]++; value[name, turns[name]] = $3 }
    function median(name) { return value[name, int((turns[name] + 1) / 2)] }
    $1 == "java" && turns[name] == 1 { row[++rows] = $2 }
    END {
      for (i = 1; i <= rows; i++) {
        java = median("java " row[i])
        like = (row[i] == "driver-state-ns") ? "get-state-ns" : row[i]
        sub(/-cold/, "", like)
        peer = median("c " like)
        ratio = (row[i] ~ /-MBps$/) ? peer / java : java / peer
        printf "%-6s %-20s C %8d  Java %8d  %.2f\n", where, row[i], peer, java, ratio
      }
    }'
}
