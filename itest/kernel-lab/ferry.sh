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
  mkdir -p "$root/classes/dev/ferry/vfio/backend"
  cp "$application" "$root/ferry.jar"
  cp -r "$project"/{api,contract,vfio-backend}/target/classes/dev "$root/classes"
  cp -r "$programs" "$root/classes/dev/ferry/vfio/backend"
  cp "${programs%/lab}"/internal/handover/HandoverClient.class "$root/classes/dev/ferry/vfio/backend/internal/handover"
  (cd "$root" && "$JAVA_HOME/bin/jar" --extract --file ferry.jar bundles && mv bundles/slf4j-api-*.jar slf4j.jar \
    && rm -rf bundles)
  cp "$lab"/guest/{checks,devices} "$root"
  ln -s checks "$root/program"
}
