# SPDX-License-Identifier: Apache-2.0
# What of Ferry goes into the guest: the application as users run it, and the programs of the checks. Sourced by run.

readonly application=$project/app/target/ferry-runnable.jar
readonly programs=$project/vfio-backend/target/test-classes/dev/ferry/vfio/backend/lab

# Builds with the project's command, unless everything is newer than its sources.
build_ferry() {
  [ -f "$application" ] && [ -f "$programs/LabChecks.class" ] \
    && [ -z "$(newer_sources)" ] && return
  say "building Ferry"
  local log=$results/build.log started=$work/started
  : > "$started"
  bounded 1200 "$project/mvnw" -q -B -DskipTests -pl app,vfio-backend -am package > "$log" 2>&1 || {
    tail -n 40 "$log" >&2
    die "the build failed; all of its words are in $log"
  }
  # What would come out the same is left alone by the build.
  touch -r "$started" "$application" "$programs/LabChecks.class"
}

# The application is built without the programs, too, so these are looked at by themselves.
newer_sources() {
  find "$project"/{pom.xml,bnd.bnd,cnf,api,cli,contract,fsm-core,stream-formats,virtio-*,vfio-backend,emulator,demo,shell,app} \
    -name target -prune -o \( -path "*/src/*" -o -path "*/cnf/*" -o -name "*.bnd" -o -name pom.xml \) -type f \
    -newer "$application" -print -quit
  find "$project"/{api,contract,vfio-backend}/src -type f -newer "$programs/LabChecks.class" -print -quit
}

# collect_ferry FOLDER: lays out what a guest finds at its root.
collect_ferry() {
  local root=$1/lab
  mkdir -p "$root" "$work/classes/dev/ferry/vfio/backend"
  cp "$application" "$root/ferry.jar"
  cp -r "$project"/{api,contract,vfio-backend}/target/classes/dev "$work/classes"
  cp -r "$programs" "$work/classes/dev/ferry/vfio/backend"
  cp "${programs%/lab}"/internal/handover/HandoverClient.class "$work/classes/dev/ferry/vfio/backend/internal/handover"
  (cd "$root" && "$JAVA_HOME/bin/jar" --extract --file ferry.jar bundles && mv bundles/slf4j-api-*.jar slf4j.jar \
    && rm -rf bundles)
  "$JAVA_HOME/bin/jar" --create --file "$root/programs.jar" -C "$work/classes" .
  cp "$lab"/guest/{checks,devices} "$root"
  ln -s checks "$root/program"
}

# rehearsal COMMAND: a command of guest/devices in the guest's files on this machine; it may fail.
rehearsal() {
  in_root "$cache/base" /bin/busybox sh -c "
    PATH=/java/bin:/bin
    . /lab/devices
    archive=-XX:ArchiveClassesAtExit
    $1" > /dev/null 2>&1 || :
}

# rehearse FOLDER: archives of the classes that the guest's Java loads, to save what loading takes an emulated processor:
# program and application start on this machine, find no device, and end. Without an archive all works, only slower.
rehearse() {
  local root=$1/lab stage=$cache/base/lab programs_archive
  rm -rf "$stage"
  mkdir "$stage"
  cp -p "$root"/{ferry,programs,slf4j}.jar "$root/devices" "$stage"
  echo '{"dev.ferry.vfio.backend": {"devices": ["00000000-0000-0000-0000-000000000000"]}}' > "$stage/ferry.json"
  (rehearsal 'program LabChecks auto shipped none none none none') &
  programs_archive=$!
  rehearsal 'echo "devices --json" | ferry /lab/ferry.json'
  wait "$programs_archive"
  mv "$stage"/{programs,ferry}.jsa "$root" || say "an archive of classes is missing: the guests will take longer"
  rm -rf "$stage"
  mkdir "$stage"
}
