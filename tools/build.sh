# Sourced by the scripts at the root: builds what changed, one line for each phase, the whole log when one fails.

server_dll=src/Millrace.Server/bin/Release/net10.0/Millrace.Server.dll
cli_dll=src/Millrace.Cli/bin/Release/net10.0/millrace.dll

# phase NAME COMMAND…
phase() {
  local name=$1 log started=$SECONDS
  shift
  log=$(mktemp)
  printf '%s … ' "$name" >&2
  if "$@" >"$log" 2>&1; then
    echo "$((SECONDS - started)) s" >&2
    rm -f "$log"
    return
  fi
  echo "failed" >&2
  cat "$log" >&2
  rm -f "$log"
  exit 2
}

# newer_than FILE PATH…: something under the paths changed after FILE was made.
newer_than() {
  local made=$1
  shift
  [ ! -f "$made" ] || [ -n "$(find "$@" -newer "$made" -type f -not -path '*/bin/*' -not -path '*/obj/*' -print -quit)" ]
}

build_server() { build_project server src/Millrace.Server "$server_dll" && build_cli; }

# publish_server FOLDER: compiled ahead for this machine, as in the image: a process that starts serves at once.
publish_server() {
  dotnet publish src/Millrace.Server -c Release --use-current-runtime --self-contained false -p:PublishReadyToRun=true -o "$1" --nologo -v q
}

build_cli() { build_project cli src/Millrace.Cli "$cli_dll"; }

# The stamp is made before the build begins, so that a change made meanwhile is built next time.
build_project() {
  local stamp=$2/obj/.built
  [ -f "$3" ] && ! newer_than "$stamp" src db Directory.Build.props Directory.Packages.props global.json && return
  mkdir -p "$2/obj"
  touch "$stamp.new"
  phase "build: $1" dotnet build "$2" -c Release --nologo -v q
  mv "$stamp.new" "$stamp"
}

# The web page; a tree without its sources serves the API alone.
build_web() {
  [ -f web/package.json ] || return 0
  newer_than web/dist/index.html web/src web/public web/index.html web/package-lock.json web/vite.config.ts web/tsconfig.json || return 0
  need_node
  phase "build: web packages" web_packages
  phase "build: web" sh -c 'cd web && npm run --silent build'
}
