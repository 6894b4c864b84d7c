# Sourced by the scripts at the root: checks what they need, and says how to get it.

need_dotnet() {
  command -v dotnet >/dev/null && dotnet --list-sdks | grep -q '^10\.' && return
  echo "Millrace needs the .NET 10 SDK. Debian and Ubuntu: see https://learn.microsoft.com/dotnet/core/install/linux, then 'apt-get install dotnet-sdk-10.0'." >&2
  exit 2
}

need_node() {
  command -v node >/dev/null && [ "$(node -p 'process.versions.node.split(".")[0] >= 20')" = true ] && return
  echo "Millrace needs Node.js 20 or later for its web page. Debian: 'apt-get install nodejs npm', or https://nodejs.org." >&2
  exit 2
}

# Packages of the web page.
web_packages() { npm_packages web; }

# npm_packages FOLDER: installs what its lock file names, again only when that changed.
npm_packages() {
  [ -f "$1/node_modules/.millrace-lock" ] && cmp -s "$1/package-lock.json" "$1/node_modules/.millrace-lock" && return
  (cd "$1" && npm ci --no-fund --no-audit --loglevel=error) && cp "$1/package-lock.json" "$1/node_modules/.millrace-lock"
}

# Debian packages that some tests need: installed when root, named otherwise.
need_debian() {
  missing=""
  for pair in "$@"; do command -v "${pair%%:*}" >/dev/null || missing="$missing ${pair##*:}"; done
  [ -z "$missing" ] && return
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "installing$missing"
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing; } >/tmp/millrace-apt.log 2>&1 && return
    cat /tmp/millrace-apt.log >&2
  fi
  echo "These packages are missing. Install them with: sudo apt-get install$missing" >&2
  exit 2
}
