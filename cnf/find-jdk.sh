# Sourced by ./mvnw and ./ferry: sets JAVA_HOME to a JDK of at least FERRY_JDK (25), or ends with one
# sentence. Looks at JAVA_HOME, at `java` on the PATH, then where systems keep their JDKs.

FERRY_JDK=25

# Prints the feature release (25 for 25.0.3) of the JDK in folder $1; nothing when it is no JDK.
# The `release` file answers without starting a JVM, which would cost every command 50 ms.
jdk_feature_release() {
  [ -x "$1/bin/java" ] && [ -x "$1/bin/javac" ] && [ -r "$1/release" ] || return 0
  sed -n 's/^JAVA_VERSION="\([0-9][0-9]*\).*/\1/p' "$1/release"
}

find_jdk() {
  java_on_path=$(command -v java 2>/dev/null) || java_on_path=
  if [ -n "$java_on_path" ]; then
    java_on_path=$(readlink -f "$java_on_path" 2>/dev/null) || java_on_path=
  fi
  for jdk in "${JAVA_HOME:-}" "${java_on_path%/bin/java}" \
      /usr/lib/jvm/* "${HOME:-/nonexistent}"/.sdkman/candidates/java/* "${HOME:-/nonexistent}"/.jdks/* /opt/jdk* /opt/java/* \
      /Library/Java/JavaVirtualMachines/*/Contents/Home; do
    [ -n "$jdk" ] || continue
    release=$(jdk_feature_release "$jdk")
    if [ -n "$release" ] && [ "$release" -ge "$FERRY_JDK" ]; then
      JAVA_HOME=$jdk
      export JAVA_HOME
      return 0
    fi
  done
  echo "ferry: no JDK $FERRY_JDK or newer was found: install one (for example Temurin $FERRY_JDK) or set JAVA_HOME to it." >&2
  exit 1
}

find_jdk
