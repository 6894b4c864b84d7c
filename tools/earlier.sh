# Sourced by ./bench: builds the server of an earlier commit in a temporary folder, which goes when the script ends.

# earlier_build [--from COMMIT] REST…: sets earlier_dll, and earlier_rest to the other arguments. HEAD~ unless a commit is named.
earlier_build() {
  local from=HEAD~ folder log
  earlier_rest=()
  while [ $# -gt 0 ]; do
    if [ "$1" = --from ] && [ $# -gt 1 ]; then from=$2 && shift; else earlier_rest+=("$1"); fi
    shift
  done
  folder=$(mktemp -d)
  log=$folder/log
  trap "git worktree remove --force '$folder/tree' >/dev/null 2>&1; rm -rf '$folder'" EXIT
  git worktree add --detach "$folder/tree" "$from" >"$log" 2>&1 || { cat "$log" >&2; exit 2; }
  echo "the earlier build is $(git -C "$folder/tree" log -1 --format='%h %s')" >&2
  (cd "$folder/tree" && dotnet publish src/Millrace.Server -c Release -o "$folder/server" --nologo -v q) >"$log" 2>&1 || { cat "$log" >&2; exit 2; }
  earlier_dll=$folder/server/Millrace.Server.dll
}
