# SPDX-License-Identifier: Apache-2.0
# Shared by the scripts beside it; sourced, not run.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
jobs=$(nproc)

say() {
	printf '== %s\n' "$*"
}

die() {
	printf '%s: %s\n' "$(basename "$0")" "$*" >&2
	exit 1
}

as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	else
		command -v sudo >/dev/null || die "needs root, or sudo, for: $*"
		sudo "$@"
	fi
}

# Installs the packages of scripts/packages that are missing.
install_packages() {
	local missing=() package

	for package in $(sed 's/#.*//' "$top/scripts/packages"); do
		dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' ||
			missing+=("$package")
	done
	[ "${#missing[@]}" = 0 ] && return
	say "installing ${missing[*]}"
	as_root apt-get update -q >/dev/null
	as_root env DEBIAN_FRONTEND=noninteractive \
		apt-get install -q -y --no-install-recommends "${missing[@]}" >/dev/null
}

# build_in DIR [meson options]: configures once, builds.
build_in() {
	local dir=$1
	shift
	[ -f "$dir/build.ninja" ] || meson setup "$dir" "$top" "$@" >"$dir.setup.log" 2>&1 || {
		tail -n 30 "$dir.setup.log" >&2
		die "meson could not set up $dir"
	}
	ninja -C "$dir" -j "$jobs" --quiet >"$dir.build.log" 2>&1 || {
		tail -n 60 "$dir.build.log" >&2
		die "build in $dir failed"
	}
}
